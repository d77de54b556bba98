//! The same messages, read and written by a general codec: what tests hold ours against.

use proptest::prelude::*;

use super::{MalformedMessage, decode_request, decode_response, encode_request, encode_response};
use crate::{
    message::{AckError, Fragment, GroupStateItem, Metadata, Request, Response, Sequence},
    name::{EventName, GroupName},
    payload::Payload,
    stream::{PublisherError, StreamError, StreamInfo},
};

mod data;
mod request;
mod response;
mod schema;

/// In place of the general codec's own words.
const NOT_OF_THE_SCHEMA: MalformedMessage = MalformedMessage::Wire("not of the schema");

fn any_payload() -> impl Strategy<Value = Payload<'static>> {
    prop_oneof![
        ".{0,20}".prop_map(|text| Payload::Text(text.into())),
        any::<Vec<u8>>().prop_map(|bytes| Payload::Binary(bytes.into())),
        // An `Any`, and bytes that are none.
        Just(Payload::Protobuf(vec![0x0A, 1, b't', 0x12, 1, 7].into())),
        any::<Vec<u8>>().prop_map(|bytes| Payload::Protobuf(bytes.into())),
        prop_oneof![Just("[1, 2]"), Just(" {} "), Just("{"), Just("1 2")]
            .prop_map(|json| Payload::Json(json.into())),
    ]
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    prop::collection::btree_map("[a-z ]{0,3}", "[ -~é]{0,4}", 0..3)
}

fn any_group() -> impl Strategy<Value = GroupName> {
    "[a-z]{1,9}".prop_map(|name| GroupName::new(&name).unwrap())
}

fn any_words() -> impl Strategy<Value = Option<String>> {
    prop::option::of(".{0,4}")
}

fn any_request() -> impl Strategy<Value = Request<'static>> {
    let ack_id = any::<Option<u64>>;
    prop_oneof![
        (any_group(), ack_id()).prop_map(|(group, ack_id)| Request::JoinGroup { group, ack_id }),
        (any_group(), ack_id()).prop_map(|(group, ack_id)| Request::LeaveGroup { group, ack_id }),
        (any_group(), ack_id(), any::<bool>(), any::<u32>(), any_payload(), any_metadata()).prop_map(
            |(group, ack_id, no_echo, ttl_seconds, payload, metadata)| {
                let group = group.into();
                Request::SendToGroup {
                    group,
                    ack_id,
                    no_echo,
                    ttl_seconds: ttl_seconds % 400,
                    payload,
                    metadata,
                }
            }
        ),
        (any_group(), ".{0,4}", any::<Option<u32>>(), any::<bool>()).prop_map(
            |(group, stream_id, idle_timeout_ms, no_echo)| Request::StreamStart {
                group,
                stream_id,
                idle_timeout_ms,
                no_echo
            }
        ),
        (".{0,4}", prop::option::of((any::<u64>(), any_payload()))).prop_map(|(stream_id, fragment)| {
            let fragment =
                fragment.map(|(stream_sequence_id, payload)| Fragment { stream_sequence_id, payload });
            Request::StreamData { stream_id, fragment }
        }),
        (".{0,4}", prop::option::of((any_words(), any_words()))).prop_map(|(stream_id, error)| {
            let error = error.map(|(message, user_error_code)| PublisherError { message, user_error_code });
            Request::StreamEnd { stream_id, error }
        }),
        ("[a-z]{1,5}", ack_id(), any_payload(), any_metadata()).prop_map(
            |(event, ack_id, payload, metadata)| {
                Request::Event { event: EventName::new(&event).unwrap(), ack_id, payload, metadata }
            }
        ),
        (".{1,4}", "[a-z]{1,5}", prop::option::of(any_payload()), any_metadata()).prop_map(
            |(invocation_id, event, payload, metadata)| {
                Request::Invoke { invocation_id, event: EventName::new(&event).unwrap(), payload, metadata }
            }
        ),
        ".{0,4}".prop_map(|invocation_id| Request::CancelInvocation { invocation_id }),
        (any_group(), ack_id(), prop::option::of(any_metadata()))
            .prop_map(|(group, ack_id, state)| Request::SetGroupState { group, ack_id, state }),
        (any_group(), ack_id()).prop_map(|(group, ack_id)| Request::SubscribeGroupState { group, ack_id }),
        (any_group(), ack_id()).prop_map(|(group, ack_id)| Request::UnsubscribeGroupState { group, ack_id }),
        Just(Request::Ping),
        any::<u64>().prop_map(|sequence_id| Request::SequenceAck { sequence_id }),
    ]
}

fn any_sequence() -> impl Strategy<Value = Option<Sequence>> {
    any::<Option<(u64, Option<u64>)>>().prop_map(|numbers| numbers.map(|(id, count)| Sequence { id, count }))
}

fn any_error() -> impl Strategy<Value = AckError> {
    (".{0,4}", ".{0,4}").prop_map(|(name, message)| AckError { name, message })
}

fn any_place() -> impl Strategy<Value = StreamInfo> {
    let error = (".{0,4}", any_words(), any_words())
        .prop_map(|(name, message, user_error_code)| StreamError { name, message, user_error_code });
    (".{0,4}", any::<u64>(), any::<bool>(), prop::option::of(error)).prop_map(
        |(stream_id, stream_sequence_id, end_of_stream, error)| StreamInfo {
            stream_id,
            stream_sequence_id,
            end_of_stream,
            error,
        },
    )
}

fn any_state_item() -> impl Strategy<Value = GroupStateItem> {
    let state = prop::option::of(any_metadata());
    (".{0,4}", any_words(), state, 0..i64::MAX as u64).prop_map(
        |(connection_id, user_id, state, updated_at)| GroupStateItem {
            connection_id,
            user_id,
            state,
            updated_at,
        },
    )
}

fn any_response() -> impl Strategy<Value = Response<'static>> {
    prop_oneof![
        ("[0-9a-f]{0,9}", any_words(), any_words(), any_words()).prop_map(
            |(connection_id, user_id, reconnection_token, run_id)| {
                Response::Connected { connection_id, user_id, reconnection_token, run_id }
            }
        ),
        ".{0,9}".prop_map(|message| Response::Disconnected { message }),
        (any::<u64>(), prop::option::of(any_error()))
            .prop_map(|(ack_id, error)| Response::Ack { ack_id, outcome: error.map_or(Ok(()), Err) }),
        ("[a-z]{0,9}", any_payload(), any_sequence(), any_metadata(), prop::option::of(any_place()))
            .prop_map(|(group, payload, sequence, metadata, stream)| Response::GroupMessage {
                group: group.into(),
                from_user_id: None,
                payload,
                sequence,
                metadata,
                stream,
            }),
        (any_payload(), any_sequence(), any_metadata()).prop_map(|(payload, sequence, metadata)| {
            Response::ServerMessage { payload, sequence, metadata }
        }),
        (".{0,4}", any::<u64>()).prop_map(|(stream_id, expected_sequence_id)| Response::StreamAck {
            stream_id,
            expected_sequence_id
        }),
        (".{0,4}", any::<u64>(), any_error()).prop_map(|(stream_id, expected_sequence_id, error)| {
            Response::StreamNack { stream_id, expected_sequence_id, error }
        }),
        (".{0,4}", prop::option::of(any_error()))
            .prop_map(|(stream_id, error)| Response::StreamClosed { stream_id, error }),
        (".{0,4}", prop::option::of(any_payload())).prop_map(|(invocation_id, payload)| {
            Response::InvokeResponse { invocation_id, outcome: Ok(payload) }
        }),
        (".{0,4}", any_error()).prop_map(|(invocation_id, error)| Response::InvokeResponse {
            invocation_id,
            outcome: Err(error)
        }),
        Just(Response::Pong),
    ]
}

/// What happens to a frame on its way: a byte is another, its end is cut off, or another frame follows it at once.
#[derive(Debug, Clone)]
enum Damage {
    None,
    Byte(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Followed,
}

fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        1 => Just(Damage::None),
        4 => any::<(prop::sample::Index, u8)>().prop_map(|(place, byte)| Damage::Byte(place, byte)),
        1 => any::<prop::sample::Index>().prop_map(Damage::Cut),
        2 => Just(Damage::Followed),
    ]
}

impl Damage {
    fn done_to(&self, mut frame: Vec<u8>, next: &[u8]) -> Vec<u8> {
        match self {
            Self::None => {}
            Self::Byte(place, byte) if !frame.is_empty() => *place.get_mut(&mut frame) = *byte,
            Self::Cut(len) if !frame.is_empty() => frame.truncate(len.index(frame.len())),
            Self::Followed => frame.extend_from_slice(next),
            Self::Byte(..) | Self::Cut(_) => {}
        }
        frame
    }
}

/// Whether both read the same, or nothing. Groups, which the general codec skips, are refused.
fn is_alike<T: PartialEq>(ours: Result<T, MalformedMessage>, theirs: Result<T, MalformedMessage>) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        (Err(MalformedMessage::Wire("a field of no form that is known")), _) => true,
        (ours, theirs) => ours.is_err() && theirs.is_err(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn requests_are_written_and_read_as_by_a_general_codec(
        request in any_request(), next in any_request(), damage in any_damage(),
    ) {
        let frame = encode_request(&request);
        prop_assert_eq!(&frame, &request::encode_request(&request));
        let frame = damage.done_to(frame, &encode_request(&next));
        prop_assert!(is_alike(decode_request(&frame), request::decode_request(&frame)), "{frame:x?}");
    }

    #[test]
    fn responses_are_written_and_read_as_by_a_general_codec(
        response in any_response(), next in any_response(), damage in any_damage(),
    ) {
        let frame = encode_response(&response);
        prop_assert_eq!(&frame, &response::encode_response(&response));
        let frame = damage.done_to(frame, &encode_response(&next));
        prop_assert!(is_alike(decode_response(&frame), response::decode_response(&frame)), "{frame:x?}");
    }

    #[test]
    fn states_are_written_as_by_a_general_codec(
        group in "[a-z]{0,3}", is_snapshot in any::<bool>(), items in prop::collection::vec(any_state_item(), 0..4),
    ) {
        let states = Response::GroupStates { group, is_snapshot, items };
        prop_assert_eq!(encode_response(&states), response::encode_response(&states));
    }

    #[test]
    fn any_bytes_are_read_as_by_a_general_codec(bytes in any::<Vec<u8>>()) {
        prop_assert!(is_alike(decode_request(&bytes), request::decode_request(&bytes)));
        prop_assert!(is_alike(decode_response(&bytes), response::decode_response(&bytes)));
    }
}
