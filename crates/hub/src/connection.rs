//! One client's standing with the service.

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use tokio::time::Instant;
use webpubsub_protocol::{
    close::Close,
    message::Response,
    name::GroupName,
    role::{Permission, Permissions, TooManyDecisions},
    subprotocol::Subprotocol,
};

use crate::{
    broadcast::{Broadcast, json_frame, protobuf_frame},
    event_handler::EventContext,
    inspect::recorder::Recorder,
    outbox::{Backpressure, EncodedFrame, Outbox},
    reliable_queue::{ReliableQueue, Unsequenced},
};

/// The service's name for a connection: 32 hexadecimal digits that nobody can guess.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(Arc<str>);

impl ConnectionId {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes)).into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for ConnectionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// How messages look to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireFormat {
    /// Payloads alone, without envelopes: a simple WebSocket client.
    Simple,
    /// `json.webpubsub.azure.v1`.
    Json,
    /// `json.reliable.webpubsub.azure.v1`.
    ReliableJson,
    /// `protobuf.webpubsub.azure.v1`.
    Protobuf,
    /// `protobuf.reliable.webpubsub.azure.v1`.
    ReliableProtobuf,
}

impl WireFormat {
    /// How messages look in a predefined subprotocol.
    #[must_use]
    pub fn for_subprotocol(protocol: Subprotocol) -> Self {
        match protocol {
            Subprotocol::Json => Self::Json,
            Subprotocol::ReliableJson => Self::ReliableJson,
            Subprotocol::Protobuf => Self::Protobuf,
            Subprotocol::ReliableProtobuf => Self::ReliableProtobuf,
        }
    }

    /// The predefined subprotocol; `None` for a simple client.
    #[must_use]
    pub fn subprotocol(self) -> Option<Subprotocol> {
        Subprotocol::ALL.into_iter().find(|protocol| Self::for_subprotocol(*protocol) == self)
    }

    /// Whether a lost connection can be taken up again.
    #[must_use]
    pub fn is_reliable(self) -> bool {
        matches!(self, Self::ReliableJson | Self::ReliableProtobuf)
    }
}

/// A client, as hub and session see it.
#[derive(Debug)]
pub struct ClientConnection {
    /// The service's name for it.
    pub id: ConnectionId,
    /// Who it is; `None` for an anonymous client.
    pub user_id: Option<String>,
    /// How messages look to it.
    pub format: WireFormat,
    /// What event handlers are told of it.
    pub event_context: EventContext,
    /// Its last frames, where somebody may look at them.
    pub recorder: Recorder,
    /// The name of the subprotocol agreed on, predefined or not.
    subprotocol: Option<String>,
    /// Why it ended, once it has.
    end_reason: OnceLock<String>,
    /// What it may do. Application servers may change it at any time.
    permissions: RwLock<Permissions>,
    delivery: Delivery,
}

/// How messages get to the client.
#[derive(Debug)]
enum Delivery {
    /// Over one socket, and with it the connection ends.
    Direct(Arc<Outbox>),
    /// Over one socket after the other.
    Reliable(ReliableQueue),
}

impl ClientConnection {
    /// A connection that nobody has heard of yet.
    #[must_use]
    pub fn new(
        id: ConnectionId,
        user_id: Option<String>,
        format: WireFormat,
        permissions: Permissions,
    ) -> Self {
        let delivery = match format {
            reliable if reliable.is_reliable() => Delivery::Reliable(ReliableQueue::default()),
            _ => Delivery::Direct(Arc::default()),
        };
        Self {
            id,
            user_id,
            format,
            event_context: EventContext::default(),
            recorder: Recorder::default(),
            subprotocol: format.subprotocol().map(|protocol| protocol.name().to_owned()),
            end_reason: OnceLock::new(),
            permissions: RwLock::new(permissions),
            delivery,
        }
    }

    /// The same, with what its handshake told: for event handlers, and the name of the subprotocol agreed on.
    #[must_use]
    pub fn with_handshake(mut self, event_context: EventContext, subprotocol: Option<String>) -> Self {
        (self.event_context, self.subprotocol) = (event_context, subprotocol);
        self
    }

    /// Whether the client may do this with that group.
    #[must_use]
    pub fn is_allowed(&self, permission: Permission, group: &str) -> bool {
        self.permissions.read().unwrap_or_else(PoisonError::into_inner).allow(permission, group)
    }

    /// Whether the client may do this with every group.
    #[must_use]
    pub fn is_allowed_in_all_groups(&self, permission: Permission) -> bool {
        self.permissions.read().unwrap_or_else(PoisonError::into_inner).allow_all(permission)
    }

    /// Grants or revokes a permission; see [`Permissions::decide`].
    ///
    /// # Errors
    /// [`TooManyDecisions`].
    pub fn set_permission(
        &self,
        permission: Permission,
        group: Option<&GroupName>,
        allowed: bool,
    ) -> Result<(), TooManyDecisions> {
        self.permissions.write().unwrap_or_else(PoisonError::into_inner).decide(permission, group, allowed)
    }

    /// The name of the subprotocol agreed on, predefined or of the client's own; `None` when there is none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The name of the predefined subprotocol that it speaks; `None` for a simple client.
    #[must_use]
    pub fn protocol(&self) -> Option<&'static str> {
        self.format.subprotocol().map(Subprotocol::name)
    }

    /// What waits to be written to the client's first socket. `None` for a connection that has ended already.
    #[must_use]
    pub fn attach(&self) -> Option<Arc<Outbox>> {
        match &self.delivery {
            Delivery::Direct(outbox) => Some(Arc::clone(outbox)),
            Delivery::Reliable(queue) => queue.attach(),
        }
    }

    /// What waits to be written to a further socket of the client, beginning with `greeting`. `None` for a connection that
    /// has ended, or that cannot have another socket.
    #[must_use]
    pub fn reattach(&self, greeting: &Response<'_>) -> Option<Arc<Outbox>> {
        self.reliable_queue()?.attach_after(self.frame(greeting))
    }

    /// Queues a message. Tells whether its publisher should wait for this client.
    pub fn deliver(&self, broadcast: &mut Broadcast<'_>) -> Backpressure {
        let expires_at = broadcast.expires_at();
        match (&self.delivery, self.format) {
            (Delivery::Direct(outbox), WireFormat::Simple) => {
                outbox.push_until(broadcast.simple(), expires_at)
            }
            (Delivery::Direct(outbox), WireFormat::Protobuf) => {
                outbox.push_until(broadcast.protobuf(), expires_at)
            }
            (Delivery::Direct(outbox), _) => outbox.push_until(broadcast.json(), expires_at),
            (Delivery::Reliable(queue), WireFormat::ReliableProtobuf) => {
                queue.push(Unsequenced::Protobuf(broadcast.shared_protobuf().clone()), expires_at)
            }
            (Delivery::Reliable(queue), _) => {
                queue.push(Unsequenced::Json(broadcast.open_json().clone()), expires_at)
            }
        }
    }

    /// Tells this client something that is for it alone, and not worth keeping. Sets no slow_receivers for anybody: the outbox
    /// bounds it. Simple clients have no frames but payloads, and hear nothing.
    pub fn send(&self, response: &Response<'_>) {
        if let Some(frame) = self.frame(response) {
            self.push(&frame);
        }
    }

    /// How `response` looks to this client; `None` for a simple one.
    fn frame(&self, response: &Response<'_>) -> Option<EncodedFrame> {
        match self.format {
            WireFormat::Simple => None,
            WireFormat::Json | WireFormat::ReliableJson => Some(json_frame(response)),
            WireFormat::Protobuf | WireFormat::ReliableProtobuf => Some(protobuf_frame(response)),
        }
    }

    fn push(&self, frame: &EncodedFrame) {
        match &self.delivery {
            Delivery::Direct(outbox) => drop(outbox.push(frame)),
            Delivery::Reliable(queue) => queue.send_unsequenced(frame),
        }
    }

    /// Ends the connection for good, as an application server or the service itself wants it: with a last word, once
    /// what is queued has been written.
    pub fn disconnect(&self, message: String, close: Close) {
        self.set_end_reason(&message);
        self.send(&Response::Disconnected { message });
        self.close(close);
    }

    /// Keeps the reason why it ends; the first one stands.
    pub fn set_end_reason(&self, reason: &str) {
        self.end_reason.get_or_init(|| reason.to_owned());
    }

    /// Whether it is about to end, or has.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.end_reason.get().is_some()
    }

    /// Why it ended; empty when nobody said.
    #[must_use]
    pub fn end_reason(&self) -> &str {
        self.end_reason.get().map_or("", String::as_str)
    }

    /// Ends the connection for good, once what is queued has been written.
    pub fn close(&self, close: Close) {
        self.set_end_reason(&close.reason);
        match &self.delivery {
            Delivery::Direct(outbox) => outbox.close(close),
            Delivery::Reliable(queue) => queue.close(close),
        }
    }

    /// Waits for the client to catch up; see [`Outbox::wait_until_caught_up`].
    pub async fn wait_until_caught_up(&self, deadline: Instant) {
        match &self.delivery {
            Delivery::Direct(outbox) => outbox.wait_until_caught_up(deadline).await,
            Delivery::Reliable(queue) => queue.wait_until_caught_up(deadline).await,
        }
    }

    /// The queue of a reliable connection.
    #[must_use]
    pub fn reliable_queue(&self) -> Option<&ReliableQueue> {
        match &self.delivery {
            Delivery::Direct(_) => None,
            Delivery::Reliable(queue) => Some(queue),
        }
    }

    /// Whether it is a reliable connection without a socket.
    #[must_use]
    pub fn is_detached(&self) -> bool {
        self.reliable_queue().is_some_and(|queue| !queue.has_transport())
    }

    /// Whether a reliable connection has ended for good. Others end with their socket.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.reliable_queue().is_some_and(ReliableQueue::has_ended)
    }
}
