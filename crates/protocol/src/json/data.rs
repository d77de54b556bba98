//! The members `dataType` and `data`.

use std::borrow::Cow;

use super::{MalformedFrame, reader::text_of};
use crate::payload::Payload;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

/// Reads `data` as its `dataType` says; JSON when there is none.
pub(super) fn read<'a>(data_type: Option<&str>, data: &'a str) -> Result<Payload<'a>, MalformedFrame> {
    let is = |name: &str| data_type.is_some_and(|given| given.eq_ignore_ascii_case(name));
    if data_type.is_none() || is("json") {
        return match data {
            "null" => Err(MalformedFrame::Data),
            json => Ok(Payload::Json(Cow::Borrowed(json))),
        };
    }
    if is("text") {
        Ok(Payload::Text(read_text(data)?))
    } else if is("binary") {
        Ok(Payload::Binary(read_base64(data)?.into()))
    } else if is("protobuf") {
        Ok(Payload::Protobuf(read_base64(data)?.into()))
    } else {
        Err(MalformedFrame::Data)
    }
}

fn read_text(data: &str) -> Result<Cow<'_, str>, MalformedFrame> {
    text_of(data).ok_or(MalformedFrame::Data)
}

fn read_base64(data: &str) -> Result<Vec<u8>, MalformedFrame> {
    BASE64.decode(read_text(data)?.as_bytes()).map_err(|_| MalformedFrame::Data)
}

/// Appends `,"dataType":…,"data":…`.
pub(super) fn write(out: &mut String, payload: &Payload<'_>) {
    out.push_str(",\"dataType\":");
    match payload {
        Payload::Text(text) => {
            out.push_str("\"text\",\"data\":");
            super::write::string(out, text);
        }
        Payload::Json(json) => {
            out.push_str("\"json\",\"data\":");
            out.push_str(json);
        }
        Payload::Binary(bytes) => {
            out.push_str("\"binary\",\"data\":\"");
            BASE64.encode_string(bytes, out);
            out.push('"');
        }
        Payload::Protobuf(bytes) => {
            out.push_str("\"protobuf\",\"data\":\"");
            BASE64.encode_string(bytes, out);
            out.push('"');
        }
    }
}

/// How long the data of a payload is as JSON, unless much of it has to be escaped.
pub(super) fn likely_len(payload: &Payload<'_>) -> usize {
    match payload {
        Payload::Text(text) | Payload::Json(text) => text.len(),
        Payload::Binary(bytes) | Payload::Protobuf(bytes) => bytes.len().div_ceil(3) * 4,
    }
}
