//! Tests of [`super`].

use proptest::prelude::*;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    up_valid: Vec<Frame>,
    up_malformed: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    text: Option<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/vectors/frames.json")).unwrap()
}

#[test]
fn every_recorded_valid_frame_is_read() {
    for frame in vectors().up_valid.into_iter().filter_map(|frame| frame.text) {
        assert!(decode_request(&frame).is_ok(), "{frame}: {:?}", decode_request(&frame));
    }
}

#[test]
fn every_recorded_malformed_frame_is_refused() {
    for frame in vectors().up_malformed.into_iter().filter_map(|frame| frame.text) {
        assert!(decode_request(&frame).is_err(), "{frame}");
    }
}

#[test]
fn the_spelling_of_json_numbers_survives() {
    let frame = r#"{"type":"sendToGroup","group":"g","data":{"n":1.0,"big":1152921504606846976}}"#;
    let Ok(Request::SendToGroup { payload, .. }) = decode_request(frame) else { panic!("refused") };
    assert_eq!(payload, Payload::Json(r#"{"n":1.0,"big":1152921504606846976}"#.into()));
}

#[test]
fn a_lone_surrogate_is_refused_because_no_utf8_text_can_hold_it() {
    assert!(
        decode_request(r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"\ud800"}"#).is_err()
    );
}

#[test]
fn nesting_beyond_any_stack_is_carried_without_harm() {
    let depth = 200_000;
    let data = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let frame = format!(r#"{{"type":"sendToGroup","group":"g","data":{data}}}"#);
    assert!(decode_request(&frame).is_ok());
}

#[test]
fn a_fragment_has_a_number_and_data_or_neither() {
    for half in [
        r#"{"type":"streamData","streamId":"s","streamSequenceId":1}"#,
        r#"{"type":"streamData","streamId":"s","dataType":"text","data":"x"}"#,
        r#"{"type":"streamData","streamId":"s","streamSequenceId":1,"dataType":"text"}"#,
        r#"{"type":"streamData","streamSequenceId":1,"dataType":"text","data":"x"}"#,
        r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"s"},"dataType":"text","data":"x"}"#,
        r#"{"type":"sendToGroup","group":"g","stream":{"idleTimeoutMs":5}}"#,
        r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"s","idleTimeoutMs":-5}}"#,
    ] {
        assert!(decode_request(half).is_err(), "{half}");
    }
}

fn any_payload() -> impl Strategy<Value = Payload<'static>> {
    prop_oneof![
        any::<String>().prop_map(|text| Payload::Text(text.into())),
        any::<i64>().prop_map(|number| Payload::Json(number.to_string().into())),
        any::<Vec<u8>>().prop_map(|bytes| Payload::Binary(bytes.into())),
        any::<Vec<u8>>().prop_map(|bytes| Payload::Protobuf(bytes.into())),
    ]
}

fn any_request() -> impl Strategy<Value = Request<'static>> {
    let group = || "[a-zA-Z0-9 .\"\\\\é]{1,20}[a-z]".prop_map(|name| GroupName::new(&name).unwrap());
    let metadata = || prop::collection::btree_map("[a-z][a-z-]{0,8}", "[ -~]{0,20}", 0..3);
    prop_oneof![
        (group(), any::<Option<u64>>()).prop_map(|(group, ack_id)| Request::JoinGroup { group, ack_id }),
        (group(), any::<Option<u64>>()).prop_map(|(group, ack_id)| Request::LeaveGroup { group, ack_id }),
        (group(), any::<Option<u64>>(), any::<bool>(), 0..=MAX_TTL_SECONDS, any_payload(), metadata())
            .prop_map(|(group, ack_id, no_echo, ttl_seconds, payload, metadata)| Request::SendToGroup {
                group: group.into(),
                ack_id,
                no_echo,
                ttl_seconds,
                payload,
                metadata
            }),
        ("[a-z][a-z0-9_.-]{0,10}", any::<Option<u64>>(), any_payload(), metadata()).prop_map(
            |(event, ack_id, payload, metadata)| Request::Event {
                event: EventName::new(&event).unwrap(),
                ack_id,
                payload,
                metadata
            }
        ),
        (group(), any::<String>(), any::<Option<u32>>(), any::<bool>()).prop_map(
            |(group, stream_id, idle_timeout_ms, no_echo)| Request::StreamStart {
                group,
                stream_id,
                idle_timeout_ms,
                no_echo
            }
        ),
        (any::<String>(), prop::option::of((any::<u64>(), any_payload()))).prop_map(
            |(stream_id, fragment)| Request::StreamData {
                stream_id,
                fragment: fragment
                    .map(|(stream_sequence_id, payload)| Fragment { stream_sequence_id, payload }),
            }
        ),
        (any::<String>(), prop::option::of(any::<(Option<String>, Option<String>)>())).prop_map(
            |(stream_id, error)| Request::StreamEnd {
                stream_id,
                error: error.map(|(message, user_error_code)| PublisherError { message, user_error_code }),
            }
        ),
        (any::<String>(), "[a-z][a-z0-9_.-]{0,10}", prop::option::of(any_payload()), metadata()).prop_map(
            |(invocation_id, event, payload, metadata)| Request::Invoke {
                invocation_id,
                event: EventName::new(&event).unwrap(),
                payload,
                metadata
            }
        ),
        any::<String>().prop_map(|invocation_id| Request::CancelInvocation { invocation_id }),
        Just(Request::Ping),
        any::<u64>().prop_map(|sequence_id| Request::SequenceAck { sequence_id }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(request in any_request()) {
        let frame = encode_request(&request);
        prop_assert_eq!(decode_request(&frame).unwrap(), request);
    }

    #[test]
    fn no_text_makes_the_decoder_panic(text in any::<String>()) {
        drop(decode_request(&text));
    }
}

#[test]
fn states_of_groups_are_texts_by_name() {
    let set = |state: &str| {
        decode_request(&format!(r#"{{"type":"setGroupState","group":"g","ackId":1{state}}}"#)).map(|_| ())
    };
    for state in ["", r#","state":null"#, r#","state":{}"#, r#","state":{"a":"1","b":""}"#] {
        assert!(set(state).is_ok(), "{state}");
    }
    for state in [r#","state":[]"#, r#","state":{"a":1}"#, r#","state":"a""#] {
        assert!(set(state).is_err(), "{state}");
    }
    // Other requests may have a member of that name.
    assert!(decode_request(r#"{"type":"joinGroup","group":"g","state":7}"#).is_ok());
    for frame in [
        r#"{"type":"setGroupState","group":"g","ackId":1,"state":{"a\"":"b"}}"#,
        r#"{"type":"subscribeGroupState","group":"g","ackId":2}"#,
        r#"{"type":"unsubscribeGroupState","group":"g"}"#,
    ] {
        assert_eq!(encode_request(&decode_request(frame).unwrap()), frame);
    }
}
