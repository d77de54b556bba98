//! How much may wait for room.

use std::{cell::Cell, rc::Rc};

/// Most bytes of content that may wait for room in one client; what would go beyond is refused. WebAssembly has no more
/// than 4 GiB, and ends when it asks for more.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// What is left of [`MAX_WAITING_BYTES`].
pub struct Budget(Rc<Cell<usize>>);

/// The part of something that waits. Given back when dropped.
pub struct Held {
    bytes: usize,
    left: Rc<Cell<usize>>,
}

impl Budget {
    /// Nothing waits.
    pub fn new() -> Self {
        Self(Rc::new(Cell::new(MAX_WAITING_BYTES)))
    }

    /// Room for something that is to wait, if there is any.
    pub fn take(&self, bytes: usize) -> Option<Held> {
        self.0.set(self.0.get().checked_sub(bytes)?);
        Some(Held { bytes, left: Rc::clone(&self.0) })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.left.set(self.left.get() + self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn no_more_waits_than_may() {
        let budget = Budget::new();
        let most = budget.take(MAX_WAITING_BYTES - 1);
        assert!(most.is_some() && budget.take(2).is_none());
        let rest = budget.take(1);
        assert!(rest.is_some() && budget.take(1).is_none());
        drop(most);
        assert!(budget.take(MAX_WAITING_BYTES - 1).is_some() && budget.take(MAX_WAITING_BYTES).is_none());
    }
}
