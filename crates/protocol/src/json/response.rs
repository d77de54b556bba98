//! Service to client.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MalformedFrame, data, metadata, write};
use crate::{
    message::{AckError, Metadata, Response},
    payload::Payload,
};

/// Every member that some response has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    r#type: String,
    event: Option<String>,
    from: Option<String>,
    connection_id: Option<String>,
    user_id: Option<String>,
    reconnection_token: Option<String>,
    message: Option<String>,
    ack_id: Option<u64>,
    success: Option<bool>,
    error: Option<ErrorMembers>,
    group: Option<String>,
    from_user_id: Option<String>,
    data_type: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    sequence_id: Option<u64>,
    metadata: Option<metadata::Given>,
}

#[derive(Deserialize)]
struct ErrorMembers {
    #[serde(default)]
    name: String,
    #[serde(default)]
    message: String,
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
            "ack" | "pong" => true,
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
    match (members.r#type.as_str(), members.event.as_deref(), members.from.as_deref()) {
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
        let error = members.error.unwrap_or(ErrorMembers { name: String::new(), message: String::new() });
        Err(AckError { name: error.name, message: error.message })
    };
    Ok(Response::Ack { ack_id, outcome })
}

/// Whether this version can read that kind of data.
fn is_known_data_type(data_type: Option<&str>) -> bool {
    data_type.is_none_or(|name| {
        ["json", "text", "binary", "protobuf"].iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

fn read_group_message(members: Members<'_>) -> Result<Option<Response<'_>>, MalformedFrame> {
    if !is_known_data_type(members.data_type.as_deref()) {
        return Ok(None);
    }
    let payload = data::read(members.data_type.as_deref(), required(members.data, "message", "data")?)?;
    Ok(Some(Response::GroupMessage {
        group: required(members.group, "message", "group")?,
        from_user_id: members.from_user_id,
        payload,
        sequence_id: members.sequence_id,
        metadata: metadata::checked(members.metadata)?,
    }))
}

fn read_server_message(members: Members<'_>) -> Result<Option<Response<'_>>, MalformedFrame> {
    if !is_known_data_type(members.data_type.as_deref()) {
        return Ok(None);
    }
    let payload = data::read(members.data_type.as_deref(), required(members.data, "message", "data")?)?;
    Ok(Some(Response::ServerMessage {
        payload,
        sequence_id: members.sequence_id,
        metadata: metadata::checked(members.metadata)?,
    }))
}

/// Writes one response.
#[must_use]
pub fn encode_response(response: &Response<'_>) -> String {
    let mut out = String::with_capacity(likely_len(response));
    match response {
        Response::Connected { connection_id, user_id, reconnection_token } => {
            out.push_str("{\"type\":\"system\",\"event\":\"connected\",\"userId\":");
            write::optional_string(&mut out, user_id.as_deref());
            out.push_str(",\"connectionId\":");
            write::string(&mut out, connection_id);
            if let Some(token) = reconnection_token {
                out.push_str(",\"reconnectionToken\":");
                write::string(&mut out, token);
            }
        }
        Response::Disconnected { message } => {
            out.push_str("{\"type\":\"system\",\"event\":\"disconnected\",\"message\":");
            write::string(&mut out, message);
        }
        Response::Ack { ack_id, outcome } => {
            out.push_str("{\"type\":\"ack\"");
            write::number_member(&mut out, "ackId", *ack_id);
            match outcome {
                Ok(()) => out.push_str(",\"success\":true"),
                Err(error) => {
                    out.push_str(",\"success\":false,\"error\":{\"name\":");
                    write::string(&mut out, &error.name);
                    out.push_str(",\"message\":");
                    write::string(&mut out, &error.message);
                    out.push('}');
                }
            }
        }
        Response::GroupMessage { group, from_user_id, payload, sequence_id, metadata } => {
            out.push_str("{\"type\":\"message\",\"from\":\"group\",\"group\":");
            write::string(&mut out, group);
            out.push_str(",\"fromUserId\":");
            write::optional_string(&mut out, from_user_id.as_deref());
            write_message_rest(&mut out, payload, *sequence_id, metadata);
        }
        Response::ServerMessage { payload, sequence_id, metadata } => {
            out.push_str("{\"type\":\"message\",\"from\":\"server\"");
            write_message_rest(&mut out, payload, *sequence_id, metadata);
        }
        Response::Pong => out.push_str("{\"type\":\"pong\""),
    }
    out.push('}');
    out
}

/// What the text of a response hardly exceeds, unless much of it has to be escaped: growing step by step costs more than
/// a little room that stays empty.
fn likely_len(response: &Response<'_>) -> usize {
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
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        down_valid: Vec<Frame>,
        down_ignored_by_clients: Vec<String>,
    }

    #[derive(Deserialize)]
    struct Frame {
        text: String,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../tests/vectors/frames.json")).unwrap()
    }

    #[test]
    fn every_recorded_response_is_read_and_written_back_alike() {
        for Frame { text } in vectors().down_valid {
            let Some(response) = decode_response(&text).unwrap() else { continue };
            let written = encode_response(&response);
            assert_eq!(decode_response(&written).unwrap(), Some(response), "{text}");
        }
    }

    #[test]
    fn frames_of_a_later_version_are_ignored() {
        let with_changed_member = r#"{"type":"somethingNew","group":{"name":"g"}}"#.to_owned();
        for frame in vectors().down_ignored_by_clients.into_iter().chain([with_changed_member]) {
            assert_eq!(decode_response(&frame).unwrap(), None, "{frame}");
        }
    }

    #[test]
    fn an_anonymous_sender_is_written_as_null_because_old_clients_read_the_member() {
        let response =
            Response::Connected { connection_id: "c".into(), user_id: None, reconnection_token: None };
        assert_eq!(
            encode_response(&response),
            r#"{"type":"system","event":"connected","userId":null,"connectionId":"c"}"#
        );
    }
}
