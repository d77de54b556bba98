//! Client to service.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{MalformedFrame, data, metadata, write};
use crate::{
    message::{MAX_TTL_SECONDS, Metadata, Request},
    name::{EventName, GroupName},
    payload::Payload,
};

/// Every member that some request has; which ones must be there depends on `type`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    r#type: Cow<'a, str>,
    group: Option<String>,
    event: Option<String>,
    ack_id: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    no_echo: Option<bool>,
    ttl_seconds: Option<u32>,
    data_type: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    metadata: Option<metadata::Given>,
    sequence_id: Option<u64>,
}

/// A member that may be missing, but not `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    bool::deserialize(deserializer).map(Some)
}

impl<'a> Members<'a> {
    fn group(&self, frame: &'static str) -> Result<GroupName, MalformedFrame> {
        let group = self.group.as_deref().ok_or(MalformedFrame::MissingMember { frame, member: "group" })?;
        Ok(GroupName::new(group)?)
    }

    /// `data` with `metadata`. Annotations alone are a message of empty text.
    fn content(self, frame: &'static str) -> Result<(Payload<'a>, Metadata), MalformedFrame> {
        let metadata = metadata::checked(self.metadata)?;
        let payload = match self.data {
            Some(data) => data::read(self.data_type.as_deref(), data)?,
            None if !metadata.is_empty() => Payload::Text(Cow::Borrowed("")),
            None => return Err(MalformedFrame::MissingMember { frame, member: "data" }),
        };
        Ok((payload, metadata))
    }
}

/// Reads one request.
///
/// # Errors
/// [`MalformedFrame`], for which the service closes the connection with
/// [`Close::INVALID_JSON_MESSAGE`](crate::close::Close::INVALID_JSON_MESSAGE).
pub fn decode_request(frame: &str) -> Result<Request<'_>, MalformedFrame> {
    let members: Members<'_> = serde_json::from_str(frame)?;
    let is = |name: &str| members.r#type.eq_ignore_ascii_case(name);
    if is("sendToGroup") {
        let group = members.group("sendToGroup")?;
        let ttl_seconds = members.ttl_seconds.unwrap_or(0);
        if ttl_seconds > MAX_TTL_SECONDS {
            return Err(MalformedFrame::TimeToLive { given: ttl_seconds });
        }
        let (ack_id, no_echo) = (members.ack_id, members.no_echo.unwrap_or(false));
        let (payload, metadata) = members.content("sendToGroup")?;
        Ok(Request::SendToGroup { group, ack_id, no_echo, ttl_seconds, payload, metadata })
    } else if is("joinGroup") {
        Ok(Request::JoinGroup { group: members.group("joinGroup")?, ack_id: members.ack_id })
    } else if is("leaveGroup") {
        Ok(Request::LeaveGroup { group: members.group("leaveGroup")?, ack_id: members.ack_id })
    } else if is("event") {
        let event = members.event.as_deref();
        let event =
            EventName::new(event.ok_or(MalformedFrame::MissingMember { frame: "event", member: "event" })?)?;
        let ack_id = members.ack_id;
        let (payload, metadata) = members.content("event")?;
        Ok(Request::Event { event, ack_id, payload, metadata })
    } else if is("ping") {
        Ok(Request::Ping)
    } else if is("sequenceAck") {
        let missing = MalformedFrame::MissingMember { frame: "sequenceAck", member: "sequenceId" };
        Ok(Request::SequenceAck { sequence_id: members.sequence_id.ok_or(missing)? })
    } else {
        const EXCERPT_CHARS: usize = 64;
        Err(MalformedFrame::UnknownType {
            name: members.r#type.chars().take(EXCERPT_CHARS).flat_map(char::escape_debug).collect(),
        })
    }
}

/// Writes one request.
#[must_use]
pub fn encode_request(request: &Request<'_>) -> String {
    let mut out = String::new();
    match request {
        Request::JoinGroup { group, ack_id } => {
            out.push_str("{\"type\":\"joinGroup\",\"group\":");
            write::string(&mut out, group.as_str());
            write_ack_id(&mut out, *ack_id);
        }
        Request::LeaveGroup { group, ack_id } => {
            out.push_str("{\"type\":\"leaveGroup\",\"group\":");
            write::string(&mut out, group.as_str());
            write_ack_id(&mut out, *ack_id);
        }
        Request::SendToGroup { group, ack_id, no_echo, ttl_seconds, payload, metadata } => {
            out.push_str("{\"type\":\"sendToGroup\",\"group\":");
            write::string(&mut out, group.as_str());
            write_ack_id(&mut out, *ack_id);
            if *no_echo {
                out.push_str(",\"noEcho\":true");
            }
            if *ttl_seconds > 0 {
                write::number_member(&mut out, "ttlSeconds", u64::from(*ttl_seconds));
            }
            data::write(&mut out, payload);
            metadata::write(&mut out, metadata);
        }
        Request::Event { event, ack_id, payload, metadata } => {
            out.push_str("{\"type\":\"event\",\"event\":");
            write::string(&mut out, event.as_str());
            write_ack_id(&mut out, *ack_id);
            data::write(&mut out, payload);
            metadata::write(&mut out, metadata);
        }
        Request::Ping => out.push_str("{\"type\":\"ping\""),
        Request::SequenceAck { sequence_id } => {
            out.push_str("{\"type\":\"sequenceAck\"");
            write::number_member(&mut out, "sequenceId", *sequence_id);
        }
    }
    out.push('}');
    out
}

fn write_ack_id(out: &mut String, ack_id: Option<u64>) {
    if let Some(ack_id) = ack_id {
        write::number_member(out, "ackId", ack_id);
    }
}

#[cfg(test)]
mod tests {
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
        serde_json::from_str(include_str!("../../tests/vectors/frames.json")).unwrap()
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
            decode_request(r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"\ud800"}"#)
                .is_err()
        );
    }

    #[test]
    fn nesting_beyond_any_stack_is_carried_without_harm() {
        let depth = 200_000;
        let data = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let frame = format!(r#"{{"type":"sendToGroup","group":"g","data":{data}}}"#);
        assert!(decode_request(&frame).is_ok());
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
                    group,
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
}
