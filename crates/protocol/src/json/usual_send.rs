//! The frame that there is most of, read without a general parser: a `sendToGroup` of text as clients usually spell it.
//!
//! Whatever is unusual (escapes, other members, other types, members twice) is left to the general parser, which also says
//! what is wrong. So this one may only ever be faster, never different: a property test holds the two against each other.

use std::borrow::Cow;

use super::scan::{put, put_number, put_string};
use crate::{
    message::{Metadata, Request},
    name::GroupRef,
    payload::Payload,
};

/// What was found so far. A member that comes twice is unusual.
#[derive(Default)]
struct Members<'a> {
    is_send: Option<()>,
    group: Option<&'a str>,
    is_text: Option<()>,
    data: Option<&'a str>,
    ack_id: Option<u64>,
    no_echo: Option<bool>,
}

/// Reads the frame if it is the usual one.
pub(super) fn decode(frame: &str) -> Option<Request<'_>> {
    let members = Members::read(frame)?;
    members.is_send?;
    members.is_text?;
    Some(Request::SendToGroup {
        group: GroupRef::new(members.group?).ok()?,
        ack_id: members.ack_id,
        no_echo: members.no_echo.unwrap_or(false),
        ttl_seconds: 0,
        payload: Payload::Text(Cow::Borrowed(members.data?)),
        metadata: Metadata::new(),
    })
}

impl<'a> Members<'a> {
    fn read(frame: &'a str) -> Option<Self> {
        let mut members = Self::default();
        let mut rest = frame.strip_prefix('{')?;
        loop {
            // Most often first, and member and value at once where only one value will do: to compare with a constant costs
            // next to nothing.
            if let Some(after) = rest.strip_prefix(r#""type":"sendToGroup""#) {
                put(&mut members.is_send, ())?;
                rest = after;
            } else if let Some(after) = rest.strip_prefix(r#""group":"#) {
                rest = put_string(&mut members.group, after)?;
            } else if let Some(after) = rest.strip_prefix(r#""dataType":"text""#) {
                put(&mut members.is_text, ())?;
                rest = after;
            } else if let Some(after) = rest.strip_prefix(r#""data":"#) {
                rest = put_string(&mut members.data, after)?;
            } else if let Some(after) = rest.strip_prefix(r#""ackId":"#) {
                rest = put_number(&mut members.ack_id, after)?;
            } else {
                let after = rest.strip_prefix(r#""noEcho":"#)?;
                let value = after.starts_with("true");
                put(&mut members.no_echo, value)?;
                rest = after.strip_prefix(if value { "true" } else { "false" })?;
            }
            match rest {
                "}" => return Some(members),
                _ => rest = rest.strip_prefix(',')?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::request::decode_generally, *};

    fn any_member() -> impl Strategy<Value = String> {
        let text = "[a-zé\\\\\"{},:\u{1} ]{0,6}";
        prop_oneof![
            4 => Just(r#""type":"sendToGroup""#.to_owned()),
            4 => Just(r#""dataType":"text""#.to_owned()),
            4 => "[a-z ]{0,3}".prop_map(|group| format!(r#""group":"{group}""#)),
            4 => text.prop_map(|data| format!(r#""data":"{data}""#)),
            2 => "[0-9]{0,21}".prop_map(|number| format!(r#""ackId":{number}"#)),
            2 => prop_oneof![Just("true"), Just("false"), Just("null"), Just("truex")].prop_map(|b| format!(r#""noEcho":{b}"#)),
            1 => Just(r#""ttlSeconds":5"#.to_owned()),
            1 => Just(r#""data":{"a":1}"#.to_owned()),
            1 => Just(r#""dataType":"json""#.to_owned()),
            1 => Just(r#" "type" : "ping""#.to_owned()),
            1 => Just(r#""metadata":{"k":"v"}"#.to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn what_it_reads_the_general_parser_reads_alike(
            members in prop::collection::vec(any_member(), 0..7), end in prop_oneof![9 => Just("}"), 1 => Just("} "), 1 => Just(",}"), 1 => Just("")],
        ) {
            let frame = format!("{{{}{end}", members.join(","));
            if let Some(request) = decode(&frame) {
                prop_assert_eq!(decode_generally(&frame).unwrap(), request);
            }
        }
    }

    #[test]
    fn the_usual_spellings_are_read() {
        for frame in [
            r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"x"}"#,
            r#"{"type":"sendToGroup","group":"g","ackId":7,"noEcho":false,"dataType":"text","data":"é <b>"}"#,
            r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"","ackId":0,"noEcho":true}"#,
        ] {
            assert_eq!(decode(frame).unwrap(), decode_generally(frame).unwrap(), "{frame}");
        }
    }
}
