//! Service to client.

use super::{
    MalformedMessage, data,
    schema::{Downstream, DownstreamData, Error, StreamPlace, System},
    usual,
    wire::{
        Message, put_bytes, put_delimited_head, put_message, put_number, put_number_unless_0,
        put_optional_text, put_text_unless_empty, varint_len,
    },
};
use crate::{
    message::{AckError, GroupStateItem, Metadata, Response, Sequence},
    payload::Payload,
    stream::{StreamError, StreamInfo},
};

/// Reads one response; `None` for a kind that this version does not know.
///
/// # Errors
/// [`MalformedMessage`].
pub fn decode_response(frame: &[u8]) -> Result<Option<Response<'_>>, MalformedMessage> {
    match usual::decode_response(frame) {
        Some(response) => Ok(Some(response)),
        None => decode_generally(frame),
    }
}

pub(super) fn decode_generally(frame: &[u8]) -> Result<Option<Response<'_>>, MalformedMessage> {
    Ok(match Downstream::read(frame)? {
        Downstream::Unknown | Downstream::System(System::Unknown) => None,
        Downstream::Ack(ack) => Some(Response::Ack {
            ack_id: ack.ack_id,
            outcome: if ack.success { Ok(()) } else { Err(read_error(&ack.error.unwrap_or_default())) },
        }),
        Downstream::Pong(_) => Some(Response::Pong),
        Downstream::InvokeResponse(answer) => {
            let outcome = match answer.success {
                true => Ok(data::read(answer.data)?),
                false => Err(read_error(&answer.error.unwrap_or_default())),
            };
            Some(Response::InvokeResponse { invocation_id: answer.invocation_id.to_owned(), outcome })
        }
        Downstream::StreamAck(ack) => Some(Response::StreamAck {
            stream_id: ack.stream_id.to_owned(),
            expected_sequence_id: ack.expected_sequence_id,
        }),
        Downstream::StreamNack(nack) => Some(Response::StreamNack {
            stream_id: nack.stream_id.to_owned(),
            expected_sequence_id: nack.expected_sequence_id,
            error: AckError { name: nack.name.to_owned(), message: nack.message.to_owned() },
        }),
        Downstream::StreamClosed(closed) => Some(Response::StreamClosed {
            stream_id: closed.stream_id.to_owned(),
            error: closed.error.as_ref().map(read_error),
        }),
        Downstream::System(System::Connected(connected)) => Some(Response::Connected {
            connection_id: connected.connection_id.to_owned(),
            user_id: Some(connected.user_id).filter(|user| !user.is_empty()).map(str::to_owned),
            reconnection_token: connected.reconnection_token.map(str::to_owned),
            run_id: connected.run_id.map(str::to_owned),
        }),
        Downstream::System(System::Disconnected(disconnected)) => {
            Some(Response::Disconnected { message: disconnected.reason.to_owned() })
        }
        Downstream::Data(message) => read_message(message)?,
    })
}

fn read_message(message: DownstreamData<'_>) -> Result<Option<Response<'_>>, MalformedMessage> {
    let Some(payload) = data::read(message.data)? else { return Ok(None) };
    let metadata = data::read_metadata(&message.metadata)?;
    let count = message.delivery_count;
    let sequence = message.sequence_id.map(|id| Sequence { id, count });
    Ok(match message.from {
        "group" => Some(Response::GroupMessage {
            group: message.group.ok_or(MalformedMessage::Missing { part: "group" })?.into(),
            from_user_id: None,
            payload,
            sequence,
            metadata,
            stream: message.stream.map(read_stream_place),
        }),
        "server" => Some(Response::ServerMessage { payload, sequence, metadata }),
        _ => None,
    })
}

fn read_error(error: &Error<'_>) -> AckError {
    AckError { name: error.name.to_owned(), message: error.message.to_owned() }
}

fn read_stream_place(place: StreamPlace<'_>) -> StreamInfo {
    StreamInfo {
        stream_id: place.stream_id.to_owned(),
        stream_sequence_id: place.stream_sequence_id,
        end_of_stream: place.end_of_stream,
        error: place.error.map(|error| StreamError {
            name: error.name.to_owned(),
            message: error.message.map(str::to_owned),
            user_error_code: error.user_error_code.map(str::to_owned),
        }),
    }
}

/// Writes one response. This form has no sender of a group message.
#[must_use]
pub fn encode_response(response: &Response<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    append_response(&mut out, response);
    out
}

/// The same, behind what is in `out`.
pub fn append_response(out: &mut Vec<u8>, response: &Response<'_>) {
    if !usual::append_message(out, response) {
        out.extend(encode_generally(response));
    }
}

pub(super) fn encode_generally(response: &Response<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    let out = &mut frame;
    match response {
        Response::Connected { connection_id, user_id, reconnection_token, run_id } => {
            put_message(out, 3, |system| {
                put_message(system, 1, |connected| {
                    put_text_unless_empty(connected, 1, connection_id);
                    put_text_unless_empty(connected, 2, user_id.as_deref().unwrap_or_default());
                    put_optional_text(connected, 3, reconnection_token.as_deref());
                    put_optional_text(connected, 15, run_id.as_deref());
                });
            })
        }
        Response::Disconnected { message } => put_message(out, 3, |system| {
            put_message(system, 2, |disconnected| put_text_unless_empty(disconnected, 2, message));
        }),
        Response::Ack { ack_id, outcome } => put_message(out, 1, |ack| {
            put_number_unless_0(ack, 1, *ack_id);
            put_number_unless_0(ack, 2, u64::from(outcome.is_ok()));
            put_error(ack, 3, outcome.as_ref().err());
        }),
        Response::GroupMessage { group, payload, sequence, metadata, stream, .. } => {
            put_message(out, DATA_MESSAGE, |message| {
                put_bytes(message, 1, b"group");
                put_bytes(message, 2, group.as_bytes());
                put_message_rest(message, payload, *sequence, metadata);
                if let Some(stream) = stream {
                    put_stream_place(message, 6, stream);
                }
                put_delivery_count(message, *sequence);
            });
        }
        Response::ServerMessage { payload, sequence, metadata } => {
            put_message(out, DATA_MESSAGE, |message| {
                put_bytes(message, 1, b"server");
                put_message_rest(message, payload, *sequence, metadata);
                put_delivery_count(message, *sequence);
            })
        }
        Response::StreamAck { stream_id, expected_sequence_id } => put_message(out, 6, |ack| {
            put_text_unless_empty(ack, 1, stream_id);
            put_number_unless_0(ack, 2, *expected_sequence_id);
        }),
        Response::StreamNack { stream_id, expected_sequence_id, error } => put_message(out, 7, |nack| {
            put_text_unless_empty(nack, 1, stream_id);
            put_text_unless_empty(nack, 2, &error.name);
            put_text_unless_empty(nack, 3, &error.message);
            put_number_unless_0(nack, 4, *expected_sequence_id);
        }),
        Response::StreamClosed { stream_id, error } => put_message(out, 8, |closed| {
            put_text_unless_empty(closed, 1, stream_id);
            put_error(closed, 2, error.as_ref());
        }),
        Response::InvokeResponse { invocation_id, outcome } => put_message(out, 5, |answer| {
            put_text_unless_empty(answer, 1, invocation_id);
            put_number_unless_0(answer, 2, u64::from(outcome.is_ok()));
            if let Ok(Some(payload)) = outcome {
                data::put(answer, 3, payload);
            }
            put_error(answer, 4, outcome.as_ref().err());
        }),
        Response::GroupStates { group, is_snapshot, items } => {
            put_message(out, if *is_snapshot { 10 } else { 9 }, |states| {
                put_text_unless_empty(states, 1, group);
                for item in items {
                    put_message(states, 2, |out| put_state_item(out, item));
                }
            });
        }
        Response::Pong => put_bytes(out, 4, b""),
    }
    frame
}

fn put_state_item(out: &mut Vec<u8>, item: &GroupStateItem) {
    put_text_unless_empty(out, 1, &item.connection_id);
    put_optional_text(out, 2, item.user_id.as_deref());
    if let Some(state) = &item.state {
        put_message(out, 3, |entries| data::put_metadata(entries, 1, state));
    }
    put_number_unless_0(out, 4, item.updated_at);
}

fn put_message_rest(
    out: &mut Vec<u8>,
    payload: &Payload<'_>,
    sequence: Option<Sequence>,
    metadata: &Metadata,
) {
    data::put(out, 3, payload);
    if let Some(Sequence { id, .. }) = sequence {
        put_number(out, SEQUENCE_ID, id);
    }
    data::put_metadata(out, 5, metadata);
}

/// Writes the field that the documentation does not have. Clients that do not know it skip it.
fn put_delivery_count(out: &mut Vec<u8>, sequence: Option<Sequence>) {
    if let Some(count) = sequence.and_then(|sequence| sequence.count) {
        put_number(out, DELIVERY_COUNT, count);
    }
}

fn put_error(out: &mut Vec<u8>, field: u8, error: Option<&AckError>) {
    let Some(AckError { name, message }) = error else { return };
    put_message(out, field, |out| {
        put_text_unless_empty(out, 1, name);
        put_text_unless_empty(out, 2, message);
    });
}

fn put_stream_place(out: &mut Vec<u8>, field: u8, info: &StreamInfo) {
    put_message(out, field, |place| {
        put_text_unless_empty(place, 1, &info.stream_id);
        put_number_unless_0(place, 2, info.stream_sequence_id);
        put_number_unless_0(place, 3, u64::from(info.end_of_stream));
        if let Some(StreamError { name, message, user_error_code }) = &info.error {
            put_message(place, 4, |error| {
                put_text_unless_empty(error, 1, name);
                put_optional_text(error, 2, message.as_deref());
                put_optional_text(error, 3, user_error_code.as_deref());
            });
        }
    });
}

/// A message to many clients that differs in its sequence id alone: what is the same is encoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataMessage {
    /// The fields of the data message, but for the sequence id.
    pub shared: Vec<u8>,
}

/// Number of the data message in a `DownstreamMessage`, and of the sequence id and the delivery count in it.
const DATA_MESSAGE: u8 = 2;
const SEQUENCE_ID: u8 = 4;
const DELIVERY_COUNT: u8 = 15;

impl DataMessage {
    /// The shared part of a group or server message; empty for other responses.
    #[must_use]
    pub fn new(response: &Response<'_>) -> Self {
        // Its own sequence id would be a second one.
        let unsequenced = match response.clone() {
            Response::GroupMessage { group, from_user_id, payload, metadata, stream, .. } => {
                Response::GroupMessage { group, from_user_id, payload, sequence: None, metadata, stream }
            }
            Response::ServerMessage { payload, metadata, .. } => {
                Response::ServerMessage { payload, sequence: None, metadata }
            }
            _ => return Self { shared: Vec::new() },
        };
        let whole = encode_response(&unsequenced);
        let head_len = Self::head_len(whole.len());
        Self { shared: whole.get(head_len..).unwrap_or_default().to_vec() }
    }

    /// What comes before `shared_len` bytes of the shared part, for these numbers.
    #[must_use]
    pub fn head(shared_len: usize, sequence: Sequence) -> Vec<u8> {
        let mut head = Vec::new();
        put_delimited_head(&mut head, DATA_MESSAGE, shared_len + Self::tail(sequence).len());
        head
    }

    /// What comes after the shared part.
    #[must_use]
    pub fn tail(sequence: Sequence) -> Vec<u8> {
        let mut tail = Vec::new();
        put_number(&mut tail, SEQUENCE_ID, sequence.id);
        put_delivery_count(&mut tail, Some(sequence));
        tail
    }

    /// How many bytes of a whole message of `whole_len` are key and length of the data message.
    fn head_len(whole_len: usize) -> usize {
        let key = 1;
        // The length of the length depends on what is left after it: try from the shortest.
        (1..=10)
            .find(|digits| {
                let rest = whole_len.saturating_sub(key + digits);
                varint_len(rest as u64) == *digits
            })
            .map_or(whole_len, |digits| key + digits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::request::tests::vectors, *};

    #[test]
    fn every_recorded_response_is_read_and_written_alike() {
        let mut read = 0;
        for vector in &vectors("down") {
            let bytes = vector.bytes();
            let response = decode_response(&bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
            let Some(response) = response else { continue };
            let again = encode_response(&response);
            let again = decode_response(&again).unwrap();
            assert_eq!(again, Some(response), "{}", vector.name);
            read += 1;
        }
        assert!(read >= 10, "{read}");
    }

    proptest! {
        #[test]
        fn a_shared_message_with_an_id_around_it_reads_as_that_message(
            text in "[a-z]{0,40000}", id in any::<u64>(), count in any::<Option<u64>>(), has_metadata in any::<bool>(),
        ) {
            let metadata: Metadata =
                if has_metadata { [("k".to_owned(), "v".to_owned())].into() } else { Metadata::new() };
            let sequence = Sequence { id, count };
            let message = |sequence| Response::GroupMessage {
                group: "g".into(), from_user_id: None, payload: Payload::Text(text.clone().into()), sequence: Some(sequence),
                metadata: metadata.clone(), stream: None,
            };
            let DataMessage { shared } = DataMessage::new(&message(Sequence::from(7)));
            let head = DataMessage::head(shared.len(), sequence);
            let whole = [head, shared, DataMessage::tail(sequence)].concat();
            prop_assert_eq!(decode_response(&whole).unwrap(), Some(message(sequence)));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in any::<Vec<u8>>()) {
            drop(decode_response(&bytes));
        }
    }
}
