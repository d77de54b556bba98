//! Wall clock, read where a request arrives.

use std::time::{SystemTime, UNIX_EPOCH};

use webpubsub_protocol::token::UnixTime;

/// Returns the current time, for the validation of tokens.
pub(crate) fn unix_time() -> UnixTime {
    // With a clock before 1970 every token is expired or not yet valid, never valid for ever.
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
}
