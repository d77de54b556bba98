//! Memory budget: one limit for everything that the service holds for its clients.
//!
//! Connections, outboxes, reliable queues and begun messages charge their memory to one [`MemoryBudget`]. Memory that many
//! clients share, such as an encoded message, is charged once.
//!
//! # Full budget
//! Above seven eighths of the limit, the service evicts clients: first those that may not publish, and of these the one
//! that holds the most, the messages that wait for it included. Evicted clients are disconnected with close code 1013. At
//! the limit, a queue that grows ends its connection, and a new connection is refused.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::Notify;

/// Default limit, in bytes.
pub const DEFAULT_MEMORY_LIMIT_BYTES: usize = 1024 * 1024 * 1024;
/// Minimum limit, in bytes: two queues of the maximum size.
pub const MIN_MEMORY_LIMIT_BYTES: usize = 32 * 1024 * 1024;
/// Memory charged for an open connection, in bytes: its tasks, tables and buffers while idle, and
/// a queue of a few messages for each direction.
pub const CONNECTION_BYTES: usize = 16 * 1024;
/// Size of a queue that [`CONNECTION_BYTES`] covers, in bytes. Spares a queue of a few messages the shared counter.
pub(crate) const INCLUDED_BYTES: usize = 4 * 1024;
/// Unit of a queue's charge, in bytes: a queue that grows message by message rarely touches the shared counter.
const STEP_BYTES: usize = 16 * 1024;
/// Part of the limit that eviction keeps free, as a divisor: evicted clients need time to end.
const RESERVE: usize = 8;

/// Memory budget of a service. Clones share the budget.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Ledger>);

#[derive(Debug)]
struct Ledger {
    limit: usize,
    used: AtomicUsize,
    /// Queues and connections that were refused, and clients that were evicted.
    refusals: AtomicU64,
    clients: Mutex<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    next_id: u64,
    by_id: HashMap<u64, Weak<ClientMemory>>,
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
        let (used, refusals) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self(Arc::new(Ledger { limit, used, refusals, clients: Mutex::default() }))
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

    /// Returns how many queues and connections were refused, and clients evicted, because memory ran short.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.0.refusals.load(Ordering::Relaxed)
    }

    /// Returns whether `bytes` more fit the limit.
    pub(crate) fn has_capacity(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.limit()
    }

    /// Counts a refusal.
    pub(crate) fn record_refusal(&self) {
        self.0.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// Charges `bytes` until the returned charge is dropped.
    #[must_use]
    pub(crate) fn charge(&self, bytes: usize) -> SharedCharge {
        self.grow(bytes);
        SharedCharge { budget: self.clone(), bytes }
    }

    /// Charges the memory of `bytes` until the last clone of the returned value is dropped.
    #[must_use]
    pub(crate) fn charged(&self, bytes: Bytes) -> Bytes {
        let charge = self.charge(bytes.len());
        Bytes::from_owner(ChargedBytes { bytes, _charge: charge })
    }

    fn grow(&self, bytes: usize) {
        let used = self.0.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.evicts_above() {
            self.evict();
        }
    }

    fn shrink(&self, bytes: usize) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn evicts_above(&self) -> usize {
        self.limit() - self.limit() / RESERVE
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.0.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evicts clients until what stays is within the limit and its reserve.
    fn evict(&self) {
        let mut clients: Vec<_> = self.clients().by_id.values().filter_map(Weak::upgrade).collect();
        // What evicted clients that have not ended yet still hold.
        let mut evicting: usize =
            clients.iter().filter(|client| client.is_evicted()).map(|client| client.weight()).sum();
        let is_short = |evicting: usize| self.used().saturating_sub(evicting) > self.evicts_above();
        if !is_short(evicting) {
            return;
        }
        clients.retain(|client| !client.is_evicted() && client.weight() > 0);
        clients.sort_by_cached_key(|client| (!client.may_publish, client.weight()));
        for largest in clients.iter().rev() {
            if !is_short(evicting) {
                break;
            }
            evicting += largest.evict();
        }
    }

    /// Registers a client.
    #[must_use]
    pub(crate) fn client(&self, may_publish: bool) -> Arc<ClientMemory> {
        let mut clients = self.clients();
        let id = clients.next_id;
        clients.next_id += 1;
        let client = Arc::new(ClientMemory {
            budget: self.clone(),
            id,
            may_publish,
            weight: AtomicUsize::new(0),
            is_evicted: AtomicBool::new(false),
            evicted: Notify::new(),
        });
        clients.by_id.insert(id, Arc::downgrade(&client));
        client
    }
}

/// Memory of one client.
#[derive(Debug)]
pub(crate) struct ClientMemory {
    budget: MemoryBudget,
    id: u64,
    may_publish: bool,
    /// Size of its queues, in bytes, with shared messages.
    weight: AtomicUsize,
    is_evicted: AtomicBool,
    evicted: Notify,
}

impl Default for ClientMemory {
    /// Creates the only client of a budget.
    fn default() -> Self {
        Self {
            budget: MemoryBudget::default(),
            id: 0,
            may_publish: false,
            weight: AtomicUsize::new(0),
            is_evicted: AtomicBool::new(false),
            evicted: Notify::new(),
        }
    }
}

impl ClientMemory {
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

    /// Evicts the client, unless another thread has. Returns the size of its queues, in bytes.
    fn evict(&self) -> usize {
        if self.is_evicted.swap(true, Ordering::AcqRel) {
            return 0;
        }
        let bytes = self.weight();
        self.budget.record_refusal();
        self.evicted.notify_one();
        bytes
    }

    fn weight(&self) -> usize {
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

/// Memory that clients share, given back when dropped.
#[derive(Debug)]
pub(crate) struct SharedCharge {
    budget: MemoryBudget,
    bytes: usize,
}

impl Drop for SharedCharge {
    fn drop(&mut self) {
        self.budget.shrink(self.bytes);
    }
}

struct ChargedBytes {
    bytes: Bytes,
    _charge: SharedCharge,
}

impl AsRef<[u8]> for ChargedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1024 * 1024;

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
    fn the_largest_clients_that_may_not_publish_are_evicted_first() {
        let budget = MemoryBudget::new(32 * MIB);
        let hold = |may_publish, mib: usize| {
            let mut charge = budget.client(may_publish).charge();
            assert!(charge.adjust(mib * MIB, mib * MIB));
            charge
        };
        let (publisher, small, large) = (hold(true, 12), hold(false, 2), hold(false, 9));
        assert_eq!(budget.refusals(), 0);
        let newest = hold(false, 6);
        let evicted = |charge: &MemoryCharge| charge.client().is_evicted();
        assert!(evicted(&large) && !evicted(&small) && !evicted(&publisher) && !evicted(&newest));
        assert_eq!(budget.refusals(), 1);
        // The evicted client has not ended yet.
        let another = hold(false, 1);
        assert_eq!(budget.refusals(), 1);
        drop((large, newest, small, another));
        assert_eq!(budget.clients().by_id.len(), 1);
        assert_eq!(budget.used(), 12 * MIB);
        let _shared = budget.charge(20 * MIB);
        assert!(evicted(&publisher), "publishers are evicted last");
    }

    #[test]
    fn a_client_is_as_large_as_the_shared_messages_that_wait_for_it() {
        let budget = MemoryBudget::new(32 * MIB);
        let (mut slow, mut other) = (budget.client(false).charge(), budget.client(false).charge());
        slow.adjust(1000, 8 * MIB);
        other.adjust(MIB, MIB);
        let _shared = budget.charge(30 * MIB);
        assert!(slow.client().is_evicted() && !other.client().is_evicted());
    }

    #[test]
    fn queues_cannot_grow_beyond_the_limit() {
        let budget = MemoryBudget::new(32 * MIB);
        let mut charge = budget.client(false).charge();
        assert!(charge.adjust(31 * MIB, 0));
        assert!(!charge.adjust(33 * MIB, 0));
        assert!(charge.adjust(0, 0));
        assert_eq!((budget.used(), budget.refusals()), (0, 2), "evicted, then refused");
    }

    #[tokio::test]
    async fn an_evicted_client_is_notified() {
        let budget = MemoryBudget::new(32 * MIB);
        let client = budget.client(false);
        let mut charge = client.charge();
        let grow = async { charge.adjust(29 * MIB, 0) };
        let ((), _) = tokio::join!(client.evicted(), grow);
        client.evicted().await;
    }

    proptest! {
        #[test]
        fn a_charge_covers_its_queue_and_returns_everything(
            sizes in prop::collection::vec((0..200_000_usize, 0..200_000_usize), 1..40),
        ) {
            let budget = MemoryBudget::default();
            let client = budget.client(false);
            let mut charge = client.charge();
            for (own, queued) in sizes {
                prop_assert!(charge.adjust(own, queued));
                prop_assert!(own <= charge.bytes() + INCLUDED_BYTES && charge.bytes() < own + STEP_BYTES);
                prop_assert!(client.weight() >= charge.bytes() && client.weight() < own.max(queued) + STEP_BYTES);
                prop_assert_eq!(budget.used(), charge.bytes());
            }
            drop(charge);
            prop_assert_eq!((budget.used(), client.weight()), (0, 0));
        }
    }
}
