//! Memory of one client: what its queues hold, and whether it must end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{INCLUDED_BYTES, MemoryBudget, STEP_BYTES};

/// Memory of one client.
#[derive(Debug)]
pub(crate) struct ClientMemory {
    budget: MemoryBudget,
    id: u64,
    pub(super) may_publish: bool,
    /// Memory of its queues that is not shared, in bytes.
    charged: AtomicUsize,
    /// Size of its queues, in bytes, with shared messages.
    weight: AtomicUsize,
    is_evicted: AtomicBool,
    evicted: Notify,
}

impl Default for ClientMemory {
    /// Creates the only client of a budget.
    fn default() -> Self {
        Self::new(MemoryBudget::default(), 0, false)
    }
}

impl ClientMemory {
    /// Creates a client that is registered as `id`.
    pub(super) fn new(budget: MemoryBudget, id: u64, may_publish: bool) -> Self {
        let (charged, weight) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (is_evicted, evicted) = (AtomicBool::new(false), Notify::new());
        Self { budget, id, may_publish, charged, weight, is_evicted, evicted }
    }

    /// Creates a charge of this client.
    pub(crate) fn charge(self: &Arc<Self>) -> MemoryCharge {
        MemoryCharge { client: Arc::clone(self), bytes: 0, weight: 0 }
    }

    /// Returns whether the client must end.
    pub(crate) fn is_evicted(&self) -> bool {
        self.is_evicted.load(Ordering::Acquire)
    }

    /// Waits until the client must end. Supports one waiter.
    pub(crate) async fn evicted(&self) {
        if !self.is_evicted() {
            self.evicted.notified().await;
        }
    }

    /// Evicts the client, unless another thread has. Returns the memory that its end gives back for certain, in bytes: shared
    /// messages may have other receivers.
    pub(super) fn evict(&self) -> usize {
        if self.is_evicted.swap(true, Ordering::AcqRel) {
            return 0;
        }
        self.budget.record_refusal();
        self.evicted.notify_one();
        self.charged().max(STEP_BYTES)
    }

    /// Returns the memory of its queues that is not shared, in bytes.
    pub(super) fn charged(&self) -> usize {
        self.charged.load(Ordering::Relaxed)
    }

    /// Returns the size of its queues, in bytes, with shared messages. 0 while all of them are short.
    pub(crate) fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }
}

impl Drop for ClientMemory {
    fn drop(&mut self) {
        self.budget.clients().by_id.remove(&self.id);
    }
}

/// Memory of one queue of a client, given back when dropped.
#[derive(Debug)]
pub(crate) struct MemoryCharge {
    client: Arc<ClientMemory>,
    bytes: usize,
    weight: usize,
}

impl MemoryCharge {
    /// Returns the client.
    pub(crate) fn client(&self) -> &Arc<ClientMemory> {
        &self.client
    }

    /// Returns the charged memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether nothing is charged, and no shared messages are counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0 && self.weight == 0
    }

    /// Adjusts the charge to a queue of `own_bytes` that are not shared, and of `queued_bytes` in total.
    ///
    /// Returns `false` if the budget is used up. The charge is adjusted nevertheless: the queue must be dropped.
    pub(crate) fn adjust(&mut self, own_bytes: usize, queued_bytes: usize) -> bool {
        let wanted = if own_bytes <= INCLUDED_BYTES { 0 } else { own_bytes.next_multiple_of(STEP_BYTES) };
        let weight = if wanted == 0 && queued_bytes <= STEP_BYTES { 0 } else { wanted.max(queued_bytes) };
        if weight != self.weight {
            self.client.weight.fetch_add(weight.wrapping_sub(self.weight), Ordering::Relaxed);
            self.weight = weight;
        }
        let before = std::mem::replace(&mut self.bytes, wanted);
        if wanted != before {
            self.client.charged.fetch_add(wanted.wrapping_sub(before), Ordering::Relaxed);
        }
        if wanted <= before {
            if wanted < before {
                self.client.budget.shrink(before - wanted);
            }
            return true;
        }
        self.client.budget.grow(wanted - before);
        let has_capacity = self.client.budget.has_capacity(0);
        if !has_capacity {
            self.client.budget.record_refusal();
        }
        has_capacity
    }
}

impl Drop for MemoryCharge {
    fn drop(&mut self) {
        self.adjust(0, 0);
    }
}
