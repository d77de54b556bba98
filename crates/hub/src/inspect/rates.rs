//! Message rates between two snapshots.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use super::snapshot::ServiceSnapshot;
use crate::hub::HubSnapshot;

/// Shortest interval that a rate is computed over: two snapshots at the same instant must not divide by zero.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// Messages per second, of one hub or of all.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    /// From clients.
    pub(super) received: f64,
    /// To clients.
    pub(super) delivered: f64,
}

/// Message rates of each hub.
#[derive(Debug, Default)]
pub(super) struct Rates {
    last: HashMap<String, Totals>,
    per_second: HashMap<String, Rate>,
}

#[derive(Debug)]
struct Totals {
    at: SystemTime,
    received: u64,
    delivered: u64,
}

impl Rates {
    /// Computes the rates since the last snapshot, of the hubs that still exist.
    pub(super) fn update(&mut self, snapshot: &ServiceSnapshot, now: SystemTime) {
        let last = std::mem::take(&mut self.last);
        self.per_second.clear();
        for hub in &snapshot.hubs {
            let totals = Totals { at: now, received: hub.received, delivered: hub.delivered };
            self.last.insert(hub.name.clone(), totals);
            if let Some(last) = last.get(&hub.name) {
                self.per_second.insert(hub.name.clone(), last.rate_until(hub, now));
            }
        }
    }

    /// Returns the rate of a hub; `None` before its second snapshot.
    pub(super) fn of(&self, hub: &str) -> Option<Rate> {
        self.per_second.get(hub).copied()
    }

    /// Returns the sum of all rates; `None` before the second snapshot.
    pub(super) fn total(&self) -> Option<Rate> {
        self.per_second.values().copied().reduce(|one, other| Rate {
            received: one.received + other.received,
            delivered: one.delivered + other.delivered,
        })
    }
}

impl Totals {
    fn rate_until(&self, hub: &HubSnapshot, now: SystemTime) -> Rate {
        let elapsed = now.duration_since(self.at).unwrap_or_default().max(SHORTEST_INTERVAL).as_secs_f64();
        let per_second = |now: u64, then: u64| now.saturating_sub(then) as f64 / elapsed;
        Rate {
            received: per_second(hub.received, self.received),
            delivered: per_second(hub.delivered, self.delivered),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(totals: &[(&str, u64, u64)]) -> ServiceSnapshot {
        let hubs = totals.iter().map(|(name, received, delivered)| HubSnapshot {
            name: (*name).to_owned(),
            received: *received,
            delivered: *delivered,
            ..HubSnapshot::default()
        });
        ServiceSnapshot { hubs: hubs.collect(), selected: None }
    }

    #[test]
    fn rates_are_differences_over_the_elapsed_time_and_unknown_at_first() {
        let (mut rates, start) = (Rates::default(), SystemTime::UNIX_EPOCH);
        rates.update(&snapshot(&[("a", 10, 100), ("b", 0, 0)]), start);
        assert_eq!((rates.of("a"), rates.total()), (None, None));
        rates.update(&snapshot(&[("a", 14, 100), ("b", 2, 8)]), start + Duration::from_secs(2));
        assert_eq!(rates.of("a"), Some(Rate { received: 2.0, delivered: 0.0 }));
        assert_eq!(rates.total(), Some(Rate { received: 3.0, delivered: 4.0 }));
        rates.update(&snapshot(&[("b", 2, 8)]), start + Duration::from_secs(3));
        assert_eq!(rates.total(), Some(Rate::default()));
    }

    #[test]
    fn a_clock_that_stands_still_or_a_hub_that_starts_again_yields_finite_rates() {
        let (mut rates, start) = (Rates::default(), SystemTime::UNIX_EPOCH);
        rates.update(&snapshot(&[("a", 10, 10)]), start);
        rates.update(&snapshot(&[("a", 11, 0)]), start);
        assert_eq!(rates.of("a"), Some(Rate { received: 1000.0, delivered: 0.0 }));
    }
}
