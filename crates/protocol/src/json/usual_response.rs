//! The frames that a client gets most of, read without a general parser: text from a group, and acks of success.
//!
//! As with the usual requests, whatever is unusual is left to the general parser, and a property test holds the two against
//! each other.

use std::borrow::Cow;

use super::scan::{put, put_number, put_string};
use crate::{
    message::{Metadata, Response, Sequence},
    payload::Payload,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    GroupMessage,
    Ack,
}

/// What was found so far.
#[derive(Default)]
struct Members<'a> {
    kind: Option<Kind>,
    is_from_group: Option<()>,
    group: Option<&'a str>,
    from_user_id: Option<Option<&'a str>>,
    is_text: Option<()>,
    data: Option<&'a str>,
    sequence_id: Option<u64>,
    delivery_count: Option<u64>,
    ack_id: Option<u64>,
    is_success: Option<()>,
}

/// Reads the frame if it is a usual one.
pub(super) fn decode(frame: &str) -> Option<Response<'_>> {
    let members = Members::read(frame)?;
    match members.kind? {
        Kind::Ack => {
            members.is_success?;
            Some(Response::Ack { ack_id: members.ack_id?, outcome: Ok(()) })
        }
        Kind::GroupMessage => {
            members.is_from_group?;
            members.is_text?;
            Some(Response::GroupMessage {
                group: Cow::Borrowed(members.group?),
                from_user_id: members.from_user_id.flatten().map(Cow::Borrowed),
                payload: Payload::Text(Cow::Borrowed(members.data?)),
                sequence: members.sequence_id.map(|id| Sequence { id, count: members.delivery_count }),
                metadata: Metadata::new(),
                stream: None,
            })
        }
    }
}

impl<'a> Members<'a> {
    fn read(frame: &'a str) -> Option<Self> {
        let mut members = Self::default();
        let mut rest = frame.strip_prefix('{')?;
        loop {
            rest = members.take_one(rest)?;
            match rest {
                "}" => return Some(members),
                _ => rest = rest.strip_prefix(',')?,
            }
        }
    }

    /// Takes a member, and gives what follows.
    fn take_one(&mut self, text: &'a str) -> Option<&'a str> {
        let is = |member: &str| text.strip_prefix(member);
        if let Some(rest) = is(r#""type":"message""#) {
            put(&mut self.kind, Kind::GroupMessage)?;
            Some(rest)
        } else if let Some(rest) = is(r#""from":"group""#) {
            put(&mut self.is_from_group, ())?;
            Some(rest)
        } else if let Some(rest) = is(r#""group":"#) {
            put_string(&mut self.group, rest)
        } else if let Some(rest) = is(r#""fromUserId":null"#) {
            put(&mut self.from_user_id, None)?;
            Some(rest)
        } else if let Some(rest) = is(r#""fromUserId":"#) {
            let mut user = None;
            let rest = put_string(&mut user, rest)?;
            put(&mut self.from_user_id, user)?;
            Some(rest)
        } else if let Some(rest) = is(r#""dataType":"text""#) {
            put(&mut self.is_text, ())?;
            Some(rest)
        } else if let Some(rest) = is(r#""data":"#) {
            put_string(&mut self.data, rest)
        } else if let Some(rest) = is(r#""sequenceId":"#) {
            put_number(&mut self.sequence_id, rest)
        } else if let Some(rest) = is(r#""deliveryCount":"#) {
            put_number(&mut self.delivery_count, rest)
        } else if let Some(rest) = is(r#""type":"ack""#) {
            put(&mut self.kind, Kind::Ack)?;
            Some(rest)
        } else if let Some(rest) = is(r#""ackId":"#) {
            put_number(&mut self.ack_id, rest)
        } else {
            put(&mut self.is_success, ())?;
            is(r#""success":true"#)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::response::decode_generally, *};

    fn any_member() -> impl Strategy<Value = String> {
        let text = "[a-zé\\\\\"{},:\u{1} ]{0,6}";
        prop_oneof![
            4 => Just(r#""type":"message""#.to_owned()),
            4 => Just(r#""from":"group""#.to_owned()),
            4 => Just(r#""dataType":"text""#.to_owned()),
            4 => "[a-z ]{0,3}".prop_map(|group| format!(r#""group":"{group}""#)),
            4 => text.prop_map(|data| format!(r#""data":"{data}""#)),
            2 => Just(r#""type":"ack""#.to_owned()),
            2 => "[0-9]{0,21}".prop_map(|number| format!(r#""ackId":{number}"#)),
            2 => "[0-9]{0,21}".prop_map(|number| format!(r#""sequenceId":{number}"#)),
            2 => "[0-9]{0,21}".prop_map(|number| format!(r#""deliveryCount":{number}"#)),
            2 => prop_oneof![Just("true"), Just("false"), Just("null")].prop_map(|b| format!(r#""success":{b}"#)),
            2 => prop_oneof![Just("null"), Just("\"u\""), Just("3")].prop_map(|user| format!(r#""fromUserId":{user}"#)),
            1 => Just(r#""error":{"name":"Duplicate"}"#.to_owned()),
            1 => Just(r#""dataType":"json""#.to_owned()),
            1 => Just(r#""metadata":{"k":"v"}"#.to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn what_it_reads_the_general_parser_reads_alike(
            members in prop::collection::vec(any_member(), 0..8), end in prop_oneof![9 => Just("}"), 1 => Just("} "), 1 => Just("")],
        ) {
            let frame = format!("{{{}{end}", members.join(","));
            if let Some(response) = decode(&frame) {
                prop_assert_eq!(decode_generally(&frame).unwrap(), Some(response));
            }
        }
    }

    #[test]
    fn the_usual_spellings_are_read() {
        for frame in [
            r#"{"type":"ack","ackId":7,"success":true}"#,
            r#"{"type":"message","from":"group","group":"g","fromUserId":null,"dataType":"text","data":"é","sequenceId":3,"deliveryCount":2}"#,
            r#"{"sequenceId":3,"type":"message","from":"group","fromUserId":"u","group":"g","dataType":"text","data":""}"#,
        ] {
            assert_eq!(decode(frame), decode_generally(frame).unwrap(), "{frame}");
            assert!(decode(frame).is_some(), "{frame}");
        }
    }
}
