//! What a client's messages do.
//!
//! A state machine without I/O: a message goes in, its effects go to the hub and to outboxes, and the [`Step`] tells
//! the driver how to go on. Messages of one client are handled one after the other, so what one sender publishes
//! arrives everywhere in the order it was sent.

use std::{borrow::Cow, sync::Arc};

use webpubsub_protocol::{
    close::Close,
    json::decode_request,
    message::{AckError, Metadata, Request, Response},
    name::GroupName,
    payload::Payload,
    protobuf,
    role::Permission,
};

use crate::{
    ack_history::AckHistory,
    connection::{Connection, WireFormat},
    hub::{Audience, Hub, Pace},
};

/// A message from the client.
#[derive(Debug, Clone, Copy)]
pub enum Incoming<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

/// How to go on after a message.
#[derive(Debug)]
pub enum Step {
    /// Read on.
    Continue,
    /// Let these clients catch up first.
    Pace(Pace),
    /// End the connection.
    Close(Close),
}

/// What the messages of a simple WebSocket client mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimpleMode {
    /// Each is a user event called `message`.
    SendEvent,
    /// Each is published to a group.
    SendToGroup {
        /// The group.
        group: GroupName,
        /// Whether the sender, if a member, is left out.
        no_echo: bool,
    },
}

/// One client's conversation with the service.
#[derive(Debug)]
pub struct Session {
    hub: Arc<Hub>,
    connection: Arc<Connection>,
    simple_mode: SimpleMode,
    carried_out: AckHistory,
}

impl Session {
    /// A conversation of `connection`, which must have been added to `hub`. `simple_mode` counts for simple clients only.
    #[must_use]
    pub fn new(hub: Arc<Hub>, connection: Arc<Connection>, simple_mode: SimpleMode) -> Self {
        Self { hub, connection, simple_mode, carried_out: AckHistory::default() }
    }

    /// The connection that this conversation is with.
    #[must_use]
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The connection is over, for good.
    pub fn ended(&self) {
        self.hub.remove(&self.connection);
    }

    /// Takes one message.
    pub fn receive(&mut self, message: Incoming<'_>) -> Step {
        match (self.connection.format, message) {
            (WireFormat::Json | WireFormat::ReliableJson, Incoming::Text(text)) => match decode_request(text)
            {
                Ok(request) => self.carry_out(request),
                Err(error) => self.malformed(&error, Close::INVALID_JSON_MESSAGE),
            },
            (WireFormat::Json | WireFormat::ReliableJson, Incoming::Binary(_)) => {
                Step::Close(Close::JSON_WANTS_TEXT)
            }
            (WireFormat::Protobuf | WireFormat::ReliableProtobuf, Incoming::Binary(bytes)) => {
                match protobuf::decode_request(bytes) {
                    Ok(request) => self.carry_out(request),
                    Err(error) => self.malformed(&error, Close::invalid_protobuf(self.protocol_name())),
                }
            }
            (WireFormat::Protobuf | WireFormat::ReliableProtobuf, Incoming::Text(_)) => {
                Step::Close(Close::wants_binary(self.protocol_name()))
            }
            (WireFormat::Simple, message) => self.receive_simple(message),
        }
    }

    fn malformed(&self, error: &dyn std::error::Error, close: Close) -> Step {
        tracing::debug!(connection = %self.connection.id, %error, "malformed frame");
        Step::Close(close)
    }

    fn protocol_name(&self) -> &'static str {
        self.connection.protocol().unwrap_or_default()
    }

    fn receive_simple(&self, message: Incoming<'_>) -> Step {
        let SimpleMode::SendToGroup { group, no_echo } = &self.simple_mode else {
            // An event that reaches no handler has failed, and a simple client has no other way to learn it.
            return Step::Close(Close::RAW_EVENT_FAILED);
        };
        if !self.connection.may(Permission::SendToGroup, group) {
            return Step::Close(Close::RAW_SEND_FORBIDDEN);
        }
        let payload = match message {
            Incoming::Text(text) => Payload::Text(Cow::Borrowed(text)),
            Incoming::Binary(bytes) => Payload::Binary(Cow::Borrowed(bytes)),
        };
        self.publish(group, *no_echo, payload, Metadata::new())
    }

    fn carry_out(&mut self, request: Request<'_>) -> Step {
        match request {
            Request::JoinGroup { group, ack_id } => self.acknowledge(ack_id, |session| {
                session.check(Permission::JoinLeaveGroup, &group, "join")?;
                session
                    .hub
                    .join(&session.connection.id, &group)
                    .map_err(|error| internal(error.to_string()))?;
                Ok(Step::Continue)
            }),
            Request::LeaveGroup { group, ack_id } => self.acknowledge(ack_id, |session| {
                session.check(Permission::JoinLeaveGroup, &group, "leave")?;
                session.hub.leave(&session.connection.id, &group);
                Ok(Step::Continue)
            }),
            Request::SendToGroup { group, ack_id, no_echo, payload, metadata, .. } => {
                self.acknowledge(ack_id, |session| {
                    session.check(Permission::SendToGroup, &group, "send to")?;
                    Ok(session.publish(&group, no_echo, payload, metadata))
                })
            }
            // Events go to an application's event handler. There is none, which fails like a handler that failed.
            Request::Event { ack_id, .. } => {
                self.acknowledge(ack_id, |_| Err(internal("Internal server error".to_owned())))
            }
            Request::Ping => {
                self.connection.tell(&Response::Pong);
                Step::Continue
            }
            Request::SequenceAck { sequence_id } => {
                // On a connection without sequence ids it means nothing.
                if let Some(queue) = self.connection.reliable_queue() {
                    queue.acknowledge(sequence_id);
                }
                Step::Continue
            }
            // Requests of a later version are not decoded by this one.
            _ => Step::Continue,
        }
    }

    /// Carries out `action` unless its ack id was carried out before, and tells the client the outcome if it asked.
    fn acknowledge(
        &mut self,
        ack_id: Option<u64>,
        action: impl FnOnce(&Self) -> Result<Step, AckError>,
    ) -> Step {
        let is_repeated = ack_id.is_some_and(|ack_id| self.carried_out.contains(ack_id));
        let outcome = if is_repeated { Err(duplicate(ack_id)) } else { action(self) };
        let (step, outcome) = match outcome {
            Ok(step) => (step, Ok(())),
            Err(error) => (Step::Continue, Err(error)),
        };
        if let Some(ack_id) = ack_id {
            if outcome.is_ok() {
                self.carried_out.insert(ack_id);
            }
            self.connection.tell(&Response::Ack { ack_id, outcome });
        } else if let Err(error) = outcome {
            tracing::debug!(connection = %self.connection.id, %error, "request without ack id failed");
        }
        step
    }

    fn check(&self, permission: Permission, group: &GroupName, verb: &str) -> Result<(), AckError> {
        if self.connection.may(permission, group) {
            return Ok(());
        }
        Err(AckError {
            name: AckError::FORBIDDEN.to_owned(),
            message: format!("The client does not have permission to {verb} group '{group}'."),
        })
    }

    fn publish(&self, group: &GroupName, no_echo: bool, payload: Payload<'_>, metadata: Metadata) -> Step {
        let message = Response::GroupMessage {
            group: group.as_str().to_owned(),
            from_user_id: self.connection.user_id.clone(),
            payload,
            sequence_id: None,
            metadata,
            stream: None,
        };
        let is_left_out = |connection: &Connection| no_echo && connection.id == self.connection.id;
        let pace = self.hub.publish(Audience::Group(group), None, is_left_out, message);
        if pace.is_empty() { Step::Continue } else { Step::Pace(pace) }
    }
}

fn internal(message: String) -> AckError {
    AckError { name: AckError::INTERNAL_SERVER_ERROR.to_owned(), message }
}

fn duplicate(ack_id: Option<u64>) -> AckError {
    let ack_id = ack_id.unwrap_or_default();
    AckError {
        name: AckError::DUPLICATE.to_owned(),
        message: format!("Message with ack-id: {ack_id} has been processed"),
    }
}

#[cfg(test)]
mod tests;
