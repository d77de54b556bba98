//! Earlier messages: how many are loaded at a time, and the row above the first line.

use webpubsub_client::{HistoryRange, HistoryStart};

pub mod top_row;

/// Messages that a source loads first, at most.
pub const FIRST_MESSAGES: u64 = 200_000;
/// Size of the messages that all sources load first, in bytes.
pub const FIRST_BYTES: u64 = 16 * 1024 * 1024;
/// Messages that are loaded at a time when the user scrolls up.
pub const EARLIER_MESSAGES: u64 = 20_000;
/// Size of these messages, in bytes.
pub const EARLIER_BYTES: u64 = 2 * 1024 * 1024;

/// Returns the range that a source loads first. All `sources` share the size.
#[must_use]
pub fn first_range(sources: usize) -> HistoryRange {
    let share = FIRST_BYTES / u64::try_from(sources.max(1)).unwrap_or(1);
    HistoryRange { start: HistoryStart::Last(FIRST_MESSAGES), before: None, max_bytes: Some(share) }
}

/// Returns the range before the message `before` that is loaded when the user scrolls up.
#[must_use]
pub fn earlier_range(before: u64) -> HistoryRange {
    HistoryRange {
        start: HistoryStart::Last(EARLIER_MESSAGES),
        before: Some(before),
        max_bytes: Some(EARLIER_BYTES),
    }
}
