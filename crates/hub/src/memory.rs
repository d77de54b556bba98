//! Memory budget: one limit for everything that the service holds for its clients.
//!
//! Outboxes, reliable queues, begun messages and the connections themselves charge their memory to one
//! [`MemoryBudget`]. Memory that many clients share, such as an encoded message, is charged once.
//!
//! # Full budget
//! A queue may grow to a sixteenth of the free memory ([`MemoryBudget::largest_queue`]). So the fuller the budget, the
//! smaller the queue that is refused, and the largest queues end first: nobody has to search for them, and no lock is
//! needed. With `n` clients that all take what they get, `16 / (16 + n)` of the budget stays free: it is never used
//! up. (Dynamic thresholds of shared-memory switches: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2).)

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bytes::Bytes;

/// Default limit, in bytes.
pub const DEFAULT_MEMORY_LIMIT_BYTES: usize = 1024 * 1024 * 1024;
/// Minimum limit, in bytes: with less, a sixteenth of it cannot hold one message of the maximum size.
pub const MIN_MEMORY_LIMIT_BYTES: usize = 32 * 1024 * 1024;
/// Memory charged for an open connection, in bytes: its tasks, tables and buffers while idle, and
/// [`INCLUDED_BYTES`] for each direction.
pub const CONNECTION_BYTES: usize = 16 * 1024;
/// Size of a queue that [`CONNECTION_BYTES`] covers, in bytes. Spares a queue of a few messages the shared counter.
pub(crate) const INCLUDED_BYTES: usize = 4 * 1024;
/// Unit of a queue's charge, in bytes: a queue that grows message by message rarely touches the shared counter.
const STEP_BYTES: usize = 16 * 1024;
/// Part of the free memory that one queue may have, as a divisor.
const QUEUE_SHARE: usize = 16;

/// Memory budget of a service. Clones share the budget.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Ledger>);

#[derive(Debug)]
struct Ledger {
    limit: usize,
    used: AtomicUsize,
    refusals: AtomicU64,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::new(DEFAULT_MEMORY_LIMIT_BYTES)
    }
}

impl MemoryBudget {
    /// Creates a budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Ledger { limit, used: AtomicUsize::new(0), refusals: AtomicU64::new(0) }))
    }

    /// Returns the limit, in bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Returns the charged memory, in bytes.
    #[must_use]
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Returns the number of queues and messages that were refused.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.0.refusals.load(Ordering::Relaxed)
    }

    /// Returns the size to which a queue may grow now, in bytes.
    #[must_use]
    pub fn largest_queue(&self) -> usize {
        self.limit().saturating_sub(self.used()) / QUEUE_SHARE
    }

    /// Counts a queue or a message that was refused.
    pub(crate) fn record_refusal(&self) {
        self.0.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// Charges `bytes` until the returned charge is dropped.
    #[must_use]
    pub fn charge(&self, bytes: usize) -> MemoryCharge {
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
        MemoryCharge { budget: self.clone(), bytes }
    }

    /// Charges the memory of `bytes` until the last clone of the returned value is dropped.
    #[must_use]
    pub(crate) fn charged(&self, bytes: Bytes) -> Bytes {
        let charge = self.charge(bytes.len());
        Bytes::from_owner(ChargedBytes { bytes, _charge: charge })
    }
}

struct ChargedBytes {
    bytes: Bytes,
    _charge: MemoryCharge,
}

impl AsRef<[u8]> for ChargedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Memory of one holder, given back when dropped.
#[derive(Debug)]
pub struct MemoryCharge {
    budget: MemoryBudget,
    bytes: usize,
}

impl MemoryCharge {
    /// Returns the budget.
    #[must_use]
    pub fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Returns the charged memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether a queue of `bytes` is covered by this charge.
    pub(crate) fn covers(&self, bytes: usize) -> bool {
        bytes <= self.bytes + INCLUDED_BYTES
    }

    /// Adjusts the charge to a queue of `bytes`, in steps.
    pub(crate) fn adjust(&mut self, bytes: usize) {
        let wanted = if bytes <= INCLUDED_BYTES { 0 } else { bytes.next_multiple_of(STEP_BYTES) };
        let used = &self.budget.0.used;
        if wanted > self.bytes {
            used.fetch_add(wanted - self.bytes, Ordering::Relaxed);
        } else if wanted < self.bytes {
            used.fetch_sub(self.bytes - wanted, Ordering::Relaxed);
        }
        self.bytes = wanted;
    }
}

impl Drop for MemoryCharge {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shared_bytes_are_charged_once_and_given_back_with_the_last_clone() {
        let budget = MemoryBudget::default();
        let bytes = budget.charged(Bytes::from(vec![7; 5000]));
        let clones = [bytes.clone(), bytes.slice(10..20)];
        assert_eq!((budget.used(), &clones[1][..]), (5000, &[7; 10][..]));
        drop(bytes);
        assert_eq!(budget.used(), 5000);
        drop(clones);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn the_budget_is_never_used_up_by_clients_that_take_all_they_get() {
        let budget = MemoryBudget::new(MIN_MEMORY_LIMIT_BYTES);
        let charges: Vec<_> = (0..1000).map(|_| budget.charge(budget.largest_queue())).collect();
        assert!(budget.used() < budget.limit() && budget.largest_queue() < charges[0].bytes());
    }

    proptest! {
        #[test]
        fn a_charge_covers_its_queue_and_returns_everything(sizes in prop::collection::vec(0..200_000_usize, 1..40)) {
            let budget = MemoryBudget::default();
            let mut charge = budget.charge(0);
            for size in sizes {
                charge.adjust(size);
                prop_assert!(charge.covers(size) && charge.bytes() < size + STEP_BYTES);
                prop_assert_eq!(budget.used(), charge.bytes());
            }
            drop(charge);
            prop_assert_eq!(budget.used(), 0);
        }
    }
}
