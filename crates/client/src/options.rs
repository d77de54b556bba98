//! Options of a client.

use std::time::Duration;

use webpubsub_protocol::{name::GroupName, subprotocol::Subprotocol};

use crate::{
    codec::is_supported,
    limits::{Limits, Timeouts},
};

/// Settings of a client. The default prefers the reliable subprotocol, joins no group and retries until it
/// is stopped or [refused](crate::ConnectFailure#temporary-and-permanent-failures).
#[derive(Debug, Clone)]
pub struct ClientOptions {
    pub(crate) groups: Vec<GroupName>,
    pub(crate) subprotocols: Vec<Subprotocol>,
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) stop_on_lasting_failure: bool,
    pub(crate) rejoins: bool,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            subprotocols: vec![Subprotocol::ReliableJson, Subprotocol::Json],
            give_up_after: None,
            stop_on_lasting_failure: false,
            rejoins: true,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

impl ClientOptions {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also joins `group` on each new connection.
    #[must_use]
    pub fn join(mut self, group: GroupName) -> Self {
        if !self.groups.contains(&group) {
            self.groups.push(group);
        }
        self
    }

    /// Offers `subprotocol` before all others. The default offer is the reliable JSON form, then the plain one; the
    /// service chooses the first that it knows. The binary forms need the feature `protobuf`; without it, they are not
    /// offered.
    #[must_use]
    pub fn prefer(mut self, subprotocol: Subprotocol) -> Self {
        self.subprotocols.retain(|other| *other != subprotocol);
        if is_supported(subprotocol) {
            self.subprotocols.insert(0, subprotocol);
        }
        self
    }

    /// Offers nothing but `subprotocol`: where the service does not speak it, connecting fails. One that this build
    /// does not speak changes nothing.
    #[must_use]
    pub fn only(mut self, subprotocol: Subprotocol) -> Self {
        if is_supported(subprotocol) {
            self.subprotocols = vec![subprotocol];
        }
        self
    }

    /// Sets the sizes of the queues. Those that no client works with are replaced by the nearest ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits.checked();
        self
    }

    /// Sets the times.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Stops when there was no connection for `limit`. The default has no limit.
    #[must_use]
    pub fn give_up_after(mut self, limit: Duration) -> Self {
        self.give_up_after = Some(limit);
        self
    }

    /// Also stops at once when the first connection fails for a reason other than a refusal that waiting does not mend
    /// ([`ConnectFailure::may_pass`](crate::ConnectFailure::may_pass)), such as an answer without a URL: a program that
    /// was just started reports a wrong address instead of retrying. A client that is refused stops without this option
    /// too: see [`ConnectFailure`](crate::ConnectFailure#temporary-and-permanent-failures).
    #[must_use]
    pub fn stop_on_lasting_failure(mut self) -> Self {
        self.stop_on_lasting_failure = true;
        self
    }

    /// Does not join groups again on a new connection, unless they are those of [`Self::join`].
    #[must_use]
    pub fn without_rejoining(mut self) -> Self {
        self.rejoins = false;
        self
    }

    /// Sets the pauses between attempts to connect. Each is about twice the last, from `first` to `longest`. The defaults are
    /// [`FIRST_PAUSE`](crate::FIRST_PAUSE) and [`LONGEST_PAUSE`](crate::LONGEST_PAUSE).
    #[must_use]
    pub fn retry_pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.timeouts.first_retry_pause, self.timeouts.longest_retry_pause) = (first, longest);
        self
    }

    /// Sets the time without a frame after which the service is pinged, and the time that its answer may take; `None` for never.
    /// The defaults are [`PING_INTERVAL`](crate::PING_INTERVAL) and [`PONG_TIMEOUT`](crate::PONG_TIMEOUT).
    #[must_use]
    pub fn keep_alive(mut self, ping_interval: Option<Duration>, pong_timeout: Option<Duration>) -> Self {
        (self.timeouts.ping_interval, self.timeouts.pong_timeout) = (ping_interval, pong_timeout);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reliable_form_is_offered_first_and_a_preference_goes_before_it() {
        let offered = |options: ClientOptions| options.subprotocols;
        assert_eq!(offered(ClientOptions::new()), [Subprotocol::ReliableJson, Subprotocol::Json]);
        let plain_first = ClientOptions::new().prefer(Subprotocol::Json);
        assert_eq!(offered(plain_first), [Subprotocol::Json, Subprotocol::ReliableJson]);
        let binary = offered(ClientOptions::new().prefer(Subprotocol::ReliableProtobuf));
        assert_eq!(binary.first() == Some(&Subprotocol::ReliableProtobuf), cfg!(feature = "protobuf"));
    }
}
