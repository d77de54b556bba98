//! The messages that there are most of, read and written without a general codec: those that carry text or bytes to a
//! group and from it. Nothing is copied but into the frame.
//!
//! Whatever is unusual (other fields, fields twice, other kinds of data) is left to the general codec, which also says what
//! is wrong. So this one may only ever be faster, never different: property tests hold the two against each other.

use std::borrow::Cow;

use super::wire::{DELIMITED, VARINT, put_varint, text_of, varint, varint_len};
use crate::{
    message::{Metadata, Request, Response, Sequence},
    name::GroupRef,
    payload::Payload,
};

/// Key of a field: its number, and how its value is written.
const fn key(number: u8, wire_type: u8) -> u8 {
    number << 3 | wire_type
}

/// Reads a `SendToGroup` if it is the usual one.
pub(super) fn decode_send(frame: &[u8]) -> Option<Request<'_>> {
    const SEND_TO_GROUP: u8 = key(1, DELIMITED);
    const GROUP: u8 = key(1, DELIMITED);
    const ACK_ID: u8 = key(2, VARINT);
    const DATA: u8 = key(3, DELIMITED);
    const NO_ECHO: u8 = key(4, VARINT);
    let mut frame = frame;
    let mut rest = only_field(&mut frame, SEND_TO_GROUP)?;
    let (mut group, mut ack_id, mut payload, mut no_echo) = (None, None, None, None);
    while let Some((key, after)) = rest.split_first() {
        rest = after;
        match *key {
            GROUP => put(&mut group, text_of(delimited(&mut rest)?)?)?,
            ACK_ID => put(&mut ack_id, varint(&mut rest).ok()?)?,
            DATA => put(&mut payload, data(delimited(&mut rest)?)?)?,
            NO_ECHO => put(&mut no_echo, varint(&mut rest).ok()? != 0)?,
            _ => return None,
        }
    }
    Some(Request::SendToGroup {
        group: GroupRef::new(group?).ok()?,
        ack_id,
        no_echo: no_echo.unwrap_or(false),
        ttl_seconds: 0,
        payload: payload?,
        metadata: Metadata::new(),
    })
}

const TEXT: u8 = key(1, DELIMITED);
const BINARY: u8 = key(2, DELIMITED);
const JSON: u8 = key(4, DELIMITED);

/// Reads text or bytes.
fn data(mut message: &[u8]) -> Option<Payload<'_>> {
    match message.first() {
        Some(&TEXT) => {
            let text = text_of(only_field(&mut message, TEXT)?)?;
            Some(Payload::Text(Cow::Borrowed(text)))
        }
        Some(&BINARY) => Some(Payload::Binary(Cow::Borrowed(only_field(&mut message, BINARY)?))),
        _ => None,
    }
}

/// The field that is the whole of `message`.
fn only_field<'a>(message: &mut &'a [u8], key: u8) -> Option<&'a [u8]> {
    let (_, rest) = message.split_first().filter(|(first, _)| **first == key)?;
    *message = rest;
    delimited(message).filter(|_| message.is_empty())
}

/// Takes a length, and that many bytes, off `message`.
fn delimited<'a>(message: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(varint(message).ok()?).ok()?;
    let (value, rest) = message.split_at_checked(len)?;
    *message = rest;
    Some(value)
}

fn put<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Reads a message of text or bytes from a group, or an ack of success, if it is the usual one.
pub(super) fn decode_response(frame: &[u8]) -> Option<Response<'_>> {
    const ACK: u8 = key(1, DELIMITED);
    let mut frame = frame;
    match frame.first() {
        Some(&ACK) => ack(only_field(&mut frame, ACK)?),
        Some(&DATA_MESSAGE) => group_message(only_field(&mut frame, DATA_MESSAGE)?),
        _ => None,
    }
}

fn ack(mut rest: &[u8]) -> Option<Response<'_>> {
    const ACK_ID: u8 = key(1, VARINT);
    const SUCCESS: u8 = key(2, VARINT);
    let (mut ack_id, mut success) = (None, None);
    while let Some((key, after)) = rest.split_first() {
        rest = after;
        match *key {
            ACK_ID => put(&mut ack_id, varint(&mut rest).ok()?)?,
            SUCCESS => put(&mut success, varint(&mut rest).ok()? != 0)?,
            _ => return None,
        }
    }
    success?.then_some(Response::Ack { ack_id: ack_id?, outcome: Ok(()) })
}

fn group_message(mut rest: &[u8]) -> Option<Response<'_>> {
    let (mut is_from_group, mut group, mut payload, mut sequence_id, mut count) =
        (None, None, None, None, None);
    while let Some((key, after)) = rest.split_first() {
        rest = after;
        match *key {
            FROM => put(&mut is_from_group, delimited(&mut rest)? == b"group")?,
            GROUP => put(&mut group, text_of(delimited(&mut rest)?)?)?,
            DATA => put(&mut payload, data(delimited(&mut rest)?)?)?,
            SEQUENCE_ID => put(&mut sequence_id, varint(&mut rest).ok()?)?,
            DELIVERY_COUNT => put(&mut count, varint(&mut rest).ok()?)?,
            _ => return None,
        }
    }
    if !is_from_group? {
        return None;
    }
    Some(Response::GroupMessage {
        group: Cow::Borrowed(group?),
        from_user_id: None,
        payload: payload?,
        sequence: sequence_id.map(|id| Sequence { id, count }),
        metadata: Metadata::new(),
        stream: None,
    })
}

/// Fields of a `DownstreamMessage`, and of the data message in it.
const DATA_MESSAGE: u8 = key(2, DELIMITED);
const FROM: u8 = key(1, DELIMITED);
const GROUP: u8 = key(2, DELIMITED);
const DATA: u8 = key(3, DELIMITED);
const SEQUENCE_ID: u8 = key(4, VARINT);
const DELIVERY_COUNT: u8 = key(15, VARINT);

/// Writes a message of text or bytes, behind what is in `out`, if it is the usual one. Whether it was.
pub(super) fn append_message(out: &mut Vec<u8>, response: &Response<'_>) -> bool {
    let (from, group, payload, sequence) = match response {
        Response::GroupMessage { group, payload, sequence, metadata, stream: None, .. }
            if metadata.is_empty() =>
        {
            ("group", Some(group.as_ref()), payload, *sequence)
        }
        Response::ServerMessage { payload, sequence, metadata } if metadata.is_empty() => {
            ("server", None, payload, *sequence)
        }
        _ => return false,
    };
    let (data_key, bytes) = match payload {
        Payload::Text(text) => (TEXT, text.as_bytes()),
        Payload::Json(json) => (JSON, json.as_bytes()),
        Payload::Binary(bytes) => (BINARY, bytes.as_ref()),
        Payload::Protobuf(_) => return false,
    };
    let data_len = field_len(bytes.len());
    let count = sequence.and_then(|sequence| sequence.count);
    let len = field_len(from.len())
        + group.map_or(0, |group| field_len(group.len()))
        + field_len(data_len)
        + sequence.map_or(0, |sequence| 1 + varint_len(sequence.id))
        + count.map_or(0, |count| 1 + varint_len(count));
    out.reserve(field_len(len));
    put_head(out, DATA_MESSAGE, len);
    put_head(out, FROM, from.len());
    out.extend_from_slice(from.as_bytes());
    if let Some(group) = group {
        put_head(out, GROUP, group.len());
        out.extend_from_slice(group.as_bytes());
    }
    put_head(out, DATA, data_len);
    put_head(out, data_key, bytes.len());
    out.extend_from_slice(bytes);
    if let Some(Sequence { id, .. }) = sequence {
        out.push(SEQUENCE_ID);
        put_varint(out, id);
    }
    if let Some(count) = count {
        out.push(DELIVERY_COUNT);
        put_varint(out, count);
    }
    true
}

/// Length of a field whose value has `len` bytes.
fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

fn put_head(out: &mut Vec<u8>, key: u8, len: usize) {
    out.push(key);
    put_varint(out, len as u64);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{
            request::{decode_generally, encode_request},
            response::encode_generally,
        },
        *,
    };

    fn any_sequence() -> impl Strategy<Value = Option<Sequence>> {
        any::<Option<(u64, Option<u64>)>>()
            .prop_map(|numbers| numbers.map(|(id, count)| Sequence { id, count }))
    }

    fn any_payload() -> impl Strategy<Value = Payload<'static>> {
        prop_oneof![
            ".{0,200}".prop_map(|text| Payload::Text(text.into())),
            any::<Vec<u8>>().prop_map(|bytes| Payload::Binary(bytes.into())),
            Just(Payload::Json("[1]".into())),
        ]
    }

    proptest! {
        #[test]
        fn what_it_reads_the_general_codec_reads_alike(
            group in "[a-z ]{0,3}", ack_id in any::<Option<u64>>(), no_echo in any::<bool>(), payload in any_payload(),
            noise in prop::option::of((any::<prop::sample::Index>(), any::<u8>())), cut in 0..3_usize,
        ) {
            let Ok(group) = GroupRef::new(&group) else { return Ok(()) };
            let request = Request::SendToGroup {
                group, ack_id, no_echo, ttl_seconds: 0, payload, metadata: Metadata::new(),
            };
            let mut frame = encode_request(&request);
            if let Some((place, byte)) = noise {
                let place = place.index(frame.len());
                frame[place] = byte;
            } else if !matches!(request, Request::SendToGroup { payload: Payload::Json(_), .. }) {
                prop_assert_eq!(decode_send(&frame), Some(request));
            }
            frame.truncate(frame.len() - cut);
            if let Some(read) = decode_send(&frame) {
                prop_assert_eq!(decode_generally(&frame).unwrap(), read);
            }
        }

        #[test]
        fn of_responses_it_reads_what_the_general_codec_reads(
            group in "[a-z]{0,3}", payload in any_payload(), sequence in any_sequence(), ack_id in any::<u64>(),
            is_ack in any::<bool>(), noise in prop::option::of((any::<prop::sample::Index>(), any::<u8>())), cut in 0..3_usize,
        ) {
            let response = if is_ack {
                Response::Ack { ack_id, outcome: Ok(()) }
            } else {
                let (from_user_id, metadata) = (None, Metadata::new());
                Response::GroupMessage { group: group.into(), from_user_id, payload, sequence, metadata, stream: None }
            };
            let mut frame = encode_generally(&response);
            match noise {
                Some((place, byte)) => {
                    let place = place.index(frame.len());
                    frame[place] = byte;
                }
                // An id of 0 is left out, and JSON is left to the general codec.
                None => {
                    let is_usual = match &response {
                        Response::GroupMessage { payload, .. } => !matches!(payload, Payload::Json(_)),
                        _ => ack_id != 0,
                    };
                    prop_assert_eq!(decode_response(&frame).is_some(), is_usual);
                }
            }
            frame.truncate(frame.len() - cut);
            if let Some(read) = decode_response(&frame) {
                prop_assert_eq!(super::super::response::decode_generally(&frame).unwrap(), Some(read));
            }
        }

        #[test]
        fn what_it_writes_the_general_codec_writes_alike(
            group in prop::option::of("[a-z]{0,200}"), payload in any_payload(), sequence in any_sequence(),
        ) {
            let metadata = Metadata::new();
            let response = match group {
                Some(group) => Response::GroupMessage {
                    group: group.into(), from_user_id: None, payload, sequence, metadata, stream: None,
                },
                None => Response::ServerMessage { payload, sequence, metadata },
            };
            let mut written = b"before".to_vec();
            prop_assert!(append_message(&mut written, &response));
            prop_assert_eq!(&written[6..], encode_generally(&response));
        }
    }
}
