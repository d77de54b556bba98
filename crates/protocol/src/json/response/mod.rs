//! Service to client.

use std::borrow::Cow;

use super::{MalformedFrame, data, metadata, reader::Members, usual_response, write};
use crate::{
    message::{AckError, GroupStateItem, Metadata, Response, Sequence},
    payload::Payload,
    stream::{StreamError, StreamInfo},
};

/// The members of each kind of frame are read when that kind asks for them: a later version may give the others any type.
fn text(members: &Members<'_>, name: &'static str) -> Result<Option<String>, MalformedFrame> {
    Ok(members.text(name)?.map(Cow::into_owned))
}

fn error_of(members: &Members<'_>) -> Result<AckError, MalformedFrame> {
    let Some(error) = members.object("error")? else {
        return Ok(AckError { name: String::new(), message: String::new() });
    };
    Ok(AckError {
        name: text(&error, "name")?.unwrap_or_default(),
        message: text(&error, "message")?.unwrap_or_default(),
    })
}

fn stream_of(members: &Members<'_>) -> Result<Option<StreamInfo>, MalformedFrame> {
    let Some(stream) = members.object("stream")? else { return Ok(None) };
    let error = match stream.object("error")? {
        Some(error) => Some(StreamError {
            name: text(&error, "name")?.unwrap_or_default(),
            message: text(&error, "message")?,
            user_error_code: text(&error, "userErrorCode")?,
        }),
        None => None,
    };
    Ok(Some(StreamInfo {
        stream_id: required(text(&stream, "streamId")?, "message", "streamId")?,
        stream_sequence_id: required(stream.number("streamSequenceId")?, "message", "streamSequenceId")?,
        end_of_stream: stream.flag("endOfStream")?.unwrap_or(false),
        error,
    }))
}

/// The payload, if there is one, and whether this version can read it.
fn payload_of<'a>(members: &Members<'a>) -> Result<Option<Option<Payload<'a>>>, MalformedFrame> {
    let data_type = members.text("dataType")?;
    if !is_known_data_type(data_type.as_deref()) {
        return Ok(None);
    }
    Ok(Some(members.raw("data").map(|data| data::read(data_type.as_deref(), data)).transpose()?))
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
    let members = Members::read(frame)?;
    let kind = required(members.text("type")?, "any", "type")?;
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

pub(in crate::json) fn required<T>(
    member: Option<T>,
    frame: &'static str,
    name: &'static str,
) -> Result<T, MalformedFrame> {
    member.ok_or(MalformedFrame::MissingMember { frame, member: name })
}

fn read_system<'a>(members: &Members<'a>) -> Result<Option<Response<'a>>, MalformedFrame> {
    Ok(match members.text("event")?.as_deref() {
        Some("connected") => Some(Response::Connected {
            connection_id: required(text(members, "connectionId")?, "connected", "connectionId")?,
            user_id: text(members, "userId")?,
            reconnection_token: text(members, "reconnectionToken")?,
            run_id: text(members, "runId")?,
        }),
        Some("disconnected") => {
            Some(Response::Disconnected { message: text(members, "message")?.unwrap_or_default() })
        }
        _ => None,
    })
}

fn read_ack(members: &Members<'_>) -> Result<Response<'static>, MalformedFrame> {
    let ack_id = required(members.number("ackId")?, "ack", "ackId")?;
    let is_success = required(members.flag("success")?, "ack", "success")?;
    let outcome = if is_success { Ok(()) } else { Err(error_of(members)?) };
    Ok(Response::Ack { ack_id, outcome })
}

fn read_stream_state(kind: &str, members: &Members<'_>) -> Result<Response<'static>, MalformedFrame> {
    let stream_id = required(text(members, "streamId")?, "stream", "streamId")?;
    if kind == "streamClosed" {
        let error = members.raw("error").map(|_| error_of(members)).transpose()?;
        return Ok(Response::StreamClosed { stream_id, error });
    }
    let expected_sequence_id =
        required(members.number("expectedSequenceId")?, "stream", "expectedSequenceId")?;
    if kind == "streamAck" {
        return Ok(Response::StreamAck { stream_id, expected_sequence_id });
    }
    let error = AckError {
        name: text(members, "name")?.unwrap_or_default(),
        message: text(members, "message")?.unwrap_or_default(),
    };
    Ok(Response::StreamNack { stream_id, expected_sequence_id, error })
}

fn read_invoke_response<'a>(members: &Members<'a>) -> Result<Option<Response<'a>>, MalformedFrame> {
    let invocation_id = required(text(members, "invocationId")?, "invokeResponse", "invocationId")?;
    let is_success = required(members.flag("success")?, "invokeResponse", "success")?;
    let outcome = if is_success {
        match payload_of(members)? {
            Some(payload) => Ok(payload),
            None => return Ok(None),
        }
    } else {
        Err(error_of(members)?)
    };
    Ok(Some(Response::InvokeResponse { invocation_id, outcome }))
}

/// Whether this version can read that kind of data.
fn is_known_data_type(data_type: Option<&str>) -> bool {
    data_type.is_none_or(|name| {
        ["json", "text", "binary", "protobuf"].iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

pub(in crate::json) fn read_message<'a>(
    members: &Members<'a>,
) -> Result<Option<Response<'a>>, MalformedFrame> {
    let is_of_group = match members.text("from")?.as_deref() {
        Some("group") => true,
        Some("server") => false,
        _ => return Ok(None),
    };
    let Some(payload) = payload_of(members)? else { return Ok(None) };
    let payload = required(payload, "message", "data")?;
    let count = members.number("deliveryCount")?;
    let sequence = members.number("sequenceId")?.map(|id| Sequence { id, count });
    let metadata = metadata::read(members.object("metadata")?)?;
    Ok(Some(if is_of_group {
        Response::GroupMessage {
            group: required(members.text("group")?, "message", "group")?,
            from_user_id: members.text("fromUserId")?,
            payload,
            sequence,
            metadata,
            stream: stream_of(members)?,
        }
    } else {
        Response::ServerMessage { payload, sequence, metadata }
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
        Response::Connected { connection_id, user_id, reconnection_token, run_id } => {
            out.push_str("{\"type\":\"system\",\"event\":\"connected\"");
            if let Some(user_id) = user_id {
                write::string_member(out, "userId", user_id);
            }
            write::string_member(out, "connectionId", connection_id);
            if let Some(token) = reconnection_token {
                out.push_str(",\"reconnectionToken\":");
                write::string(out, token);
            }
            if let Some(run_id) = run_id {
                out.push_str(",\"runId\":");
                write::string(out, run_id);
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
        Response::GroupMessage { group, from_user_id, payload, sequence, metadata, stream } => {
            out.push_str("{\"type\":\"message\",\"from\":\"group\",\"group\":");
            write::string(out, group);
            if let Some(user_id) = from_user_id {
                write::string_member(out, "fromUserId", user_id);
            }
            if let Some(stream) = stream {
                write_stream_info(out, stream);
            }
            write_message_rest(out, payload, *sequence, metadata);
        }
        Response::ServerMessage { payload, sequence, metadata } => {
            out.push_str("{\"type\":\"message\",\"from\":\"server\"");
            write_message_rest(out, payload, *sequence, metadata);
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
        Response::GroupStates { group, is_snapshot, items } => {
            let kind = if *is_snapshot { "groupStateSnapshot" } else { "groupStateUpdate" };
            out.push_str("{\"type\":");
            write::string(out, kind);
            write::string_member(out, "group", group);
            out.push_str(",\"items\":[");
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                write_state_item(out, item);
            }
            out.push(']');
        }
        Response::Pong => out.push_str("{\"type\":\"pong\""),
    }
    out.push('}');
}

fn write_state_item(out: &mut String, item: &GroupStateItem) {
    out.push_str("{\"connectionId\":");
    write::string(out, &item.connection_id);
    if let Some(user_id) = &item.user_id {
        write::string_member(out, "userId", user_id);
    }
    if let Some(state) = &item.state {
        write::state_member(out, state);
    }
    write::number_member(out, "updatedAt", item.updated_at);
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
            ENVELOPE + data::likely_len(payload)
        }
        _ => ENVELOPE,
    }
}

fn write_message_rest(
    out: &mut String,
    payload: &crate::payload::Payload<'_>,
    sequence: Option<Sequence>,
    metadata: &Metadata,
) {
    data::write(out, payload);
    if let Some(Sequence { id, count }) = sequence {
        write::number_member(out, "sequenceId", id);
        if let Some(count) = count {
            write::number_member(out, "deliveryCount", count);
        }
    }
    metadata::write(out, metadata);
}

#[cfg(test)]
mod tests;
