//! Clocks, read where a request arrives: all else takes the time as a parameter.

use std::{
    convert::Infallible,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{extract::FromRequestParts, http::request::Parts};
use tokio::time::Instant;
use webpubsub_protocol::token::UnixTime;

/// Time at which a request arrived, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// For intervals.
    pub(crate) instant: Instant,
    /// Time of day.
    pub(crate) time: SystemTime,
    /// Time of day, for the validation of tokens.
    pub(crate) unix_time: UnixTime,
}

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // With a clock before 1970 every token is expired or not yet valid, never valid for ever.
        let time = SystemTime::now();
        let since_epoch = time.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
        Ok(Self { instant: Instant::now(), time, unix_time: UnixTime(since_epoch) })
    }
}
