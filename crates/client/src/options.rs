//! How a client behaves.

use std::time::Duration;

use webpubsub_protocol::name::GroupName;

/// Settings of a client. The default joins no group and never gives up.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Groups to join on each new connection.
    pub groups: Vec<GroupName>,
    /// Stop when no connection could be made for this long. `None`: never.
    pub give_up_after: Option<Duration>,
    /// Stop at once when the first connection fails for a reason that waiting does not mend
    /// ([`ConnectFailure::may_pass`](crate::ConnectFailure::may_pass)): a program that someone just started had
    /// better say so than try.
    pub stop_on_lasting_failure: bool,
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
        self.groups.push(group);
        self
    }
}
