//! Client to service.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{MalformedFrame, data, metadata, usual_send, write};
use crate::{
    message::{Fragment, GroupState, MAX_TTL_SECONDS, Metadata, Request},
    name::{EventName, GroupName},
    payload::Payload,
    stream::PublisherError,
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
    stream: Option<StreamStart>,
    stream_id: Option<String>,
    stream_sequence_id: Option<u64>,
    error: Option<EndError>,
    invocation_id: Option<String>,
    target: Option<String>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamStart {
    stream_id: String,
    idle_timeout_ms: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndError {
    message: Option<String>,
    user_error_code: Option<String>,
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

    fn event(&self, frame: &'static str) -> Result<EventName, MalformedFrame> {
        let event = self.event.as_deref().ok_or(MalformedFrame::MissingMember { frame, member: "event" })?;
        Ok(EventName::new(event)?)
    }

    fn has_data(&self) -> bool {
        self.data.is_some() || self.data_type.is_some()
    }

    /// `data` when there is any.
    fn payload(&self, frame: &'static str) -> Result<Option<Payload<'a>>, MalformedFrame> {
        if !self.has_data() {
            return Ok(None);
        }
        let data = self.data.ok_or(MalformedFrame::MissingMember { frame, member: "data" })?;
        data::read(self.data_type.as_deref(), data.get()).map(Some)
    }

    /// `data` with `metadata`. Annotations alone are a message of empty text.
    fn content(self, frame: &'static str) -> Result<(Payload<'a>, Metadata), MalformedFrame> {
        let metadata = metadata::checked(self.metadata)?;
        let payload = match self.data {
            Some(data) => data::read(self.data_type.as_deref(), data.get())?,
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
    match usual_send::decode(frame) {
        Some(request) => Ok(request),
        None => decode_generally(frame),
    }
}

pub(super) fn decode_generally(frame: &str) -> Result<Request<'_>, MalformedFrame> {
    let members: Members<'_> = serde_json::from_str(frame)?;
    let is = |name: &str| members.r#type.eq_ignore_ascii_case(name);
    if is("sendToGroup") {
        read_send(members)
    } else if is("joinGroup") {
        Ok(Request::JoinGroup { group: members.group("joinGroup")?, ack_id: members.ack_id })
    } else if is("leaveGroup") {
        Ok(Request::LeaveGroup { group: members.group("leaveGroup")?, ack_id: members.ack_id })
    } else if is("event") {
        let (event, ack_id) = (members.event("event")?, members.ack_id);
        let (payload, metadata) = members.content("event")?;
        Ok(Request::Event { event, ack_id, payload, metadata })
    } else if is("ping") {
        Ok(Request::Ping)
    } else if is("sequenceAck") {
        let sequence_id = required(members.sequence_id, "sequenceAck", "sequenceId")?;
        Ok(Request::SequenceAck { sequence_id })
    } else if is("streamData") {
        read_stream_data(members)
    } else if is("streamEnd") {
        let stream_id = required(members.stream_id, "streamEnd", "streamId")?;
        let error = members
            .error
            .map(|EndError { message, user_error_code }| PublisherError { message, user_error_code });
        Ok(Request::StreamEnd { stream_id, error })
    } else if is("invoke") {
        read_invoke(members)
    } else if is("cancelInvocation") {
        let invocation_id = required(members.invocation_id, "cancelInvocation", "invocationId")?;
        Ok(Request::CancelInvocation { invocation_id })
    } else if is("setGroupState") {
        let state = members.state.map(|state| serde_json::from_str::<GroupState>(state.get())).transpose()?;
        Ok(Request::SetGroupState { group: members.group("setGroupState")?, ack_id: members.ack_id, state })
    } else if is("subscribeGroupState") {
        Ok(Request::SubscribeGroupState {
            group: members.group("subscribeGroupState")?,
            ack_id: members.ack_id,
        })
    } else if is("unsubscribeGroupState") {
        Ok(Request::UnsubscribeGroupState {
            group: members.group("unsubscribeGroupState")?,
            ack_id: members.ack_id,
        })
    } else {
        const EXCERPT_CHARS: usize = 64;
        Err(MalformedFrame::UnknownType {
            name: members.r#type.chars().take(EXCERPT_CHARS).flat_map(char::escape_debug).collect(),
        })
    }
}

fn required<T>(member: Option<T>, frame: &'static str, name: &'static str) -> Result<T, MalformedFrame> {
    member.ok_or(MalformedFrame::MissingMember { frame, member: name })
}

fn read_send(members: Members<'_>) -> Result<Request<'_>, MalformedFrame> {
    let group = members.group("sendToGroup")?;
    let (ack_id, no_echo) = (members.ack_id, members.no_echo.unwrap_or(false));
    if let Some(StreamStart { stream_id, idle_timeout_ms }) = members.stream {
        // Data comes in fragments, after the start.
        return match members.data.is_some() || members.data_type.is_some() {
            true => Err(MalformedFrame::Data),
            false => Ok(Request::StreamStart { group, stream_id, idle_timeout_ms, no_echo }),
        };
    }
    let ttl_seconds = members.ttl_seconds.unwrap_or(0);
    if ttl_seconds > MAX_TTL_SECONDS {
        return Err(MalformedFrame::TimeToLive { given: ttl_seconds });
    }
    let (payload, metadata) = members.content("sendToGroup")?;
    Ok(Request::SendToGroup { group: group.into(), ack_id, no_echo, ttl_seconds, payload, metadata })
}

fn read_stream_data(members: Members<'_>) -> Result<Request<'_>, MalformedFrame> {
    let payload = members.payload("streamData")?;
    let fragment = match (members.stream_sequence_id, payload) {
        (None, None) => None,
        (Some(stream_sequence_id), Some(payload)) => Some(Fragment { stream_sequence_id, payload }),
        (given, _) => {
            let member = if given.is_some() { "data" } else { "streamSequenceId" };
            return Err(MalformedFrame::MissingMember { frame: "streamData", member });
        }
    };
    Ok(Request::StreamData { stream_id: required(members.stream_id, "streamData", "streamId")?, fragment })
}

fn read_invoke(members: Members<'_>) -> Result<Request<'_>, MalformedFrame> {
    let is_event = members.target.as_deref().is_some_and(|target| target.eq_ignore_ascii_case("event"));
    if !is_event {
        return Err(MalformedFrame::MissingMember { frame: "invoke", member: "target" });
    }
    let (event, payload) = (members.event("invoke")?, members.payload("invoke")?);
    Ok(Request::Invoke {
        invocation_id: required(members.invocation_id, "invoke", "invocationId")?,
        event,
        payload,
        metadata: metadata::checked(members.metadata)?,
    })
}

/// Writes one request.
#[must_use]
pub fn encode_request(request: &Request<'_>) -> String {
    let mut out = String::with_capacity(likely_len(request));
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
        Request::StreamStart { group, stream_id, idle_timeout_ms, no_echo } => {
            out.push_str("{\"type\":\"sendToGroup\",\"group\":");
            write::string(&mut out, group.as_str());
            if *no_echo {
                out.push_str(",\"noEcho\":true");
            }
            out.push_str(",\"stream\":{\"streamId\":");
            write::string(&mut out, stream_id);
            if let Some(milliseconds) = idle_timeout_ms {
                write::number_member(&mut out, "idleTimeoutMs", u64::from(*milliseconds));
            }
            out.push('}');
        }
        Request::StreamData { stream_id, fragment } => {
            out.push_str("{\"type\":\"streamData\"");
            write::string_member(&mut out, "streamId", stream_id);
            if let Some(Fragment { stream_sequence_id, payload }) = fragment {
                write::number_member(&mut out, "streamSequenceId", *stream_sequence_id);
                data::write(&mut out, payload);
            }
        }
        Request::StreamEnd { stream_id, error } => {
            out.push_str("{\"type\":\"streamEnd\"");
            write::string_member(&mut out, "streamId", stream_id);
            if let Some(PublisherError { message, user_error_code }) = error {
                out.push_str(",\"error\":");
                let members =
                    [("message", message.as_deref()), ("userErrorCode", user_error_code.as_deref())];
                write::object(&mut out, members);
            }
        }
        Request::Invoke { invocation_id, event, payload, metadata } => {
            out.push_str("{\"type\":\"invoke\",\"target\":\"event\"");
            write::string_member(&mut out, "invocationId", invocation_id);
            write::string_member(&mut out, "event", event.as_str());
            if let Some(payload) = payload {
                data::write(&mut out, payload);
            }
            metadata::write(&mut out, metadata);
        }
        Request::CancelInvocation { invocation_id } => {
            out.push_str("{\"type\":\"cancelInvocation\"");
            write::string_member(&mut out, "invocationId", invocation_id);
        }
        Request::SetGroupState { group, ack_id, state } => {
            out.push_str("{\"type\":\"setGroupState\"");
            write_group_request(&mut out, group, *ack_id);
            if let Some(state) = state {
                write::state_member(&mut out, state);
            }
        }
        Request::SubscribeGroupState { group, ack_id } => {
            out.push_str("{\"type\":\"subscribeGroupState\"");
            write_group_request(&mut out, group, *ack_id);
        }
        Request::UnsubscribeGroupState { group, ack_id } => {
            out.push_str("{\"type\":\"unsubscribeGroupState\"");
            write_group_request(&mut out, group, *ack_id);
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

/// What the text of a request hardly exceeds, unless much of it has to be escaped.
fn likely_len(request: &Request<'_>) -> usize {
    /// Keys, punctuation, and names of usual length.
    const ENVELOPE: usize = 128;
    let payload = match request {
        Request::SendToGroup { payload, .. } | Request::Event { payload, .. } => Some(payload),
        Request::StreamData { fragment, .. } => fragment.as_ref().map(|fragment| &fragment.payload),
        Request::Invoke { payload, .. } => payload.as_ref(),
        _ => None,
    };
    ENVELOPE + payload.map_or(0, data::likely_len)
}

fn write_group_request(out: &mut String, group: &GroupName, ack_id: Option<u64>) {
    write::string_member(out, "group", group.as_str());
    write_ack_id(out, ack_id);
}

fn write_ack_id(out: &mut String, ack_id: Option<u64>) {
    if let Some(ack_id) = ack_id {
        write::number_member(out, "ackId", ack_id);
    }
}

#[cfg(test)]
mod tests;
