//! Service to client.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{MalformedFrame, data, metadata, usual_response, write};
use crate::{
    message::{AckError, Metadata, Response},
    payload::Payload,
    stream::{StreamError, StreamInfo},
};

/// A string, borrowed from the frame unless it holds escapes.
#[derive(Deserialize)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of a frame, unread: each kind of frame reads those that it has, and a later version may give the others any
/// type.
struct Members<'a>(Vec<(Word<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Entries<'a> {
            type Value = Members<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a frame, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
                let mut members: Vec<(Word<'a>, &'a RawValue)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<Word<'a>, &'a RawValue>()? {
                    if members.iter().any(|(other, _)| other.0 == name.0) {
                        return Err(A::Error::custom(format_args!("`{}` comes twice", name.0)));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<'a> Members<'a> {
    /// A member as it stands in the frame. `null` is none.
    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(other, _)| other.0 == name)?;
        (value.get() != "null").then_some(*value)
    }

    fn read<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, MalformedFrame> {
        self.raw(name).map(|value| Ok(serde_json::from_str(value.get())?)).transpose()
    }

    fn word(&self, name: &str) -> Result<Option<Cow<'a, str>>, MalformedFrame> {
        Ok(self.read(name)?.map(|Word(word)| word))
    }

    fn text(&self, name: &str) -> Result<Option<String>, MalformedFrame> {
        Ok(self.word(name)?.map(Cow::into_owned))
    }

    fn error(&self) -> Result<AckError, MalformedFrame> {
        let members = self.read::<Members<'a>>("error")?;
        let part = |name| match &members {
            Some(members) => Ok::<_, MalformedFrame>(members.text(name)?.unwrap_or_default()),
            None => Ok(String::new()),
        };
        Ok(AckError { name: part("name")?, message: part("message")? })
    }

    fn stream(&self) -> Result<Option<StreamInfo>, MalformedFrame> {
        let Some(members) = self.read::<Members<'a>>("stream")? else { return Ok(None) };
        let error = members.read::<Members<'a>>("error")?.map(|error| {
            Ok::<_, MalformedFrame>(StreamError {
                name: error.text("name")?.unwrap_or_default(),
                message: error.text("message")?,
                user_error_code: error.text("userErrorCode")?,
            })
        });
        Ok(Some(StreamInfo {
            stream_id: required(members.text("streamId")?, "message", "streamId")?,
            stream_sequence_id: required(members.read("streamSequenceId")?, "message", "streamSequenceId")?,
            end_of_stream: members.read("endOfStream")?.unwrap_or(false),
            error: error.transpose()?,
        }))
    }

    /// The payload, and how to read it; `None` when this version cannot.
    fn payload(&self) -> Result<Option<Option<Payload<'a>>>, MalformedFrame> {
        let data_type = self.word("dataType")?;
        if !is_known_data_type(data_type.as_deref()) {
            return Ok(None);
        }
        Ok(Some(self.raw("data").map(|data| data::read(data_type.as_deref(), data)).transpose()?))
    }
}

/// Reads one response; `None` for a kind of frame, or of data, that this version does not know: the protocol tells
/// clients to ignore those.
///
/// # Errors
/// [`MalformedFrame`] when the text is no JSON object, or a known frame lacks what it needs.
pub fn decode_response(frame: &str) -> Result<Option<Response<'_>>, MalformedFrame> {
    match usual_response::decode(frame) {
        Some(response) => Ok(Some(response)),
        None => decode_generally(frame),
    }
}

pub(super) fn decode_generally(frame: &str) -> Result<Option<Response<'_>>, MalformedFrame> {
    let members: Members<'_> = serde_json::from_str(frame)?;
    let kind = required(members.word("type")?, "any", "type")?;
    match &*kind {
        "ack" => read_ack(&members).map(Some),
        "pong" => Ok(Some(Response::Pong)),
        "system" => read_system(&members),
        "streamAck" | "streamNack" | "streamClosed" => read_stream_state(&kind, &members).map(Some),
        "invokeResponse" => read_invoke_response(&members),
        "message" => read_message(&members),
        _ => Ok(None),
    }
}

fn required<T>(member: Option<T>, frame: &'static str, name: &'static str) -> Result<T, MalformedFrame> {
    member.ok_or(MalformedFrame::MissingMember { frame, member: name })
}

fn read_system<'a>(members: &Members<'a>) -> Result<Option<Response<'a>>, MalformedFrame> {
    Ok(match members.word("event")?.as_deref() {
        Some("connected") => Some(Response::Connected {
            connection_id: required(members.text("connectionId")?, "connected", "connectionId")?,
            user_id: members.text("userId")?,
            reconnection_token: members.text("reconnectionToken")?,
        }),
        Some("disconnected") => {
            Some(Response::Disconnected { message: members.text("message")?.unwrap_or_default() })
        }
        _ => None,
    })
}

fn read_ack(members: &Members<'_>) -> Result<Response<'static>, MalformedFrame> {
    let ack_id = required(members.read("ackId")?, "ack", "ackId")?;
    let is_success = required(members.read("success")?, "ack", "success")?;
    let outcome = if is_success { Ok(()) } else { Err(members.error()?) };
    Ok(Response::Ack { ack_id, outcome })
}

fn read_stream_state(kind: &str, members: &Members<'_>) -> Result<Response<'static>, MalformedFrame> {
    let stream_id = required(members.text("streamId")?, "stream", "streamId")?;
    if kind == "streamClosed" {
        let error = members.raw("error").map(|_| members.error()).transpose()?;
        return Ok(Response::StreamClosed { stream_id, error });
    }
    let expected_sequence_id = required(members.read("expectedSequenceId")?, "stream", "expectedSequenceId")?;
    if kind == "streamAck" {
        return Ok(Response::StreamAck { stream_id, expected_sequence_id });
    }
    let error = AckError {
        name: members.text("name")?.unwrap_or_default(),
        message: members.text("message")?.unwrap_or_default(),
    };
    Ok(Response::StreamNack { stream_id, expected_sequence_id, error })
}

fn read_invoke_response<'a>(members: &Members<'a>) -> Result<Option<Response<'a>>, MalformedFrame> {
    let invocation_id = required(members.text("invocationId")?, "invokeResponse", "invocationId")?;
    let is_success = required(members.read("success")?, "invokeResponse", "success")?;
    let outcome = if is_success {
        match members.payload()? {
            Some(payload) => Ok(payload),
            None => return Ok(None),
        }
    } else {
        Err(members.error()?)
    };
    Ok(Some(Response::InvokeResponse { invocation_id, outcome }))
}

/// Whether this version can read that kind of data.
fn is_known_data_type(data_type: Option<&str>) -> bool {
    data_type.is_none_or(|name| {
        ["json", "text", "binary", "protobuf"].iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

fn read_message<'a>(members: &Members<'a>) -> Result<Option<Response<'a>>, MalformedFrame> {
    let is_of_group = match members.word("from")?.as_deref() {
        Some("group") => true,
        Some("server") => false,
        _ => return Ok(None),
    };
    let Some(payload) = members.payload()? else { return Ok(None) };
    let payload = required(payload, "message", "data")?;
    let sequence_id = members.read("sequenceId")?;
    let metadata = metadata::checked(members.read("metadata")?)?;
    Ok(Some(if is_of_group {
        Response::GroupMessage {
            group: required(members.word("group")?, "message", "group")?,
            from_user_id: members.word("fromUserId")?,
            payload,
            sequence_id,
            metadata,
            stream: members.stream()?,
        }
    } else {
        Response::ServerMessage { payload, sequence_id, metadata }
    }))
}

/// Writes one response.
#[must_use]
pub fn encode_response(response: &Response<'_>) -> String {
    let mut out = String::new();
    append_response(&mut out, response);
    out
}

/// Writes one response behind what is in `out`.
pub fn append_response(out: &mut String, response: &Response<'_>) {
    out.reserve(likely_len(response));
    match response {
        Response::Connected { connection_id, user_id, reconnection_token } => {
            out.push_str("{\"type\":\"system\",\"event\":\"connected\",\"userId\":");
            write::optional_string(out, user_id.as_deref());
            out.push_str(",\"connectionId\":");
            write::string(out, connection_id);
            if let Some(token) = reconnection_token {
                out.push_str(",\"reconnectionToken\":");
                write::string(out, token);
            }
        }
        Response::Disconnected { message } => {
            out.push_str("{\"type\":\"system\",\"event\":\"disconnected\",\"message\":");
            write::string(out, message);
        }
        Response::Ack { ack_id, outcome } => {
            out.push_str("{\"type\":\"ack\"");
            write::number_member(out, "ackId", *ack_id);
            match outcome {
                Ok(()) => out.push_str(",\"success\":true"),
                Err(error) => {
                    out.push_str(",\"success\":false");
                    write_error(out, error);
                }
            }
        }
        Response::GroupMessage { group, from_user_id, payload, sequence_id, metadata, stream } => {
            out.push_str("{\"type\":\"message\",\"from\":\"group\",\"group\":");
            write::string(out, group);
            out.push_str(",\"fromUserId\":");
            write::optional_string(out, from_user_id.as_deref());
            if let Some(stream) = stream {
                write_stream_info(out, stream);
            }
            write_message_rest(out, payload, *sequence_id, metadata);
        }
        Response::ServerMessage { payload, sequence_id, metadata } => {
            out.push_str("{\"type\":\"message\",\"from\":\"server\"");
            write_message_rest(out, payload, *sequence_id, metadata);
        }
        Response::StreamAck { stream_id, expected_sequence_id } => {
            out.push_str("{\"type\":\"streamAck\"");
            write::string_member(out, "streamId", stream_id);
            write::number_member(out, "expectedSequenceId", *expected_sequence_id);
        }
        Response::StreamNack { stream_id, expected_sequence_id, error } => {
            out.push_str("{\"type\":\"streamNack\"");
            write::string_member(out, "streamId", stream_id);
            write::number_member(out, "expectedSequenceId", *expected_sequence_id);
            write::string_member(out, "name", &error.name);
            write::string_member(out, "message", &error.message);
        }
        Response::StreamClosed { stream_id, error } => {
            out.push_str("{\"type\":\"streamClosed\"");
            write::string_member(out, "streamId", stream_id);
            if let Some(error) = error {
                write_error(out, error);
            }
        }
        Response::InvokeResponse { invocation_id, outcome } => {
            out.push_str("{\"type\":\"invokeResponse\"");
            write::string_member(out, "invocationId", invocation_id);
            match outcome {
                Ok(payload) => {
                    out.push_str(",\"success\":true");
                    if let Some(payload) = payload {
                        data::write(out, payload);
                    }
                }
                Err(error) => {
                    out.push_str(",\"success\":false");
                    write_error(out, error);
                }
            }
        }
        Response::Pong => out.push_str("{\"type\":\"pong\""),
    }
    out.push('}');
}

fn write_error(out: &mut String, error: &AckError) {
    out.push_str(",\"error\":");
    write::object(out, [("name", Some(error.name.as_str())), ("message", Some(&error.message))]);
}

fn write_stream_info(out: &mut String, stream: &StreamInfo) {
    out.push_str(",\"stream\":{\"streamId\":");
    write::string(out, &stream.stream_id);
    write::number_member(out, "streamSequenceId", stream.stream_sequence_id);
    if stream.end_of_stream {
        out.push_str(",\"endOfStream\":true");
    }
    if let Some(StreamError { name, message, user_error_code }) = &stream.error {
        out.push_str(",\"error\":");
        let members = [
            ("name", Some(name.as_str())),
            ("message", message.as_deref()),
            ("userErrorCode", user_error_code.as_deref()),
        ];
        write::object(out, members);
    }
    out.push('}');
}

/// What the text of a response hardly exceeds, unless much of it has to be escaped: growing step by step costs more than
/// a little room that stays empty.
#[must_use]
pub fn likely_len(response: &Response<'_>) -> usize {
    /// Keys, punctuation, and names of usual length.
    const ENVELOPE: usize = 160;
    match response {
        Response::GroupMessage { payload, .. } | Response::ServerMessage { payload, .. } => {
            ENVELOPE
                + match payload {
                    Payload::Text(text) | Payload::Json(text) => text.len(),
                    Payload::Binary(bytes) | Payload::Protobuf(bytes) => bytes.len().div_ceil(3) * 4,
                }
        }
        _ => ENVELOPE,
    }
}

fn write_message_rest(
    out: &mut String,
    payload: &crate::payload::Payload<'_>,
    sequence_id: Option<u64>,
    metadata: &Metadata,
) {
    data::write(out, payload);
    if let Some(sequence_id) = sequence_id {
        write::number_member(out, "sequenceId", sequence_id);
    }
    metadata::write(out, metadata);
}

#[cfg(test)]
mod tests;
