//! Service to client, by way of `prost`.

use prost::Message;

use super::{
    super::MalformedMessage,
    NOT_OF_THE_SCHEMA, data,
    schema::{
        self, Ack, Connected, Disconnected, Downstream, DownstreamData, DownstreamMessage, Empty, Error,
        InvokeResponse, StreamAck, StreamClosed, StreamFault, StreamNack, StreamPlace, System, SystemEvent,
    },
};
use crate::{
    message::{AckError, GroupStateItem, Response, Sequence},
    metadata,
    stream::{StreamError, StreamInfo},
};

pub(in crate::protobuf) fn decode_response(
    frame: &[u8],
) -> Result<Option<Response<'static>>, MalformedMessage> {
    let Some(message) = DownstreamMessage::decode(frame).map_err(|_| NOT_OF_THE_SCHEMA)?.message else {
        return Ok(None);
    };
    Ok(match message {
        Downstream::Ack(ack) => Some(Response::Ack {
            ack_id: ack.ack_id,
            outcome: if ack.success { Ok(()) } else { Err(read_error(ack.error.unwrap_or_default())) },
        }),
        Downstream::Pong(Empty {}) => Some(Response::Pong),
        Downstream::InvokeResponse(InvokeResponse { invocation_id, success, data, error }) => {
            let outcome = match success {
                true => Ok(data::read(data)?),
                false => Err(read_error(error.unwrap_or_default())),
            };
            Some(Response::InvokeResponse { invocation_id, outcome })
        }
        Downstream::StreamAck(StreamAck { stream_id, expected_sequence_id }) => {
            Some(Response::StreamAck { stream_id, expected_sequence_id })
        }
        Downstream::StreamNack(StreamNack { stream_id, name, message, expected_sequence_id }) => {
            Some(Response::StreamNack { stream_id, expected_sequence_id, error: AckError { name, message } })
        }
        Downstream::StreamClosed(StreamClosed { stream_id, error }) => {
            Some(Response::StreamClosed { stream_id, error: error.map(read_error) })
        }
        Downstream::System(System { event: None }) => None,
        Downstream::System(System { event: Some(SystemEvent::Connected(connected)) }) => {
            Some(Response::Connected {
                connection_id: connected.connection_id,
                user_id: Some(connected.user_id).filter(|user| !user.is_empty()),
                reconnection_token: connected.reconnection_token,
                run_id: connected.run_id,
            })
        }
        Downstream::System(System { event: Some(SystemEvent::Disconnected(disconnected)) }) => {
            Some(Response::Disconnected { message: disconnected.reason })
        }
        Downstream::Data(message) => {
            let Some(payload) = data::read(message.data)? else { return Ok(None) };
            let metadata = metadata::checked(message.metadata).ok_or(MalformedMessage::Metadata)?;
            let count = message.delivery_count;
            let sequence = message.sequence_id.map(|id| Sequence { id, count });
            match message.from.as_str() {
                "group" => Some(Response::GroupMessage {
                    group: message.group.ok_or(MalformedMessage::Missing { part: "group" })?.into(),
                    from_user_id: None,
                    payload,
                    sequence,
                    metadata,
                    stream: message.stream.map(read_stream_place),
                }),
                "server" => Some(Response::ServerMessage { payload, sequence, metadata }),
                _ => None,
            }
        }
    })
}

fn read_error(Error { name, message }: Error) -> AckError {
    AckError { name, message }
}

fn write_error(error: &AckError) -> Error {
    Error { name: error.name.clone(), message: error.message.clone() }
}

fn read_stream_place(place: StreamPlace) -> StreamInfo {
    let error = place.error.map(|StreamFault { name, message, user_error_code }| StreamError {
        name,
        message,
        user_error_code,
    });
    StreamInfo {
        stream_id: place.stream_id,
        stream_sequence_id: place.stream_sequence_id,
        end_of_stream: place.end_of_stream.unwrap_or(false),
        error,
    }
}

fn write_stream_place(info: &StreamInfo) -> StreamPlace {
    let error = info.error.clone().map(|StreamError { name, message, user_error_code }| StreamFault {
        name,
        message,
        user_error_code,
    });
    StreamPlace {
        stream_id: info.stream_id.clone(),
        stream_sequence_id: info.stream_sequence_id,
        end_of_stream: info.end_of_stream.then_some(true),
        error,
    }
}

pub(in crate::protobuf) fn encode_response(response: &Response<'_>) -> Vec<u8> {
    let message = match response {
        Response::Connected { connection_id, user_id, reconnection_token, run_id } => {
            Downstream::System(System {
                event: Some(SystemEvent::Connected(Connected {
                    connection_id: connection_id.clone(),
                    user_id: user_id.clone().unwrap_or_default(),
                    reconnection_token: reconnection_token.clone(),
                    run_id: run_id.clone(),
                })),
            })
        }
        Response::Disconnected { message } => {
            let event = SystemEvent::Disconnected(Disconnected { reason: message.clone() });
            Downstream::System(System { event: Some(event) })
        }
        Response::Ack { ack_id, outcome } => Downstream::Ack(Ack {
            ack_id: *ack_id,
            success: outcome.is_ok(),
            error: outcome.as_ref().err().map(write_error),
        }),
        Response::GroupMessage { group, payload, sequence, metadata, stream, .. } => {
            Downstream::Data(DownstreamData {
                from: "group".to_owned(),
                group: Some(group.clone().into_owned()),
                data: Some(data::write(payload)),
                sequence_id: sequence.map(|sequence| sequence.id),
                delivery_count: sequence.and_then(|sequence| sequence.count),
                metadata: metadata.clone(),
                stream: stream.as_ref().map(write_stream_place),
            })
        }
        Response::ServerMessage { payload, sequence, metadata } => Downstream::Data(DownstreamData {
            from: "server".to_owned(),
            group: None,
            data: Some(data::write(payload)),
            sequence_id: sequence.map(|sequence| sequence.id),
            delivery_count: sequence.and_then(|sequence| sequence.count),
            metadata: metadata.clone(),
            stream: None,
        }),
        Response::StreamAck { stream_id, expected_sequence_id } => Downstream::StreamAck(StreamAck {
            stream_id: stream_id.clone(),
            expected_sequence_id: *expected_sequence_id,
        }),
        Response::StreamNack { stream_id, expected_sequence_id, error } => {
            Downstream::StreamNack(StreamNack {
                stream_id: stream_id.clone(),
                name: error.name.clone(),
                message: error.message.clone(),
                expected_sequence_id: *expected_sequence_id,
            })
        }
        Response::StreamClosed { stream_id, error } => Downstream::StreamClosed(StreamClosed {
            stream_id: stream_id.clone(),
            error: error.as_ref().map(write_error),
        }),
        Response::InvokeResponse { invocation_id, outcome } => Downstream::InvokeResponse(InvokeResponse {
            invocation_id: invocation_id.clone(),
            success: outcome.is_ok(),
            data: outcome.as_ref().ok().and_then(Option::as_ref).map(data::write),
            error: outcome.as_ref().err().map(write_error),
        }),
        Response::GroupStates { group, is_snapshot, items } => {
            let item = |item: &GroupStateItem| schema::GroupStateItem {
                connection_id: item.connection_id.clone(),
                user_id: item.user_id.clone(),
                state: item.state.clone().map(|entries| schema::GroupState { entries }),
                updated_at: i64::try_from(item.updated_at).unwrap(),
            };
            let states =
                schema::GroupStates { group: group.clone(), items: items.iter().map(item).collect() };
            let (update, snapshot) = if *is_snapshot { (None, Some(states)) } else { (Some(states), None) };
            return schema::DownstreamStates { update, snapshot }.encode_to_vec();
        }
        Response::Pong => Downstream::Pong(Empty {}),
    };
    DownstreamMessage { message: Some(message) }.encode_to_vec()
}
