//! Service to client.

use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len},
};

use super::{
    MalformedMessage, data,
    schema::{
        Ack, Connected, Disconnected, Downstream, DownstreamData, DownstreamMessage, Empty, Error, StreamAck,
        StreamClosed, StreamFault, StreamNack, StreamPlace, System, SystemEvent,
    },
    usual,
};
use crate::{
    message::{AckError, Response},
    metadata,
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

pub(super) fn decode_generally(frame: &[u8]) -> Result<Option<Response<'static>>, MalformedMessage> {
    let Some(message) = DownstreamMessage::decode(frame)?.message else { return Ok(None) };
    Ok(match message {
        Downstream::Ack(ack) => Some(Response::Ack {
            ack_id: ack.ack_id,
            outcome: if ack.success { Ok(()) } else { Err(read_error(ack.error.unwrap_or_default())) },
        }),
        Downstream::Pong(Empty {}) => Some(Response::Pong),
        Downstream::StreamAck(StreamAck { stream_id, expected_sequence_id }) => {
            Some(Response::StreamAck { stream_id, expected_sequence_id })
        }
        Downstream::StreamNack(StreamNack { stream_id, name, message, expected_sequence_id }) => {
            Some(Response::StreamNack { stream_id, expected_sequence_id, error: AckError { name, message } })
        }
        Downstream::StreamClosed(StreamClosed { stream_id, error }) => {
            Some(Response::StreamClosed { stream_id, error: error.map(read_error) })
        }
        Downstream::System(System { event: None }) => None,
        Downstream::System(System { event: Some(SystemEvent::Connected(connected)) }) => {
            Some(Response::Connected {
                connection_id: connected.connection_id,
                user_id: Some(connected.user_id).filter(|user| !user.is_empty()),
                reconnection_token: connected.reconnection_token,
            })
        }
        Downstream::System(System { event: Some(SystemEvent::Disconnected(disconnected)) }) => {
            Some(Response::Disconnected { message: disconnected.reason })
        }
        Downstream::Data(message) => {
            let Some(payload) = data::read(message.data)? else { return Ok(None) };
            let metadata = metadata::checked(message.metadata).ok_or(MalformedMessage::Metadata)?;
            let sequence_id = message.sequence_id;
            match message.from.as_str() {
                "group" => Some(Response::GroupMessage {
                    group: message.group.ok_or(MalformedMessage::Missing { part: "group" })?.into(),
                    from_user_id: None,
                    payload,
                    sequence_id,
                    metadata,
                    stream: message.stream.map(read_stream_place),
                }),
                "server" => Some(Response::ServerMessage { payload, sequence_id, metadata }),
                _ => None,
            }
        }
    })
}

fn read_error(Error { name, message }: Error) -> AckError {
    AckError { name, message }
}

fn write_error(error: &AckError) -> Error {
    Error { name: error.name.clone(), message: error.message.clone() }
}

fn read_stream_place(place: StreamPlace) -> StreamInfo {
    let error = place.error.map(|StreamFault { name, message, user_error_code }| StreamError {
        name,
        message,
        user_error_code,
    });
    StreamInfo {
        stream_id: place.stream_id,
        stream_sequence_id: place.stream_sequence_id,
        end_of_stream: place.end_of_stream.unwrap_or(false),
        error,
    }
}

fn write_stream_place(info: &StreamInfo) -> StreamPlace {
    let error = info.error.clone().map(|StreamError { name, message, user_error_code }| StreamFault {
        name,
        message,
        user_error_code,
    });
    StreamPlace {
        stream_id: info.stream_id.clone(),
        stream_sequence_id: info.stream_sequence_id,
        end_of_stream: info.end_of_stream.then_some(true),
        error,
    }
}

/// Writes one response. Who sent a group message is not told in this form, and the documentation has no binary form of
/// an invocation's answer: that is an empty message.
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
    let message = match response {
        Response::Connected { connection_id, user_id, reconnection_token } => Downstream::System(System {
            event: Some(SystemEvent::Connected(Connected {
                connection_id: connection_id.clone(),
                user_id: user_id.clone().unwrap_or_default(),
                reconnection_token: reconnection_token.clone(),
            })),
        }),
        Response::Disconnected { message } => {
            let event = SystemEvent::Disconnected(Disconnected { reason: message.clone() });
            Downstream::System(System { event: Some(event) })
        }
        Response::Ack { ack_id, outcome } => Downstream::Ack(Ack {
            ack_id: *ack_id,
            success: outcome.is_ok(),
            error: outcome.as_ref().err().map(write_error),
        }),
        Response::GroupMessage { group, payload, sequence_id, metadata, stream, .. } => {
            Downstream::Data(DownstreamData {
                from: "group".to_owned(),
                group: Some(group.clone().into_owned()),
                data: Some(data::write_for_client(payload)),
                sequence_id: *sequence_id,
                metadata: metadata.clone(),
                stream: stream.as_ref().map(write_stream_place),
            })
        }
        Response::ServerMessage { payload, sequence_id, metadata } => Downstream::Data(DownstreamData {
            from: "server".to_owned(),
            group: None,
            data: Some(data::write_for_client(payload)),
            sequence_id: *sequence_id,
            metadata: metadata.clone(),
            stream: None,
        }),
        Response::StreamAck { stream_id, expected_sequence_id } => Downstream::StreamAck(StreamAck {
            stream_id: stream_id.clone(),
            expected_sequence_id: *expected_sequence_id,
        }),
        Response::StreamNack { stream_id, expected_sequence_id, error } => {
            Downstream::StreamNack(StreamNack {
                stream_id: stream_id.clone(),
                name: error.name.clone(),
                message: error.message.clone(),
                expected_sequence_id: *expected_sequence_id,
            })
        }
        Response::StreamClosed { stream_id, error } => Downstream::StreamClosed(StreamClosed {
            stream_id: stream_id.clone(),
            error: error.as_ref().map(write_error),
        }),
        Response::InvokeResponse { .. } => return Vec::new(),
        Response::Pong => Downstream::Pong(Empty {}),
    };
    DownstreamMessage { message: Some(message) }.encode_to_vec()
}

/// A message to many clients that differs in its sequence id alone: what is the same is encoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataMessage {
    /// The fields of the data message, but for the sequence id.
    pub shared: Vec<u8>,
}

/// Number of the data message in a `DownstreamMessage`, and of the sequence id in it.
const DATA_MESSAGE: u32 = 2;
const SEQUENCE_ID: u32 = 4;

impl DataMessage {
    /// The shared part of a group or server message; empty for other responses.
    #[must_use]
    pub fn new(response: &Response<'_>) -> Self {
        // Its own sequence id would be a second one.
        let unsequenced = match response.clone() {
            Response::GroupMessage { group, from_user_id, payload, metadata, stream, .. } => {
                Response::GroupMessage { group, from_user_id, payload, sequence_id: None, metadata, stream }
            }
            Response::ServerMessage { payload, metadata, .. } => {
                Response::ServerMessage { payload, sequence_id: None, metadata }
            }
            _ => return Self { shared: Vec::new() },
        };
        let whole = encode_response(&unsequenced);
        let head_len = Self::head_len(whole.len());
        Self { shared: whole.get(head_len..).unwrap_or_default().to_vec() }
    }

    /// What comes before `shared_len` bytes of the shared part, for this sequence id.
    #[must_use]
    pub fn head(shared_len: usize, sequence_id: u64) -> Vec<u8> {
        let mut head = Vec::new();
        encode_key(DATA_MESSAGE, WireType::LengthDelimited, &mut head);
        encode_varint((shared_len + Self::tail(sequence_id).len()) as u64, &mut head);
        head
    }

    /// What comes after the shared part.
    #[must_use]
    pub fn tail(sequence_id: u64) -> Vec<u8> {
        let mut tail = Vec::new();
        encode_key(SEQUENCE_ID, WireType::Varint, &mut tail);
        encode_varint(sequence_id, &mut tail);
        tail
    }

    /// How many bytes of a whole message of `whole_len` are key and length of the data message.
    fn head_len(whole_len: usize) -> usize {
        let key = key_len(DATA_MESSAGE);
        // The length of the length depends on what is left after it: try from the shortest.
        (1..=10)
            .find(|digits| {
                let rest = whole_len.saturating_sub(key + digits);
                encoded_len_varint(rest as u64) == *digits
            })
            .map_or(whole_len, |digits| key + digits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::request::tests::vectors, *};
    use crate::{message::Metadata, payload::Payload};

    #[test]
    fn every_recorded_response_is_read_and_written_alike() {
        let mut read = 0;
        for vector in &vectors("down") {
            let bytes = vector.bytes();
            let response = decode_response(&bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
            let Some(response) = response else { continue };
            let again = encode_response(&response);
            let again = decode_response(&again).unwrap();
            // JSON goes to clients as text, so what was JSON is text after a round trip.
            if !matches!(
                response,
                Response::ServerMessage { payload: Payload::Json(_), .. }
                    | Response::GroupMessage { payload: Payload::Json(_), .. }
            ) {
                assert_eq!(again, Some(response), "{}", vector.name);
            }
            read += 1;
        }
        assert!(read >= 10, "{read}");
    }

    proptest! {
        #[test]
        fn a_shared_message_with_an_id_around_it_reads_as_that_message(
            text in "[a-z]{0,40000}", sequence_id in any::<u64>(), has_metadata in any::<bool>(),
        ) {
            let metadata: Metadata =
                if has_metadata { [("k".to_owned(), "v".to_owned())].into() } else { Metadata::new() };
            let message = |sequence_id| Response::GroupMessage {
                group: "g".into(), from_user_id: None, payload: Payload::Text(text.clone().into()), sequence_id,
                metadata: metadata.clone(), stream: None,
            };
            let DataMessage { shared } = DataMessage::new(&message(Some(7)));
            let head = DataMessage::head(shared.len(), sequence_id);
            let whole = [head, shared, DataMessage::tail(sequence_id)].concat();
            prop_assert_eq!(decode_response(&whole).unwrap(), Some(message(Some(sequence_id))));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in any::<Vec<u8>>()) {
            drop(decode_response(&bytes));
        }
    }
}
