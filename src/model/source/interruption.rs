//! Interruptions of a connection, and the notices about the lines that are missing after them.

use crate::model::{duration::duration_text, grouped_number::counted, local_time::LocalTime};

/// Interruption of one connection, from the loss until it is known whether lines are missing.
///
/// An interruption leaves at most one notice, before the first line after it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Interruption {
    /// The connection was not interrupted since the last line.
    #[default]
    None,
    /// The connection is lost, and may still recover.
    Lost { at: LocalTime },
    /// A new connection took the place of the lost one and joins its groups: lines are missing, and nobody knows how many.
    Rejoining { lost_at: LocalTime },
    /// The connection recovered: nothing is missing, unless a gap in the numbers of the messages shows otherwise.
    Recovered { lost_at: LocalTime, at: LocalTime },
    /// A new connection loads what was missed.
    Filling { lost_at: LocalTime },
    /// The notice is in the log.
    Reported,
}

impl Interruption {
    /// The connection was lost. Repeated losses before it works again are one interruption.
    pub(super) fn lost(&mut self, now: LocalTime) {
        *self = match *self {
            Self::Rejoining { lost_at } | Self::Filling { lost_at } => Self::Rejoining { lost_at },
            Self::Lost { at } => Self::Lost { at },
            Self::None | Self::Recovered { .. } | Self::Reported => Self::Lost { at: now },
        };
    }

    /// The connection recovered, with everything that was sent meanwhile.
    pub(super) fn recovered(&mut self, now: LocalTime) {
        if let Self::Lost { at } = *self {
            *self = Self::Recovered { lost_at: at, at: now };
        }
    }

    /// A new connection took the place of a lost one.
    pub(super) fn replaced(&mut self) {
        if let Self::Lost { at } = *self {
            *self = Self::Rejoining { lost_at: at };
        }
    }

    /// The connection joined a group. Returns the notice that the interruption leaves.
    pub(super) fn joined(&mut self, now: LocalTime) -> Option<String> {
        let Self::Rejoining { lost_at } = *self else { return None };
        *self = Self::Reported;
        Some(notice(lost_at, now, None))
    }

    /// The connection received a message. Returns the notice to put before it.
    pub(super) fn message_received(&mut self, now: LocalTime) -> Option<String> {
        match *self {
            // The usual case, for thousands of messages a second. None arrives on a lost connection.
            Self::None | Self::Lost { .. } | Self::Filling { .. } => None,
            Self::Rejoining { lost_at } => {
                *self = Self::None;
                Some(notice(lost_at, now, None))
            }
            Self::Recovered { .. } | Self::Reported => {
                *self = Self::None;
                None
            }
        }
    }

    /// What was missed is loading.
    pub(super) fn filling(&mut self) {
        if let Self::Rejoining { lost_at } = *self {
            *self = Self::Filling { lost_at };
        }
    }

    /// What was missed could not be loaded. Returns the notice that the interruption leaves.
    pub(super) fn not_filled(&mut self, now: LocalTime) -> Option<String> {
        let Self::Filling { lost_at } = *self else { return None };
        *self = Self::None;
        Some(notice(lost_at, now, None))
    }

    /// As many messages were missed, and cannot be loaded any more. Returns the notice about them.
    pub(super) fn missing(&self, messages: u64, now: LocalTime) -> String {
        let text = match *self {
            Self::Filling { lost_at } => notice(lost_at, now, Some(messages)),
            _ => missing(messages),
        };
        format!("{text}, because the server no longer keeps them")
    }

    /// The server was restarted, and knows nothing of the messages before. Returns the notice about them.
    pub(super) fn restarted(&self, now: LocalTime) -> String {
        const RESTARTED: &str = "server was restarted: the number of missing lines is unknown";
        match *self {
            Self::Filling { lost_at } => format!("{}, and the {RESTARTED}", lost(lost_at, now)),
            _ => format!("The {RESTARTED}"),
        }
    }

    /// Messages are missing before the next one. Returns the notice about them, unless there is one that covers them.
    pub(super) fn gap(&mut self, messages: u64, now: LocalTime) -> Option<String> {
        let notice = match *self {
            Self::Recovered { lost_at, at } => notice(lost_at, at, Some(messages)),
            Self::Rejoining { lost_at } | Self::Filling { lost_at } => notice(lost_at, now, None),
            Self::None | Self::Lost { .. } => missing(messages),
            Self::Reported => return None,
        };
        *self = Self::Reported;
        Some(notice)
    }
}

/// Returns the notice about an interruption after which `messages` are missing, `None` if their count is unknown.
fn notice(lost_at: LocalTime, restored_at: LocalTime, messages: Option<u64>) -> String {
    let consequence = messages.map_or_else(|| "the number of missing lines is unknown".to_owned(), missing);
    format!("{}: {consequence}", lost(lost_at, restored_at))
}

fn lost(lost_at: LocalTime, restored_at: LocalTime) -> String {
    let duration = duration_text(restored_at.unix_ms - lost_at.unix_ms);
    format!("Connection lost for {duration} ({})", period_text(lost_at, restored_at))
}

fn missing(messages: u64) -> String {
    let verb = if messages == 1 { "is" } else { "are" };
    format!("{} {verb} missing", counted(messages, "message", "messages"))
}

/// Formats a period: `16:02:19 to 16:03:02`, `at 16:02:19` within a second.
fn period_text(from: LocalTime, to: LocalTime) -> String {
    let (start, end) = (from.time_of_day(), to.time_of_day());
    match to.days_since(from) {
        // Less than none after the clock was set back.
        ..=0 if start == end => format!("at {start}"),
        ..=0 => format!("{start} to {end}"),
        1 => format!("{start} to {end} the next day"),
        days => format!("{start} to {end}, {days} days later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 16:02:19 in UTC on some day.
    const LOST: LocalTime = LocalTime { unix_ms: 1_700_064_139_000.0, offset_minutes: 0 };

    fn after(seconds: f64) -> LocalTime {
        LocalTime { unix_ms: LOST.unix_ms + seconds * 1_000.0, ..LOST }
    }

    fn lost() -> Interruption {
        Interruption::Lost { at: LOST }
    }

    #[test]
    fn a_period_names_the_day_of_its_end_if_it_is_another() {
        for (seconds, text) in [
            (0.5, "at 16:02:19"),
            (43.0, "16:02:19 to 16:03:02"),
            (43_200.0, "16:02:19 to 04:02:19 the next day"),
            (86_400.0 * 3.0, "16:02:19 to 16:02:19, 3 days later"),
        ] {
            assert_eq!(period_text(LOST, after(seconds)), text);
        }
    }

    #[test]
    fn an_interruption_in_which_the_clock_was_set_back_has_no_negative_duration() {
        let mut interruption = lost();
        interruption.replaced();
        let notice = interruption.joined(after(-3_600.0)).unwrap();
        assert!(
            notice.starts_with("Connection lost for less than a second (16:02:19 to 15:02:19): "),
            "{notice}"
        );
    }

    #[test]
    fn a_new_connection_leaves_a_notice_once_it_has_joined() {
        let mut interruption = lost();
        interruption.lost(after(20.0));
        interruption.replaced();
        assert_eq!(
            interruption.joined(after(43.0)).as_deref(),
            Some("Connection lost for 43 s (16:02:19 to 16:03:02): the number of missing lines is unknown")
        );
        assert_eq!(interruption.joined(after(43.0)), None, "of another group");
        assert_eq!(interruption.gap(2, after(43.0)), None, "the notice covers it");
        assert_eq!(interruption.message_received(after(44.0)), None);
        assert_eq!(interruption, Interruption::None);
    }

    #[test]
    fn a_recovered_connection_leaves_a_notice_only_if_messages_are_missing() {
        let mut interruption = lost();
        interruption.recovered(after(43.0));
        assert_eq!(
            interruption.gap(412, after(50.0)).as_deref(),
            Some("Connection lost for 43 s (16:02:19 to 16:03:02): 412 messages are missing")
        );
        let mut interruption = lost();
        interruption.recovered(after(43.0));
        assert_eq!(interruption.message_received(after(50.0)), None);
        let later = interruption.gap(1, after(60.0));
        assert_eq!(later.as_deref(), Some("1 message is missing"), "it belongs to no interruption");
    }

    #[test]
    fn a_message_before_the_group_is_joined_comes_after_the_notice() {
        let mut interruption = lost();
        interruption.replaced();
        let notice = interruption.message_received(after(0.1)).unwrap();
        assert!(notice.starts_with("Connection lost for less than a second (at 16:02:19): "), "{notice}");
        assert_eq!(interruption.joined(after(1.0)), None);
    }

    #[test]
    fn a_new_connection_that_is_lost_before_it_has_joined_belongs_to_the_same_interruption() {
        let mut interruption = lost();
        interruption.replaced();
        interruption.lost(after(10.0));
        interruption.recovered(after(20.0));
        interruption.replaced();
        let notice = interruption.joined(after(43.0)).unwrap();
        assert!(notice.starts_with("Connection lost for 43 s"), "{notice}");
    }
}
