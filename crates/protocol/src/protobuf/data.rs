//! The data of a message, and its annotations.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    MalformedMessage,
    schema::{Any, Entry, MessageData},
    wire::{Message, put_bytes, put_message, put_text_unless_empty},
};
use crate::{json::reader::is_json, message::Metadata, metadata, payload::Payload};

/// What may stand around a JSON value (RFC 8259, section 2).
const JSON_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Reads data; `None` when there is none, or of a kind that is not known.
pub(super) fn read(data: Option<MessageData<'_>>) -> Result<Option<Payload<'_>>, MalformedMessage> {
    Ok(Some(match data {
        None | Some(MessageData::Unknown) => return Ok(None),
        Some(MessageData::Text(text)) => Payload::Text(Cow::Borrowed(text)),
        Some(MessageData::Binary(bytes)) => Payload::Binary(Cow::Borrowed(bytes)),
        Some(MessageData::Protobuf(bytes)) => {
            Any::read(bytes)?;
            Payload::Protobuf(Cow::Borrowed(bytes))
        }
        Some(MessageData::Json(text)) => {
            if !is_json(text) {
                return Err(MalformedMessage::Data);
            }
            Payload::Json(Cow::Borrowed(text.trim_matches(JSON_SPACE)))
        }
    }))
}

/// Reads annotations.
pub(super) fn read_metadata(entries: &[Entry<'_>]) -> Result<Metadata, MalformedMessage> {
    metadata::checked(read_entries(entries)).ok_or(MalformedMessage::Metadata)
}

/// Reads a map. Of a name that comes twice, the later one counts.
pub(super) fn read_entries(entries: &[Entry<'_>]) -> BTreeMap<String, String> {
    entries.iter().map(|entry| (entry.name.to_owned(), entry.value.to_owned())).collect()
}

/// Writes data.
pub(super) fn put(out: &mut Vec<u8>, field: u8, payload: &Payload<'_>) {
    put_message(out, field, |data| match payload {
        Payload::Text(text) => put_bytes(data, 1, text.as_bytes()),
        Payload::Binary(bytes) => put_bytes(data, 2, bytes),
        Payload::Protobuf(bytes) => put_bytes(data, 3, bytes),
        Payload::Json(json) => put_bytes(data, 4, json.as_bytes()),
    });
}

/// Writes annotations.
pub(super) fn put_metadata(out: &mut Vec<u8>, field: u8, metadata: &Metadata) {
    for (name, value) in metadata {
        put_message(out, field, |entry| {
            put_text_unless_empty(entry, 1, name);
            put_text_unless_empty(entry, 2, value);
        });
    }
}
