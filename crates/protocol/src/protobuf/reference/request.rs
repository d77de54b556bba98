//! Client to service, by way of `prost`.

use prost::Message;

use super::{
    super::MalformedMessage,
    NOT_OF_THE_SCHEMA, data,
    schema::{self, Empty, GroupRequest, SendToGroup, SequenceAck, Upstream, UpstreamMessage},
};
use crate::{
    message::{Fragment, MAX_TTL_SECONDS, Metadata, Request},
    metadata,
    name::{EventName, GroupName},
    payload::Payload,
    stream::PublisherError,
};

pub(in crate::protobuf) fn decode_request(frame: &[u8]) -> Result<Request<'static>, MalformedMessage> {
    let message = UpstreamMessage::decode(frame).map_err(|_| NOT_OF_THE_SCHEMA)?.message;
    Ok(match message.ok_or(MalformedMessage::Missing { part: "message" })? {
        Upstream::SendToGroup(SendToGroup { stream: Some(start), group, no_echo, data, .. }) => {
            // Data comes in fragments, after the start.
            if data.is_some() {
                return Err(MalformedMessage::Data);
            }
            Request::StreamStart {
                group: GroupName::new(&group)?,
                stream_id: start.stream_id,
                idle_timeout_ms: start.idle_timeout_ms,
                no_echo: no_echo.unwrap_or(false),
            }
        }
        Upstream::SendToGroup(send) => {
            let group = GroupName::new(&send.group)?;
            let ttl_seconds = send.ttl_seconds.unwrap_or(0);
            if ttl_seconds > MAX_TTL_SECONDS {
                return Err(MalformedMessage::TimeToLive { given: ttl_seconds });
            }
            let (payload, metadata) = content(send.data, send.metadata)?;
            let no_echo = send.no_echo.unwrap_or(false);
            Request::SendToGroup {
                group: group.into(),
                ack_id: send.ack_id,
                no_echo,
                ttl_seconds,
                payload,
                metadata,
            }
        }
        Upstream::Event(event) if event.stream.is_some() => return Err(MalformedMessage::EventStream),
        Upstream::InvokeEvent(invoke) if invoke.stream.is_some() => {
            return Err(MalformedMessage::EventStream);
        }
        Upstream::InvokeEvent(invoke) => {
            if invoke.invocation_id.is_empty() {
                return Err(MalformedMessage::Missing { part: "invocation_id" });
            }
            Request::Invoke {
                invocation_id: invoke.invocation_id,
                event: EventName::new(&invoke.event)?,
                payload: data::read(invoke.data)?,
                metadata: metadata::checked(invoke.metadata).ok_or(MalformedMessage::Metadata)?,
            }
        }
        Upstream::CancelInvocation(schema::CancelInvocation { invocation_id }) => {
            Request::CancelInvocation { invocation_id }
        }
        Upstream::Event(event) => {
            let (payload, metadata) = content(event.data, event.metadata)?;
            Request::Event { event: EventName::new(&event.event)?, ack_id: event.ack_id, payload, metadata }
        }
        Upstream::JoinGroup(GroupRequest { group, ack_id }) => {
            Request::JoinGroup { group: GroupName::new(&group)?, ack_id }
        }
        Upstream::LeaveGroup(GroupRequest { group, ack_id }) => {
            Request::LeaveGroup { group: GroupName::new(&group)?, ack_id }
        }
        Upstream::SetGroupState(schema::SetGroupState { group, ack_id, state }) => Request::SetGroupState {
            group: GroupName::new(&group)?,
            ack_id,
            state: state.map(|state| state.entries),
        },
        Upstream::SubscribeGroupState(GroupRequest { group, ack_id }) => {
            Request::SubscribeGroupState { group: GroupName::new(&group)?, ack_id }
        }
        Upstream::UnsubscribeGroupState(GroupRequest { group, ack_id }) => {
            Request::UnsubscribeGroupState { group: GroupName::new(&group)?, ack_id }
        }
        Upstream::SequenceAck(SequenceAck { sequence_id }) => Request::SequenceAck { sequence_id },
        Upstream::Ping(Empty {}) => Request::Ping,
        Upstream::StreamData(fragment) => {
            let fragment_of = match (fragment.stream_sequence_id, data::read(fragment.data)?) {
                (None, None) => None,
                (Some(stream_sequence_id), Some(payload)) => Some(Fragment { stream_sequence_id, payload }),
                _ => return Err(MalformedMessage::Missing { part: "number or data of the fragment" }),
            };
            Request::StreamData { stream_id: fragment.stream_id, fragment: fragment_of }
        }
        Upstream::StreamEnd(end) => Request::StreamEnd {
            stream_id: end.stream_id,
            error: end.error.map(|schema::StreamEndError { message, user_error_code }| PublisherError {
                message,
                user_error_code,
            }),
        },
    })
}

/// Data with annotations. Annotations alone are a message of empty text.
fn content(
    data: Option<schema::MessageData>,
    entries: std::collections::BTreeMap<String, String>,
) -> Result<(Payload<'static>, Metadata), MalformedMessage> {
    let metadata = metadata::checked(entries).ok_or(MalformedMessage::Metadata)?;
    match data::read(data)? {
        Some(payload) => Ok((payload, metadata)),
        None if !metadata.is_empty() => Ok((Payload::Text("".into()), metadata)),
        None => Err(MalformedMessage::Missing { part: "data" }),
    }
}

/// Writes one request.
pub(in crate::protobuf) fn encode_request(request: &Request<'_>) -> Vec<u8> {
    let group_request =
        |group: &GroupName, ack_id: &Option<u64>| GroupRequest { group: group.to_string(), ack_id: *ack_id };
    let message = match request {
        Request::JoinGroup { group, ack_id } => Upstream::JoinGroup(group_request(group, ack_id)),
        Request::LeaveGroup { group, ack_id } => Upstream::LeaveGroup(group_request(group, ack_id)),
        Request::SendToGroup { group, ack_id, no_echo, ttl_seconds, payload, metadata } => {
            Upstream::SendToGroup(SendToGroup {
                group: group.to_string(),
                ack_id: *ack_id,
                data: Some(data::write(payload)),
                no_echo: no_echo.then_some(true),
                ttl_seconds: (*ttl_seconds > 0).then_some(*ttl_seconds),
                metadata: metadata.clone(),
                stream: None,
            })
        }
        Request::StreamStart { group, stream_id, idle_timeout_ms, no_echo } => {
            Upstream::SendToGroup(SendToGroup {
                group: group.to_string(),
                no_echo: no_echo.then_some(true),
                stream: Some(schema::StreamStart {
                    stream_id: stream_id.clone(),
                    idle_timeout_ms: *idle_timeout_ms,
                }),
                ..SendToGroup::default()
            })
        }
        Request::StreamData { stream_id, fragment } => Upstream::StreamData(schema::StreamData {
            stream_id: stream_id.clone(),
            stream_sequence_id: fragment.as_ref().map(|fragment| fragment.stream_sequence_id),
            data: fragment.as_ref().map(|fragment| data::write(&fragment.payload)),
        }),
        Request::StreamEnd { stream_id, error } => Upstream::StreamEnd(schema::StreamEnd {
            stream_id: stream_id.clone(),
            error: error.clone().map(|PublisherError { message, user_error_code }| schema::StreamEndError {
                message,
                user_error_code,
            }),
        }),
        Request::Invoke { invocation_id, event, payload, metadata } => {
            Upstream::InvokeEvent(schema::InvokeEvent {
                event: event.to_string(),
                invocation_id: invocation_id.clone(),
                data: payload.as_ref().map(data::write),
                metadata: metadata.clone(),
                stream: None,
            })
        }
        Request::CancelInvocation { invocation_id } => {
            Upstream::CancelInvocation(schema::CancelInvocation { invocation_id: invocation_id.clone() })
        }
        Request::Event { event, ack_id, payload, metadata } => Upstream::Event(schema::Event {
            event: event.to_string(),
            data: Some(data::write(payload)),
            ack_id: *ack_id,
            metadata: metadata.clone(),
            stream: None,
        }),
        Request::SetGroupState { group, ack_id, state } => Upstream::SetGroupState(schema::SetGroupState {
            group: group.to_string(),
            ack_id: *ack_id,
            state: state.clone().map(|entries| schema::GroupState { entries }),
        }),
        Request::SubscribeGroupState { group, ack_id } => {
            Upstream::SubscribeGroupState(group_request(group, ack_id))
        }
        Request::UnsubscribeGroupState { group, ack_id } => {
            Upstream::UnsubscribeGroupState(group_request(group, ack_id))
        }
        Request::Ping => Upstream::Ping(Empty {}),
        Request::SequenceAck { sequence_id } => {
            Upstream::SequenceAck(SequenceAck { sequence_id: *sequence_id })
        }
    };
    UpstreamMessage { message: Some(message) }.encode_to_vec()
}
