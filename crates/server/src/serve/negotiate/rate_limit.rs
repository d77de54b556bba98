//! How often one address may ask. Knows no clock: the time comes in.
//!
//! The generic cell rate algorithm (ITU-T I.371): of each address one moment is kept, that at which it will have used up
//! nothing. An address whose moment has passed is as good as one that never came, so it need not be kept.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::{Duration, Instant},
};

/// Most addresses that are kept, of some 50 bytes each. When as many are busy, all further ones are counted as one: whoever
/// has that many addresses does not get more by having them.
const MAX_ADDRESSES: usize = 16_384;
/// What is allowed within a minute may also be asked for at once: a room full of pages comes back when a server does.
const PERIOD: Duration = Duration::from_secs(60);

/// The table.
#[derive(Debug)]
pub(super) struct RateLimit {
    /// What one request uses up.
    cost: Duration,
    fresh_at: HashMap<IpAddr, Instant>,
}

impl RateLimit {
    pub(super) fn per_minute(limit: NonZeroU32) -> Self {
        Self { cost: PERIOD / limit.get(), fresh_at: HashMap::new() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// When there were too many: how long to wait. It is not counted then.
    pub(super) fn admit(&mut self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let key = self.place_for(counted_as(address), now);
        let fresh_at = self.fresh_at.get(&key).copied().unwrap_or(now).max(now) + self.cost;
        let over = (fresh_at - now).saturating_sub(PERIOD);
        if over > Duration::ZERO {
            return Err(over);
        }
        self.fresh_at.insert(key, fresh_at);
        Ok(())
    }

    /// The entry that `address` is counted in.
    fn place_for(&mut self, address: IpAddr, now: Instant) -> IpAddr {
        /// No client has it (RFC 6890), so it stands for those that found no place.
        const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        if self.fresh_at.len() >= MAX_ADDRESSES && !self.fresh_at.contains_key(&address) {
            self.fresh_at.retain(|_, fresh_at| *fresh_at > now);
            if self.fresh_at.len() >= MAX_ADDRESSES {
                return OTHERS;
            }
        }
        address
    }
}

/// A subscriber of IPv6 has a whole /64 of addresses.
fn counted_as(address: IpAddr) -> IpAddr {
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
    fn a_burst_is_allowed_and_then_a_steady_rate() {
        let (mut limit, start) = (limit(60), Instant::now());
        for _ in 0..60 {
            assert_eq!(limit.admit(v4(1), start), Ok(()));
        }
        assert_eq!(limit.admit(v4(1), start), Err(Duration::from_secs(1)));
        assert_eq!(limit.admit(v4(2), start), Ok(()));
        let later = start + Duration::from_secs(1);
        assert_eq!(limit.admit(v4(1), later), Ok(()));
        assert_eq!(limit.admit(v4(1), later), Err(Duration::from_secs(1)));
        let rested = start + PERIOD * 3;
        assert!((0..60).all(|_| limit.admit(v4(1), rested).is_ok()));
    }

    #[test]
    fn a_network_of_ipv6_is_one_asker() {
        let (mut limit, now) = (limit(1), Instant::now());
        assert!(limit.admit("2001:db8::1".parse().unwrap(), now).is_ok());
        assert!(limit.admit("2001:db8::2".parse().unwrap(), now).is_err());
        assert!(limit.admit("2001:db8:0:1::2".parse().unwrap(), now).is_ok());
    }

    #[test]
    fn a_full_table_keeps_its_size_and_its_promises() {
        let (mut limit, now) = (limit(2), Instant::now());
        for number in 0..MAX_ADDRESSES as u32 {
            assert!(limit.admit(v4(number), now).is_ok());
        }
        let beyond = MAX_ADDRESSES as u32;
        assert!(limit.admit(v4(beyond), now).is_ok() && limit.admit(v4(beyond + 1), now).is_ok());
        assert!(limit.admit(v4(beyond + 2), now).is_err(), "those beyond share one place");
        assert!(limit.admit(v4(0), now).is_ok(), "those inside keep theirs");
        assert!(limit.fresh_at.len() <= MAX_ADDRESSES + 1);
        let later = now + PERIOD;
        assert!(limit.admit(v4(beyond + 2), later).is_ok());
        assert!(limit.fresh_at.len() <= 2, "who has rested is forgotten");
    }
}
