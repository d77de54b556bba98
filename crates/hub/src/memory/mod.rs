//! Memory budget: one limit for everything that the service holds for its clients.
//!
//! Connections, outboxes, reliable queues and begun messages charge their memory to one [`MemoryBudget`]. Memory that many
//! clients share, such as an encoded message, is charged once.
//!
//! # Full budget
//! Above seven eighths of the limit, the service first drops its oldest history, then evicts clients: first those that may not publish, and of these the one
//! that holds the most, the messages that wait for it included. Evicted clients are disconnected with close code 1013. At
//! the limit, a queue that grows ends its connection, and a new connection is refused.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

mod client;

pub(crate) use client::{ClientMemory, MemoryCharge};

/// Default limit, in bytes.
pub const DEFAULT_MEMORY_LIMIT_BYTES: usize = 1024 * 1024 * 1024;
/// Minimum limit, in bytes: two queues of the maximum size.
pub const MIN_MEMORY_LIMIT_BYTES: usize = 32 * 1024 * 1024;
/// Memory charged for an open connection, in bytes: its tasks, tables and buffers while idle, and
/// a queue of a few messages for each direction.
pub(crate) const CONNECTION_BYTES: usize = 16 * 1024;
/// Size of a queue that [`CONNECTION_BYTES`] covers, in bytes. Spares a queue of a few messages the shared counter.
pub(crate) const INCLUDED_BYTES: usize = 4 * 1024;
/// Unit of a queue's charge, in bytes: a queue that grows message by message rarely touches the shared counter.
const STEP_BYTES: usize = 16 * 1024;
/// Part of the limit that eviction keeps free, as a divisor: evicted clients need time to end.
const RESERVE: usize = 8;
/// Part of the limit that is charged between two evictions, as a divisor.
const EVICTION_STEP: usize = 256;

/// Memory budget of a service. Clones share the budget.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBudget(Arc<Ledger>);

/// Memory that the service can do without, such as its history.
pub(crate) trait Reclaim: Send + Sync {
    /// Gives up to `bytes` back. Must not wait for a lock: a holder may be charging memory.
    fn reclaim(&self, bytes: usize);
}

#[derive(Debug)]
struct Ledger {
    limit: usize,
    used: AtomicUsize,
    /// Charged memory above which clients are evicted next: after an eviction, only once more memory was charged, since every
    /// eviction looks at all clients.
    evict_above: AtomicUsize,
    /// Queues and connections that were refused, and clients that were evicted.
    refusals: AtomicU64,
    clients: Mutex<Clients>,
    reclaim: Mutex<Option<Weak<dyn Reclaim>>>,
}

impl fmt::Debug for dyn Reclaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reclaim")
    }
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
    pub(crate) fn new(limit: usize) -> Self {
        let (used, refusals) = (AtomicUsize::new(0), AtomicU64::new(0));
        let evict_above = AtomicUsize::new(limit - limit / RESERVE);
        let (clients, reclaim) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Ledger { limit, used, evict_above, refusals, clients, reclaim }))
    }

    /// Returns the limit, in bytes.
    #[must_use]
    pub(crate) fn limit(&self) -> usize {
        self.0.limit
    }

    /// Returns the charged memory, in bytes.
    #[must_use]
    pub(crate) fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Returns how many queues and connections were refused, and clients evicted, because memory ran short.
    #[must_use]
    pub(crate) fn refusals(&self) -> u64 {
        self.0.refusals.load(Ordering::Relaxed)
    }

    /// Returns whether `bytes` more fit the limit.
    pub(crate) fn has_capacity(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.limit()
    }

    /// Returns whether `bytes` more fit without an eviction.
    pub(crate) fn has_spare(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.evicts_above()
    }

    /// Sets what gives memory back before a client is evicted.
    pub(crate) fn set_reclaim(&self, reclaim: Weak<dyn Reclaim>) {
        *self.0.reclaim.lock().unwrap_or_else(PoisonError::into_inner) = Some(reclaim);
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
        self.charge(bytes.len()).attached_to(bytes)
    }

    fn grow(&self, bytes: usize) {
        let used = self.0.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let evict_above = self.0.evict_above.load(Ordering::Relaxed);
        if used <= self.evicts_above() {
            if evict_above != self.evicts_above() {
                self.0.evict_above.store(self.evicts_above(), Ordering::Relaxed);
            }
        } else if used > evict_above {
            self.evict();
            self.0.evict_above.store(used + self.limit() / EVICTION_STEP, Ordering::Relaxed);
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

    /// Reclaims memory, then evicts clients, until what stays is within the limit and its reserve.
    fn evict(&self) {
        let reclaim = self.0.reclaim.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(reclaim) = reclaim.and_then(|reclaim| reclaim.upgrade()) {
            reclaim.reclaim(self.used().saturating_sub(self.evicts_above()) + self.limit() / EVICTION_STEP);
            if self.has_spare(0) {
                return;
            }
        }
        let mut clients: Vec<_> = self.clients().by_id.values().filter_map(Weak::upgrade).collect();
        // What evicted clients that have not ended yet still hold.
        let mut evicting: usize =
            clients.iter().filter(|client| client.is_evicted()).map(|client| client.charged()).sum();
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
        let client = Arc::new(ClientMemory::new(self.clone(), id, may_publish));
        clients.by_id.insert(id, Arc::downgrade(&client));
        client
    }
}

/// Memory that clients share, given back when dropped.
#[derive(Debug)]
pub(crate) struct SharedCharge {
    budget: MemoryBudget,
    bytes: usize,
}

impl SharedCharge {
    /// Charges `bytes` more, unless they exceed the limit. Returns whether it does.
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        let fits = self.budget.has_capacity(bytes);
        if fits {
            self.budget.grow(bytes);
            self.bytes += bytes;
        } else {
            self.budget.record_refusal();
        }
        fits
    }

    /// Keeps the charge until the last clone of the returned value is dropped.
    #[must_use]
    pub(crate) fn attached_to(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(ChargedBytes { bytes, _charge: self })
    }
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
mod tests;
