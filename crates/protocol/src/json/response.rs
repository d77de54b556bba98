//! Service to client.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MalformedFrame, data, metadata, usual_response, write};
use crate::{
    message::{AckError, Metadata, Response},
    payload::Payload,
    stream::{StreamError, StreamInfo},
};

/// A string that is looked at and not kept: borrowed from the frame unless it holds escapes.
#[derive(Deserialize)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

impl Word<'_> {
    fn as_str(&self) -> &str {
        &self.0
    }
}

/// A word that may be missing.
fn word<'w>(word: Option<&'w Word<'_>>) -> Option<&'w str> {
    word.map(Word::as_str)
}

/// Every member that some response has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow)]
    r#type: Word<'a>,
    #[serde(borrow)]
    event: Option<Word<'a>>,
    #[serde(borrow)]
    from: Option<Word<'a>>,
    connection_id: Option<String>,
    user_id: Option<String>,
    reconnection_token: Option<String>,
    message: Option<String>,
    ack_id: Option<u64>,
    success: Option<bool>,
    error: Option<ErrorMembers>,
    #[serde(borrow)]
    group: Option<Word<'a>>,
    #[serde(borrow)]
    from_user_id: Option<Word<'a>>,
    #[serde(borrow)]
    data_type: Option<Word<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    sequence_id: Option<u64>,
    metadata: Option<metadata::Given>,
    stream: Option<StreamMembers>,
    stream_id: Option<String>,
    expected_sequence_id: Option<u64>,
    name: Option<String>,
    invocation_id: Option<String>,
}

#[derive(Deserialize, Default)]
struct ErrorMembers {
    #[serde(default)]
    name: String,
    #[serde(default)]
    message: String,
}

impl From<ErrorMembers> for AckError {
    fn from(ErrorMembers { name, message }: ErrorMembers) -> Self {
        Self { name, message }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamMembers {
    stream_id: String,
    stream_sequence_id: u64,
    end_of_stream: Option<bool>,
    error: Option<StreamErrorMembers>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamErrorMembers {
    #[serde(default)]
    name: String,
    message: Option<String>,
    user_error_code: Option<String>,
}

impl From<StreamMembers> for StreamInfo {
    fn from(members: StreamMembers) -> Self {
        let error = members.error.map(|StreamErrorMembers { name, message, user_error_code }| StreamError {
            name,
            message,
            user_error_code,
        });
        Self {
            stream_id: members.stream_id,
            stream_sequence_id: members.stream_sequence_id,
            end_of_stream: members.end_of_stream.unwrap_or(false),
            error,
        }
    }
}

/// The members that tell which kind of frame it is.
#[derive(Deserialize)]
struct Kind {
    r#type: String,
    event: Option<String>,
    from: Option<String>,
}

impl Kind {
    /// Whether a client of today knows what to do with such a frame.
    fn is_known(&self) -> bool {
        match self.r#type.as_str() {
            "ack" | "pong" | "streamAck" | "streamNack" | "streamClosed" | "invokeResponse" => true,
            "system" => matches!(self.event.as_deref(), Some("connected" | "disconnected")),
            "message" => matches!(self.from.as_deref(), Some("group" | "server")),
            _ => false,
        }
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
    let members: Members<'_> = match serde_json::from_str(frame) {
        Ok(members) => members,
        // A later version may give a member we know another type, in a frame we need not understand.
        Err(error) => {
            return match serde_json::from_str::<Kind>(frame) {
                Ok(kind) if !kind.is_known() => Ok(None),
                _ => Err(error.into()),
            };
        }
    };
    match (members.r#type.as_str(), word(members.event.as_ref()), word(members.from.as_ref())) {
        ("ack", ..) => read_ack(members).map(Some),
        ("pong", ..) => Ok(Some(Response::Pong)),
        ("system", Some("connected"), _) => Ok(Some(Response::Connected {
            connection_id: required(members.connection_id, "connected", "connectionId")?,
            user_id: members.user_id,
            reconnection_token: members.reconnection_token,
        })),
        ("system", Some("disconnected"), _) => {
            Ok(Some(Response::Disconnected { message: members.message.unwrap_or_default() }))
        }
        ("streamAck" | "streamNack" | "streamClosed", ..) => read_stream_state(members).map(Some),
        ("invokeResponse", ..) => read_invoke_response(members),
        ("message", _, Some("group")) => read_group_message(members),
        ("message", _, Some("server")) => read_server_message(members),
        _ => Ok(None),
    }
}

fn required<T>(member: Option<T>, frame: &'static str, name: &'static str) -> Result<T, MalformedFrame> {
    member.ok_or(MalformedFrame::MissingMember { frame, member: name })
}

fn read_ack(members: Members<'_>) -> Result<Response<'static>, MalformedFrame> {
    let ack_id = required(members.ack_id, "ack", "ackId")?;
    let outcome = if required(members.success, "ack", "success")? {
        Ok(())
    } else {
        Err(members.error.unwrap_or_default().into())
    };
    Ok(Response::Ack { ack_id, outcome })
}

fn read_stream_state(members: Members<'_>) -> Result<Response<'static>, MalformedFrame> {
    let stream_id = required(members.stream_id, "stream", "streamId")?;
    if members.r#type.as_str() == "streamClosed" {
        return Ok(Response::StreamClosed { stream_id, error: members.error.map(Into::into) });
    }
    let expected_sequence_id = required(members.expected_sequence_id, "stream", "expectedSequenceId")?;
    if members.r#type.as_str() == "streamAck" {
        return Ok(Response::StreamAck { stream_id, expected_sequence_id });
    }
    let (name, message) = (members.name.unwrap_or_default(), members.message.unwrap_or_default());
    Ok(Response::StreamNack { stream_id, expected_sequence_id, error: AckError { name, message } })
}

fn read_invoke_response(members: Members<'_>) -> Result<Option<Response<'_>>, MalformedFrame> {
    let invocation_id = required(members.invocation_id, "invokeResponse", "invocationId")?;
    if !required(members.success, "invokeResponse", "success")? {
        let outcome = Err(members.error.unwrap_or_default().into());
        return Ok(Some(Response::InvokeResponse { invocation_id, outcome }));
    }
    if !is_known_data_type(word(members.data_type.as_ref())) {
        return Ok(None);
    }
    let payload = members.data.map(|data| data::read(word(members.data_type.as_ref()), data)).transpose()?;
    Ok(Some(Response::InvokeResponse { invocation_id, outcome: Ok(payload) }))
}

/// Whether this version can read that kind of data.
fn is_known_data_type(data_type: Option<&str>) -> bool {
    data_type.is_none_or(|name| {
        ["json", "text", "binary", "protobuf"].iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

fn read_group_message(members: Members<'_>) -> Result<Option<Response<'_>>, MalformedFrame> {
    if !is_known_data_type(word(members.data_type.as_ref())) {
        return Ok(None);
    }
    let payload = data::read(word(members.data_type.as_ref()), required(members.data, "message", "data")?)?;
    Ok(Some(Response::GroupMessage {
        group: required(members.group, "message", "group")?.0,
        from_user_id: members.from_user_id.map(|Word(user)| user),
        payload,
        sequence_id: members.sequence_id,
        metadata: metadata::checked(members.metadata)?,
        stream: members.stream.map(Into::into),
    }))
}

fn read_server_message(members: Members<'_>) -> Result<Option<Response<'_>>, MalformedFrame> {
    if !is_known_data_type(word(members.data_type.as_ref())) {
        return Ok(None);
    }
    let payload = data::read(word(members.data_type.as_ref()), required(members.data, "message", "data")?)?;
    Ok(Some(Response::ServerMessage {
        payload,
        sequence_id: members.sequence_id,
        metadata: metadata::checked(members.metadata)?,
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
