//! Admission of connections: how many there may be in total, of one address and with one token, and how often an address
//! may try.
//!
//! Beyond the loopback interface every viewer is a stranger. Without these limits, one stranger with one token could take
//! all connections.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::memory::{CONNECTION_BYTES, MemoryBudget, SharedCharge};
use rate_limit::{RateLimit, network_of};

pub(crate) mod rate_limit;

/// Maximum number of connections. A further handshake is answered with 503.
pub const MAX_CONNECTIONS: usize = 20_000;
/// Number of connections that only clients with the permission to publish get, so that viewers cannot lock them out.
pub(crate) const PUBLISHER_CONNECTIONS: usize = 1000;
/// Part of the memory limit that only clients with the permission to publish get, as a divisor. Twice what eviction keeps
/// free, so that idle viewers alone never cause the eviction of a publisher.
const PUBLISHER_MEMORY_SHARE: usize = 4;

/// Limits on the clients of one address, or with one token.
#[derive(Debug, Clone, Copy)]
pub struct ClientLimits {
    /// Maximum number of connections of an address; of an IPv6 network of 64 bits.
    pub connections_per_address: usize,
    /// Maximum number of connections with the same token.
    pub connections_per_token: usize,
    /// Maximum number of handshakes of an address per minute.
    pub handshakes_per_minute: NonZeroU32,
}

impl Default for ClientLimits {
    /// Suits an office whose people share an address: 500 open pages, which all reconnect after a restart.
    fn default() -> Self {
        const HANDSHAKES: NonZeroU32 = NonZeroU32::new(1000).unwrap();
        Self { connections_per_address: 500, connections_per_token: 100, handshakes_per_minute: HANDSHAKES }
    }
}

/// Refusal of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum AdmissionError {
    /// The service has its maximum number of connections or hubs, or no memory left.
    #[error("the service has reached its limit of connections, hubs or memory: retry later")]
    Full,
    /// The address has its maximum number of connections.
    #[error("this address has {limit} connections, the maximum: close one first")]
    Address {
        /// Maximum number of connections.
        limit: usize,
    },
    /// The token has its maximum number of connections.
    #[error("{limit} connections use this access token, the maximum: negotiate a token for each client")]
    Token {
        /// Maximum number of connections.
        limit: usize,
    },
    /// The address has tried too often.
    #[error("too many handshakes from this address: retry in {} s", wait.as_secs() + 1)]
    Handshakes {
        /// Time until the next handshake is accepted.
        wait: Duration,
    },
}

/// Client that asks for a connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Applicant<'a> {
    /// Address, if known.
    pub(crate) address: Option<IpAddr>,
    /// Access token; `None` for an anonymous client.
    pub(crate) token: Option<&'a str>,
    /// Whether the token grants the permission to publish.
    pub(crate) may_publish: bool,
}

/// Table of open connections.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Option<ClientLimits>,
    memory: MemoryBudget,
    open: AtomicUsize,
    drained: Notify,
    /// Hashes tokens with random keys, so that nobody can choose tokens that collide.
    hasher: RandomState,
    clients: Mutex<Clients>,
}

#[derive(Debug)]
struct Clients {
    /// Number of connections; at most two entries for each.
    open: HashMap<Holder, usize>,
    handshakes: Option<RateLimit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Address(IpAddr),
    Token(u64),
}

/// Permit for one connection, released when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    admission: Arc<Admission>,
    holders: [Option<Holder>; 2],
    _memory: SharedCharge,
}

impl Admission {
    /// Creates a table without connections. `limits` of `None` limits the total only.
    pub(crate) fn new(limits: Option<ClientLimits>, memory: MemoryBudget) -> Arc<Self> {
        let handshakes = limits.map(|limits| RateLimit::per_minute(limits.handshakes_per_minute));
        Arc::new(Self {
            limits,
            memory,
            open: AtomicUsize::new(0),
            drained: Notify::new(),
            hasher: RandomState::new(),
            clients: Mutex::new(Clients { open: HashMap::new(), handshakes }),
        })
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of connections.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until there are no connections.
    pub(crate) async fn drained(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            if self.open() == 0 {
                return;
            }
            drained.await;
        }
    }

    /// Counts a handshake of `address`.
    pub(crate) fn count_handshake(
        &self,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<(), AdmissionError> {
        let (Some(address), Some(handshakes)) = (address, &mut self.clients().handshakes) else {
            return Ok(());
        };
        handshakes.check(address, now).map_err(|wait| AdmissionError::Handshakes { wait })
    }

    /// Acquires a permit for one more connection.
    pub(crate) fn admit(
        self: &Arc<Self>,
        applicant: &Applicant<'_>,
    ) -> Result<ConnectionPermit, AdmissionError> {
        let reserved = if applicant.may_publish { 0 } else { self.memory.limit() / PUBLISHER_MEMORY_SHARE };
        if !self.memory.has_capacity(CONNECTION_BYTES + reserved) {
            self.memory.record_refusal();
            return Err(AdmissionError::Full);
        }
        let holders = self.holders(applicant)?;
        let reserved = if applicant.may_publish { 0 } else { PUBLISHER_CONNECTIONS };
        let admitted = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
            (open + reserved < MAX_CONNECTIONS).then_some(open + 1)
        });
        if admitted.is_err() {
            self.release(holders);
            return Err(AdmissionError::Full);
        }
        let memory = self.memory.charge(CONNECTION_BYTES);
        Ok(ConnectionPermit { admission: Arc::clone(self), holders, _memory: memory })
    }

    /// Counts a connection of the applicant's address and token.
    fn holders(&self, applicant: &Applicant<'_>) -> Result<[Option<Holder>; 2], AdmissionError> {
        let Some(limits) = self.limits else { return Ok([None; 2]) };
        let address = applicant.address.map(|address| Holder::Address(network_of(address)));
        let token = applicant.token.map(|token| Holder::Token(self.hasher.hash_one(token)));
        let mut clients = self.clients();
        let count = |holder: Option<Holder>| {
            holder.and_then(|holder| clients.open.get(&holder)).copied().unwrap_or_default()
        };
        if count(address) >= limits.connections_per_address {
            return Err(AdmissionError::Address { limit: limits.connections_per_address });
        }
        if count(token) >= limits.connections_per_token {
            return Err(AdmissionError::Token { limit: limits.connections_per_token });
        }
        for holder in [address, token].into_iter().flatten() {
            *clients.open.entry(holder).or_default() += 1;
        }
        Ok([address, token])
    }

    fn release(&self, holders: [Option<Holder>; 2]) {
        if holders == [None; 2] {
            return;
        }
        let mut clients = self.clients();
        for holder in holders.into_iter().flatten() {
            if let Some(count) = clients.open.get_mut(&holder) {
                *count -= 1;
                if *count == 0 {
                    clients.open.remove(&holder);
                }
            }
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.admission.release(self.holders);
        if self.admission.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.admission.drained.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(limits: Option<ClientLimits>) -> Arc<Admission> {
        Admission::new(limits, MemoryBudget::default())
    }

    fn applicant(address: &str, token: &'static str) -> Applicant<'static> {
        Applicant { address: address.parse().ok(), token: Some(token), may_publish: false }
    }

    #[test]
    fn an_address_and_a_token_have_a_limit_of_connections() {
        let limits =
            ClientLimits { connections_per_address: 3, connections_per_token: 2, ..ClientLimits::default() };
        let admission = admission(Some(limits));
        let (one, other) = (applicant("192.0.2.1", "a"), applicant("192.0.2.1", "b"));
        let permits = [admission.admit(&one), admission.admit(&one)];
        assert_eq!(admission.admit(&one).unwrap_err(), AdmissionError::Token { limit: 2 });
        let third = admission.admit(&other);
        assert_eq!(admission.admit(&other).unwrap_err(), AdmissionError::Address { limit: 3 });
        assert_eq!(
            admission.admit(&applicant("192.0.2.2", "a")).unwrap_err(),
            AdmissionError::Token { limit: 2 }
        );
        assert!(admission.admit(&applicant("192.0.2.2", "c")).is_ok());
        drop((permits, third));
        assert!(admission.clients().open.is_empty() && admission.open() == 0);
        assert!(admission.admit(&one).is_ok());
    }

    #[test]
    fn addresses_of_an_ipv6_network_share_their_connections() {
        let limits = ClientLimits { connections_per_address: 1, ..ClientLimits::default() };
        let admission = admission(Some(limits));
        let _permit = admission.admit(&applicant("2001:db8::1", "a")).unwrap();
        assert!(admission.admit(&applicant("2001:db8::2", "b")).is_err());
        assert!(admission.admit(&applicant("2001:db8:0:1::1", "b")).is_ok());
    }

    #[test]
    fn viewers_leave_connections_to_publishers() {
        let admission = admission(None);
        let viewer = applicant("192.0.2.1", "a");
        let permits: Vec<_> = (0..MAX_CONNECTIONS).map_while(|_| admission.admit(&viewer).ok()).collect();
        assert_eq!(permits.len(), MAX_CONNECTIONS - PUBLISHER_CONNECTIONS);
        let publisher = Applicant { may_publish: true, ..viewer };
        let publishers: Vec<_> =
            (0..MAX_CONNECTIONS).map_while(|_| admission.admit(&publisher).ok()).collect();
        assert_eq!(publishers.len(), PUBLISHER_CONNECTIONS);
        assert_eq!(admission.memory.used(), MAX_CONNECTIONS * CONNECTION_BYTES);
        drop((permits, publishers));
        assert_eq!((admission.open(), admission.memory.used()), (0, 0));
    }

    #[test]
    fn viewers_leave_memory_to_publishers() {
        let admission = Admission::new(None, MemoryBudget::new(CONNECTION_BYTES * 8));
        let viewer = applicant("192.0.2.1", "a");
        let viewers: Vec<_> = (0..8).map_while(|_| admission.admit(&viewer).ok()).collect();
        assert_eq!((viewers.len(), admission.memory.refusals()), (6, 1));
        assert!(admission.admit(&Applicant { may_publish: true, ..viewer }).is_ok());
    }

    #[test]
    fn an_address_that_connects_without_end_must_wait() {
        let limits = ClientLimits { handshakes_per_minute: NonZeroU32::MIN, ..ClientLimits::default() };
        let (admission, now) = (admission(Some(limits)), Instant::now());
        let address = "192.0.2.1".parse().ok();
        assert_eq!(admission.count_handshake(address, now), Ok(()));
        let wait = Duration::from_secs(60);
        assert_eq!(admission.count_handshake(address, now), Err(AdmissionError::Handshakes { wait }));
        assert_eq!(admission.count_handshake(None, now), Ok(()));
        assert_eq!(admission.count_handshake(address, now + wait), Ok(()));
    }
}
