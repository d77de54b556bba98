//! Recovery of a lost connection, on a new WebSocket.
//!
//! The service keeps a lost reliable connection for at least [`RECOVERY_WINDOW`]: its groups, the ids of the requests it
//! carried out, and what it could not deliver. So nothing is lost and nothing happens twice.
//!
//! Source: client specification, "Recovery".

use std::time::Duration;

use crate::{connection::Connection, failure::Disconnect, moment::Moment};

/// Time in which a lost connection can be recovered.
pub const RECOVERY_WINDOW: Duration = Duration::from_secs(30);
/// Around how long after the beginning of one attempt the next one begins. The official clients use the same, so a
/// restarting service meets no new load pattern.
pub const RECOVERY_RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long each step of an attempt may take: opening the WebSocket, and hearing something on it.
pub const RECOVERY_STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// A lost connection, and what is being done about it.
#[derive(Debug)]
pub(crate) struct Recovering {
    pub(crate) connection: Box<Connection>,
    pub(crate) reason: Disconnect,
    pub(crate) give_up_at: Moment,
    /// When the present or last attempt began.
    pub(crate) began_at: Moment,
    pub(crate) step: Step,
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// None is under way.
    Waiting { retry_at: Moment },
    /// A WebSocket is being opened.
    Opening(StepLimit),
    /// It is open, and was asked for a sign of life. Only that proves that the connection lives: an open socket alone
    /// has been seen to be dead after a long sleep.
    Proving(StepLimit),
}

/// Time limit of a step of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StepLimit {
    pub(crate) give_up_at: Moment,
    pub(crate) duration: Duration,
}

impl Recovering {
    pub(crate) fn deadline(&self) -> Moment {
        let (Step::Waiting { retry_at: at }
        | Step::Opening(StepLimit { give_up_at: at, .. })
        | Step::Proving(StepLimit { give_up_at: at, .. })) = self.step;
        at.min(self.give_up_at)
    }
}
