//! Messages of a response, until their lines are put into the log.

use webpubsub_client::history::{HistoryMessage, MessageNumber};
use webpubsub_protocol::{message::Response, payload::Payload};

/// Message of a response.
#[derive(Debug)]
pub(super) struct LoadedMessage {
    pub(super) source: u16,
    pub(super) sequence_id: u64,
    pub(super) payload: Payload<'static>,
    pub(super) published_ms: f64,
    pub(super) number: MessageNumber,
}

impl LoadedMessage {
    /// Returns the message of a record; `None` if it is no group message.
    pub(super) fn new(source: u16, message: HistoryMessage<'_>) -> Option<Self> {
        let HistoryMessage { message, published_ms, number } = message;
        let Response::GroupMessage { payload, sequence: Some(sequence), .. } = message else { return None };
        // Times of messages are exact in 64-bit floats for the next 280,000 years.
        let published_ms = published_ms as f64;
        Some(Self { source, sequence_id: sequence.id, payload: payload.into_owned(), published_ms, number })
    }
}

/// Returns the first lines of a text.
pub(super) fn first_lines(text: &str, count: u32) -> &str {
    let ends = text.match_indices('\n').map(|(at, _)| at);
    let end = usize::try_from(count).ok().and_then(|count| ends.into_iter().nth(count.checked_sub(1)?));
    text.get(..end.unwrap_or(if count == 0 { 0 } else { text.len() })).unwrap_or_default()
}

/// Returns a text without its first lines.
pub(super) fn rest_of_lines(text: &str, count: u32) -> &str {
    let first = first_lines(text, count);
    if count == 0 { text } else { text.get(first.len() + 1..).unwrap_or_default() }
}
