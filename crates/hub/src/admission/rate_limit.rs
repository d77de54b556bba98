//! Rate limit per client address, without a clock: the time is a parameter.
//!
//! Implements the generic cell rate algorithm (ITU-T I.371). It stores one instant per address, the theoretical arrival time
//! (TAT). An entry whose TAT has passed is equivalent to no entry, and can be removed.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::{Duration, Instant},
};

/// Maximum number of entries, of about 50 bytes each. Once as many addresses are active, all further ones share one entry, so
/// that an attacker with many addresses gains nothing.
const MAX_ADDRESSES: usize = 16_384;
/// Period of the limit. All of its requests can arrive in one burst, as many pages reconnect together after a restart.
const PERIOD: Duration = Duration::from_secs(60);
/// Key of the shared entry; not the address of any client (RFC 6890).
const SHARED: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Theoretical arrival times by address.
#[derive(Debug)]
pub struct RateLimit {
    /// Interval between requests at the maximum rate.
    interval: Duration,
    arrival_times: HashMap<IpAddr, Instant>,
}

impl RateLimit {
    /// Allows `limit` requests per minute.
    #[must_use]
    pub fn per_minute(limit: NonZeroU32) -> Self {
        Self { interval: PERIOD / limit.get(), arrival_times: HashMap::new() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// Returns the time to wait if the limit is exceeded. The request is not counted then.
    pub fn check(&mut self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let key = self.entry_key(network_of(address), now);
        let arrival_time = self.arrival_times.get(&key).copied().unwrap_or(now).max(now) + self.interval;
        let excess = (arrival_time - now).saturating_sub(PERIOD);
        if excess > Duration::ZERO {
            return Err(excess);
        }
        self.arrival_times.insert(key, arrival_time);
        Ok(())
    }

    /// Returns the time until a request can be counted again; `None` if the limit is not reached. Counts nothing.
    #[must_use]
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let address = network_of(address);
        let is_shared =
            self.arrival_times.len() >= MAX_ADDRESSES && !self.arrival_times.contains_key(&address);
        let arrival_time = *self.arrival_times.get(if is_shared { &SHARED } else { &address })?;
        let excess = (arrival_time + self.interval).saturating_duration_since(now).saturating_sub(PERIOD);
        (excess > Duration::ZERO).then_some(excess)
    }

    /// Returns the key of the entry for `address`. Removes expired entries if the table is full.
    fn entry_key(&mut self, address: IpAddr, now: Instant) -> IpAddr {
        if self.arrival_times.len() >= MAX_ADDRESSES && !self.arrival_times.contains_key(&address) {
            self.arrival_times.retain(|_, arrival_time| *arrival_time > now);
            if self.arrival_times.len() >= MAX_ADDRESSES {
                return SHARED;
            }
        }
        address
    }
}

/// Returns the key of an address: one customer usually has an IPv6 network of 64 bits.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            const NETWORK: u128 = u128::MAX << 64;
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(times: u32) -> RateLimit {
        RateLimit::per_minute(NonZeroU32::new(times).unwrap())
    }

    fn v4(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_burst_is_allowed_and_then_a_constant_rate() {
        let (mut limit, start) = (limit(60), Instant::now());
        for _ in 0..60 {
            assert_eq!(limit.check(v4(1), start), Ok(()));
        }
        assert_eq!(limit.check(v4(1), start), Err(Duration::from_secs(1)));
        assert_eq!(limit.check(v4(2), start), Ok(()));
        let later = start + Duration::from_secs(1);
        assert_eq!(limit.check(v4(1), later), Ok(()));
        assert_eq!(limit.check(v4(1), later), Err(Duration::from_secs(1)));
        let idle = start + PERIOD * 3;
        assert!((0..60).all(|_| limit.check(v4(1), idle).is_ok()));
    }

    #[test]
    fn the_wait_is_known_before_a_request_is_counted() {
        let (mut limit, start) = (limit(2), Instant::now());
        for _ in 0..2 {
            assert_eq!(limit.wait(v4(1), start), None);
            assert_eq!(limit.check(v4(1), start), Ok(()));
        }
        let wait = limit.wait(v4(1), start);
        assert_eq!(wait, limit.check(v4(1), start).err());
        assert_eq!(wait, Some(Duration::from_secs(30)));
        assert_eq!(limit.wait(v4(2), start), None);
        assert_eq!(limit.wait(v4(1), start + Duration::from_secs(30)), None);
        assert_eq!(limit.wait(v4(1), start + PERIOD * 3), None, "an idle address has no wait");
    }

    #[test]
    fn addresses_of_an_ipv6_network_share_a_limit() {
        let (mut limit, now) = (limit(1), Instant::now());
        assert!(limit.check("2001:db8::1".parse().unwrap(), now).is_ok());
        assert!(limit.check("2001:db8::2".parse().unwrap(), now).is_err());
        assert!(limit.check("2001:db8:0:1::2".parse().unwrap(), now).is_ok());
    }

    #[test]
    fn addresses_beyond_the_capacity_share_an_entry() {
        let (mut limit, now) = (limit(2), Instant::now());
        for number in 0..MAX_ADDRESSES as u32 {
            assert!(limit.check(v4(number), now).is_ok());
        }
        let beyond = MAX_ADDRESSES as u32;
        assert!(limit.check(v4(beyond), now).is_ok() && limit.check(v4(beyond + 1), now).is_ok());
        assert!(limit.check(v4(beyond + 2), now).is_err(), "addresses beyond the capacity share an entry");
        assert!(limit.check(v4(0), now).is_ok(), "existing entries remain");
        assert!(limit.arrival_times.len() <= MAX_ADDRESSES + 1);
        let later = now + PERIOD;
        assert!(limit.check(v4(beyond + 2), later).is_ok());
        assert!(limit.arrival_times.len() <= 2, "expired entries are removed");
    }
}
