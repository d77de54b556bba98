//! Client to service.

use super::{
    MalformedMessage, data,
    schema::{Entry, GroupRequest, MessageData, SendToGroup, Upstream},
    usual,
    wire::{
        Message, put_bytes, put_message, put_number, put_number_unless_0, put_optional_text,
        put_text_unless_empty,
    },
};
use crate::{
    message::{Fragment, MAX_TTL_SECONDS, Metadata, Request},
    name::{EventName, GroupName},
    payload::Payload,
    stream::PublisherError,
};

/// Reads one request.
///
/// # Errors
/// [`MalformedMessage`], for which the service closes the connection with code 1007.
pub fn decode_request(frame: &[u8]) -> Result<Request<'_>, MalformedMessage> {
    match usual::decode_send(frame) {
        Some(request) => Ok(request),
        None => decode_generally(frame),
    }
}

pub(super) fn decode_generally(frame: &[u8]) -> Result<Request<'_>, MalformedMessage> {
    Ok(match Upstream::read(frame)? {
        Upstream::Unknown => return Err(MalformedMessage::Missing { part: "message" }),
        Upstream::SendToGroup(send) => read_send(send)?,
        // The service has no streams of events.
        Upstream::Event(event) if event.stream.is_some() => return Err(MalformedMessage::EventStream),
        Upstream::InvokeEvent(invoke) if invoke.stream.is_some() => {
            return Err(MalformedMessage::EventStream);
        }
        Upstream::InvokeEvent(invoke) => {
            if invoke.invocation_id.is_empty() {
                return Err(MalformedMessage::Missing { part: "invocation_id" });
            }
            Request::Invoke {
                invocation_id: invoke.invocation_id.to_owned(),
                event: EventName::new(invoke.event)?,
                payload: data::read(invoke.data)?,
                metadata: data::read_metadata(&invoke.metadata)?,
            }
        }
        Upstream::CancelInvocation(cancel) => {
            Request::CancelInvocation { invocation_id: cancel.invocation_id.to_owned() }
        }
        Upstream::Event(event) => {
            let (payload, metadata) = content(event.data, &event.metadata)?;
            Request::Event { event: EventName::new(event.event)?, ack_id: event.ack_id, payload, metadata }
        }
        Upstream::JoinGroup(GroupRequest { group, ack_id, .. }) => {
            Request::JoinGroup { group: GroupName::new(group)?, ack_id }
        }
        Upstream::LeaveGroup(GroupRequest { group, ack_id, .. }) => {
            Request::LeaveGroup { group: GroupName::new(group)?, ack_id }
        }
        Upstream::SetGroupState(set) => Request::SetGroupState {
            group: GroupName::new(set.group)?,
            ack_id: set.ack_id,
            state: set.state.map(|state| data::read_entries(&state.entries)),
        },
        Upstream::SubscribeGroupState(GroupRequest { group, ack_id, .. }) => {
            Request::SubscribeGroupState { group: GroupName::new(group)?, ack_id }
        }
        Upstream::UnsubscribeGroupState(GroupRequest { group, ack_id, .. }) => {
            Request::UnsubscribeGroupState { group: GroupName::new(group)?, ack_id }
        }
        Upstream::SequenceAck(ack) => Request::SequenceAck { sequence_id: ack.sequence_id },
        Upstream::Ping(_) => Request::Ping,
        Upstream::StreamData(fragment) => {
            let fragment_of = match (fragment.stream_sequence_id, data::read(fragment.data)?) {
                (None, None) => None,
                (Some(stream_sequence_id), Some(payload)) => Some(Fragment { stream_sequence_id, payload }),
                _ => return Err(MalformedMessage::Missing { part: "number or data of the fragment" }),
            };
            Request::StreamData { stream_id: fragment.stream_id.to_owned(), fragment: fragment_of }
        }
        Upstream::StreamEnd(end) => Request::StreamEnd {
            stream_id: end.stream_id.to_owned(),
            error: end.error.map(|error| PublisherError {
                message: error.message.map(str::to_owned),
                user_error_code: error.user_error_code.map(str::to_owned),
            }),
        },
    })
}

fn read_send(send: SendToGroup<'_>) -> Result<Request<'_>, MalformedMessage> {
    let SendToGroup { group, ack_id, no_echo, data, metadata, .. } = send;
    if let Some(start) = send.stream {
        // Data comes in fragments, after the start.
        if data.is_some() {
            return Err(MalformedMessage::Data);
        }
        return Ok(Request::StreamStart {
            group: GroupName::new(group)?,
            stream_id: start.stream_id.to_owned(),
            idle_timeout_ms: start.idle_timeout_ms,
            no_echo,
        });
    }
    let group = GroupName::new(group)?;
    let ttl_seconds = send.ttl_seconds.unwrap_or(0);
    if ttl_seconds > MAX_TTL_SECONDS {
        return Err(MalformedMessage::TimeToLive { given: ttl_seconds });
    }
    let (payload, metadata) = content(data, &metadata)?;
    Ok(Request::SendToGroup { group: group.into(), ack_id, no_echo, ttl_seconds, payload, metadata })
}

/// Data with annotations. Annotations alone are a message of empty text.
fn content<'a>(
    data: Option<MessageData<'a>>,
    entries: &[Entry<'_>],
) -> Result<(Payload<'a>, Metadata), MalformedMessage> {
    let metadata = data::read_metadata(entries)?;
    match data::read(data)? {
        Some(payload) => Ok((payload, metadata)),
        None if !metadata.is_empty() => Ok((Payload::Text("".into()), metadata)),
        None => Err(MalformedMessage::Missing { part: "data" }),
    }
}

/// Writes one request.
#[must_use]
pub fn encode_request(request: &Request<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    let out = &mut frame;
    match request {
        Request::JoinGroup { group, ack_id } => put_group_request(out, 6, group, *ack_id),
        Request::LeaveGroup { group, ack_id } => put_group_request(out, 7, group, *ack_id),
        Request::SendToGroup { group, ack_id, no_echo, ttl_seconds, payload, metadata } => {
            put_message(out, 1, |send| {
                put_text_unless_empty(send, 1, group.as_str());
                put_optional_number(send, 2, *ack_id);
                data::put(send, 3, payload);
                put_number_unless_0(send, 4, u64::from(*no_echo));
                put_number_unless_0(send, 5, u64::from(*ttl_seconds));
                data::put_metadata(send, 6, metadata);
            });
        }
        Request::StreamStart { group, stream_id, idle_timeout_ms, no_echo } => put_message(out, 1, |send| {
            put_text_unless_empty(send, 1, group.as_str());
            put_number_unless_0(send, 4, u64::from(*no_echo));
            put_message(send, 7, |start| {
                put_text_unless_empty(start, 1, stream_id);
                put_optional_number(start, 2, idle_timeout_ms.map(u64::from));
            });
        }),
        Request::StreamData { stream_id, fragment } => put_message(out, 13, |data| {
            put_text_unless_empty(data, 1, stream_id);
            if let Some(Fragment { stream_sequence_id, payload }) = fragment {
                put_number(data, 2, *stream_sequence_id);
                data::put(data, 3, payload);
            }
        }),
        Request::StreamEnd { stream_id, error } => put_message(out, 14, |end| {
            put_text_unless_empty(end, 1, stream_id);
            if let Some(PublisherError { message, user_error_code }) = error {
                put_message(end, 2, |error| {
                    put_optional_text(error, 1, message.as_deref());
                    put_optional_text(error, 2, user_error_code.as_deref());
                });
            }
        }),
        Request::Event { event, ack_id, payload, metadata } => put_message(out, 5, |message| {
            put_text_unless_empty(message, 1, event.as_str());
            data::put(message, 2, payload);
            put_optional_number(message, 3, *ack_id);
            data::put_metadata(message, 4, metadata);
        }),
        Request::SetGroupState { group, ack_id, state } => put_message(out, 15, |set| {
            put_text_unless_empty(set, 1, group.as_str());
            put_optional_number(set, 2, *ack_id);
            if let Some(state) = state {
                put_message(set, 3, |entries| data::put_metadata(entries, 1, state));
            }
        }),
        Request::SubscribeGroupState { group, ack_id } => put_group_request(out, 16, group, *ack_id),
        Request::UnsubscribeGroupState { group, ack_id } => put_group_request(out, 17, group, *ack_id),
        Request::Ping => put_bytes(out, 9, b""),
        Request::SequenceAck { sequence_id } => {
            put_message(out, 8, |ack| put_number_unless_0(ack, 1, *sequence_id));
        }
        Request::Invoke { invocation_id, event, payload, metadata } => put_message(out, 10, |invoke| {
            put_text_unless_empty(invoke, 1, event.as_str());
            put_text_unless_empty(invoke, 2, invocation_id);
            if let Some(payload) = payload {
                data::put(invoke, 3, payload);
            }
            data::put_metadata(invoke, 4, metadata);
        }),
        Request::CancelInvocation { invocation_id } => {
            put_message(out, 11, |cancel| put_text_unless_empty(cancel, 1, invocation_id));
        }
    }
    frame
}

fn put_group_request(out: &mut Vec<u8>, field: u8, group: &GroupName, ack_id: Option<u64>) {
    put_message(out, field, |request| {
        put_text_unless_empty(request, 1, group.as_str());
        put_optional_number(request, 2, ack_id);
    });
}

fn put_optional_number(out: &mut Vec<u8>, field: u8, number: Option<u64>) {
    if let Some(number) = number {
        put_number(out, field, number);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    pub(in crate::protobuf) struct Vectors {
        pub(in crate::protobuf) vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    pub(in crate::protobuf) struct Vector {
        pub(in crate::protobuf) name: String,
        pub(in crate::protobuf) direction: String,
        pub(in crate::protobuf) hex: String,
    }

    impl Vector {
        pub(in crate::protobuf) fn bytes(&self) -> Vec<u8> {
            (0..self.hex.len() / 2)
                .map(|at| u8::from_str_radix(&self.hex[2 * at..2 * at + 2], 16).unwrap())
                .collect()
        }
    }

    pub(in crate::protobuf) fn vectors(direction: &str) -> Vec<Vector> {
        let all: Vectors = serde_json::from_str(include_str!("../../tests/vectors/protobuf.json")).unwrap();
        all.vectors.into_iter().filter(|vector| vector.direction == direction).collect()
    }

    #[test]
    fn every_recorded_request_is_read_and_written_alike() {
        let mut read = 0;
        for vector in vectors("up").iter() {
            let bytes = vector.bytes();
            let request = decode_request(&bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
            assert_eq!(decode_request(&encode_request(&request)).unwrap(), request, "{}", vector.name);
            read += 1;
        }
        assert!(read >= 13, "{read}");
    }

    #[test]
    fn invocations_have_the_published_numbers_and_events_have_no_streams() {
        // Event `add`, invocation `i7`, JSON `[1]`, metadata `k`: `v`.
        let invoke = b"\x52\x00\x0A\x03add\x12\x02i7\x1A\x05\x22\x03[1]\x22\x06\x0A\x01k\x12\x01v";
        let expected = Request::Invoke {
            invocation_id: "i7".to_owned(),
            event: EventName::new("add").unwrap(),
            payload: Some(Payload::Json("[1]".into())),
            metadata: [("k".to_owned(), "v".to_owned())].into(),
        };
        let mut invoke = invoke.to_vec();
        invoke[1] = u8::try_from(invoke.len() - 2).unwrap();
        assert_eq!(decode_request(&invoke).unwrap(), expected);
        assert_eq!(encode_request(&expected), invoke);
        let cancel = b"\x5A\x04\x0A\x02i7";
        assert_eq!(
            decode_request(cancel).unwrap(),
            Request::CancelInvocation { invocation_id: "i7".to_owned() }
        );
        // Event `e` with a stream, and with data besides; an invocation with a stream; one without an id; one with metadata whose
        // name is no header name.
        let refused: [&[u8]; 5] = [
            b"\x2A\x08\x0A\x01e\x2A\x03\x0A\x01s",
            b"\x2A\x0D\x0A\x01e\x12\x03\x0A\x01x\x2A\x03\x0A\x01s",
            b"\x52\x0B\x0A\x01e\x12\x01i\x2A\x03\x0A\x01s",
            b"\x52\x03\x0A\x01e",
            b"\x52\x0E\x0A\x01e\x12\x01i\x22\x06\x0A\x01:\x12\x01v",
        ];
        for frame in refused {
            assert!(decode_request(frame).is_err(), "{frame:x?}");
        }
    }

    #[test]
    fn what_lacks_its_parts_is_refused() {
        // Nothing at all; an unknown kind; a send without data; a join of no group; a send with an unknown kind of data.
        let broken: [&[u8]; 5] = [
            &[],
            &[0x7A, 0x00],
            &[0x0A, 0x03, 0x0A, 0x01, b'g'],
            &[0x32, 0x00],
            &[0x0A, 0x07, 0x0A, 0x01, b'g', 0x1A, 0x02, 0x2A, 0x00],
        ];
        for bytes in broken {
            assert!(decode_request(bytes).is_err(), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in any::<Vec<u8>>()) {
            if let Ok(request) = decode_request(&bytes) {
                let again = encode_request(&request);
                prop_assert_eq!(decode_request(&again).unwrap(), request);
            }
        }
    }
}
