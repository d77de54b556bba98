//! Per-connection state: identity, permissions, delivery queue.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tokio::time::Instant;
use webpubsub_protocol::{
    close::Close,
    message::Response,
    name::GroupName,
    role::{GroupStateAccess, Permission, Permissions, TooManyDecisions},
    subprotocol::Subprotocol,
};

pub(crate) use crate::identity::ConnectionId;
use crate::{
    broadcast::{Broadcast, json_frame, protobuf_frame},
    event_context::EventContext,
    identity::ConnectionInfo,
    memory::{ClientMemory, MemoryBudget},
    outbox::{Backpressure, EncodedFrame, Outbox},
    recorder::Recorder,
    reliable_queue::{ReliableQueue, Unsequenced},
};

/// Encoding of the messages of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireFormat {
    /// Payloads without an envelope: a simple WebSocket client.
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
    /// Returns the encoding of a predefined subprotocol.
    #[must_use]
    pub(crate) fn for_subprotocol(protocol: Subprotocol) -> Self {
        match protocol {
            Subprotocol::Json => Self::Json,
            Subprotocol::ReliableJson => Self::ReliableJson,
            Subprotocol::Protobuf => Self::Protobuf,
            Subprotocol::ReliableProtobuf => Self::ReliableProtobuf,
        }
    }

    /// Returns the predefined subprotocol; `None` for a simple client.
    #[must_use]
    pub(crate) fn subprotocol(self) -> Option<Subprotocol> {
        Subprotocol::ALL.into_iter().find(|protocol| Self::for_subprotocol(*protocol) == self)
    }

    /// Returns whether a lost connection can be recovered.
    #[must_use]
    pub(crate) fn is_reliable(self) -> bool {
        matches!(self, Self::ReliableJson | Self::ReliableProtobuf)
    }
}

/// Connection of one client, shared by hub and session.
#[derive(Debug)]
pub(crate) struct ClientConnection {
    /// Connection id.
    pub(crate) id: ConnectionId,
    /// Encoding of its messages.
    pub(crate) format: WireFormat,
    /// Identity, shared with event handlers.
    info: Arc<ConnectionInfo>,
    /// Most recent frames, if the inspector is enabled.
    pub(crate) recorder: Recorder,
    /// Reason of the end, set once.
    end_reason: OnceLock<String>,
    /// Current permissions. Application servers may change them at any time.
    permissions: RwLock<Permissions>,
    memory: Arc<ClientMemory>,
    delivery: Delivery,
}

/// Path of messages to the client.
#[derive(Debug)]
enum Delivery {
    /// Over one socket, whose end is the end of the connection.
    Direct(Arc<Outbox>),
    /// Over a succession of sockets.
    Reliable(ReliableQueue),
}

impl Delivery {
    fn new(format: WireFormat, memory: &Arc<ClientMemory>) -> Self {
        match format.is_reliable() {
            true => Self::Reliable(ReliableQueue::new(memory)),
            false => Self::Direct(Arc::new(Outbox::new(memory))),
        }
    }
}

impl ClientConnection {
    /// Creates a connection that belongs to no hub yet, with a memory budget of its own.
    #[must_use]
    pub(crate) fn new(
        id: ConnectionId,
        user_id: Option<String>,
        format: WireFormat,
        permissions: Permissions,
    ) -> Self {
        let memory = Arc::default();
        let delivery = Delivery::new(format, &memory);
        let subprotocol = format.subprotocol().map(|protocol| protocol.name().to_owned());
        let info = ConnectionInfo::new(id.clone(), user_id, subprotocol, EventContext::default());
        Self {
            id,
            format,
            info: Arc::new(info),
            recorder: Recorder::default(),
            end_reason: OnceLock::new(),
            permissions: RwLock::new(permissions),
            memory,
            delivery,
        }
    }

    /// Charges the connection's queues to `budget`.
    #[must_use]
    pub(crate) fn with_budget(mut self, budget: &MemoryBudget) -> Self {
        self.memory = budget.client(self.may_publish());
        self.delivery = Delivery::new(self.format, &self.memory);
        self
    }

    /// Returns the memory of the connection's queues.
    pub(crate) fn memory(&self) -> &Arc<ClientMemory> {
        &self.memory
    }

    /// Adds the results of the handshake: the context of its events, and the negotiated subprotocol, predefined or
    /// custom.
    #[must_use]
    pub(crate) fn with_handshake(mut self, event_context: EventContext, subprotocol: Option<String>) -> Self {
        let user_id = self.user_id().map(str::to_owned);
        self.info = Arc::new(ConnectionInfo::new(self.id.clone(), user_id, subprotocol, event_context));
        self
    }

    /// Returns the identity of the connection.
    #[must_use]
    pub(crate) fn info(&self) -> &Arc<ConnectionInfo> {
        &self.info
    }

    /// Returns the user id; `None` for an anonymous client.
    #[must_use]
    pub(crate) fn user_id(&self) -> Option<&str> {
        self.info.user_id()
    }

    /// Returns whether `permission` is granted for `group`.
    #[must_use]
    pub(crate) fn is_allowed(&self, permission: Permission, group: &str) -> bool {
        self.permissions.read().unwrap_or_else(PoisonError::into_inner).allow(permission, group)
    }

    /// Returns whether a role grants the use of the states of all groups.
    #[must_use]
    pub(crate) fn is_allowed_group_states(&self, access: GroupStateAccess) -> bool {
        self.permissions.read().unwrap_or_else(PoisonError::into_inner).allow_group_states(access)
    }

    /// Returns whether the client may publish to any group.
    #[must_use]
    pub(crate) fn may_publish(&self) -> bool {
        self.permissions.read().unwrap_or_else(PoisonError::into_inner).allow_any(Permission::SendToGroup)
    }

    /// Grants or revokes a permission for one group; see [`Permissions::decide`].
    ///
    /// # Errors
    /// [`TooManyDecisions`] if too many groups have a permission of their own.
    pub(crate) fn set_permission(
        &self,
        permission: Permission,
        group: &GroupName,
        allowed: bool,
    ) -> Result<(), TooManyDecisions> {
        self.permissions.write().unwrap_or_else(PoisonError::into_inner).decide(permission, group, allowed)
    }

    /// Returns the negotiated subprotocol, predefined or custom; `None` if there is none.
    #[must_use]
    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.info.subprotocol()
    }

    /// Returns the name of the predefined subprotocol; `None` for a simple client.
    #[must_use]
    pub(crate) fn protocol(&self) -> Option<&'static str> {
        self.format.subprotocol().map(Subprotocol::name)
    }

    /// Returns the outbox of the first socket. `None` if the connection has ended already.
    #[must_use]
    pub(crate) fn attach(&self, now: Instant) -> Option<Arc<Outbox>> {
        match &self.delivery {
            Delivery::Direct(outbox) => Some(Arc::clone(outbox)),
            Delivery::Reliable(queue) => queue.attach(now),
        }
    }

    /// Returns the outbox of a further socket, which starts with `greeting`. `None` if the connection has ended, or
    /// cannot have a further socket.
    #[must_use]
    pub(crate) fn reattach(&self, greeting: &Response<'_>, now: Instant) -> Option<Arc<Outbox>> {
        self.reliable_queue()?.attach_after(self.frame(greeting), now)
    }

    /// Queues a message, and reports whether its publisher should wait for this client.
    pub(crate) fn deliver(&self, broadcast: &mut Broadcast<'_>) -> Backpressure {
        let (expires_at, now) = (broadcast.expires_at(), broadcast.sent_at());
        match (&self.delivery, self.format) {
            (Delivery::Direct(outbox), WireFormat::Simple) => broadcast.push_simple(outbox),
            (Delivery::Direct(outbox), WireFormat::Protobuf) => broadcast.push_protobuf(outbox),
            (Delivery::Direct(outbox), _) => broadcast.push_json(outbox),
            (Delivery::Reliable(queue), WireFormat::ReliableProtobuf) => {
                let message = Unsequenced::Protobuf(broadcast.shared_protobuf().clone());
                queue.push(broadcast.position(), message, expires_at, now)
            }
            (Delivery::Reliable(queue), _) => {
                let message = Unsequenced::Json(broadcast.open_json().clone());
                queue.push(broadcast.position(), message, expires_at, now)
            }
        }
    }

    /// Queues a response for this client alone. It is not sent again after a reconnection, and never delays a
    /// publisher: the limit of the outbox bounds it. Simple clients receive payloads only, so it is dropped for them.
    pub(crate) fn send(&self, response: &Response<'_>) {
        if let Some(frame) = self.frame(response) {
            self.push(&frame);
        }
    }

    /// Encodes `response`; `None` for a simple client.
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

    /// Ends the connection for good on behalf of an application server or the service: sends what is queued, then a
    /// `disconnected` message, then the close frame.
    pub(crate) fn disconnect(&self, message: String, close: Close) {
        self.set_end_reason(&message);
        self.send(&Response::Disconnected { message });
        self.close(close);
    }

    /// Sets the reason of the end, unless there is one already.
    pub(crate) fn set_end_reason(&self, reason: &str) {
        self.end_reason.get_or_init(|| reason.to_owned());
    }

    /// Returns whether the connection is ending, or has ended.
    #[must_use]
    pub(crate) fn is_ending(&self) -> bool {
        self.end_reason.get().is_some()
    }

    /// Returns the reason of the end; empty if none was given.
    #[must_use]
    pub(crate) fn end_reason(&self) -> &str {
        self.end_reason.get().map_or("", String::as_str)
    }

    /// Ends the connection for good: sends what is queued, then the close frame.
    pub(crate) fn close(&self, close: Close) {
        self.set_end_reason(&close.reason);
        match &self.delivery {
            Delivery::Direct(outbox) => outbox.close(close),
            Delivery::Reliable(queue) => queue.close(close),
        }
    }

    /// Ends the connection for good, without what is queued.
    pub(crate) fn abandon(&self, close: Close) {
        self.set_end_reason(&close.reason);
        match &self.delivery {
            Delivery::Direct(outbox) => outbox.abandon(close),
            Delivery::Reliable(queue) => queue.abandon(close),
        }
    }

    /// Waits until the client has caught up; see [`Outbox::wait_until_caught_up`].
    pub(crate) async fn wait_until_caught_up(&self, deadline: Instant) -> bool {
        match &self.delivery {
            Delivery::Direct(outbox) => outbox.wait_until_caught_up(deadline).await,
            Delivery::Reliable(queue) => queue.wait_until_caught_up(deadline).await,
        }
    }

    /// Marks the client as slow; see [`Outbox::stop_backpressure`].
    pub(crate) fn stop_backpressure(&self) {
        match &self.delivery {
            Delivery::Direct(outbox) => outbox.stop_backpressure(),
            Delivery::Reliable(queue) => queue.stop_backpressure(),
        }
    }

    /// Returns a count of bytes that grows while the client receives.
    pub(crate) fn progress_bytes(&self) -> u64 {
        match &self.delivery {
            Delivery::Direct(outbox) => outbox.written_bytes(),
            Delivery::Reliable(queue) => queue.progress_bytes(),
        }
    }

    /// Returns the queue of a reliable connection; `None` for others.
    #[must_use]
    pub(crate) fn reliable_queue(&self) -> Option<&ReliableQueue> {
        match &self.delivery {
            Delivery::Direct(_) => None,
            Delivery::Reliable(queue) => Some(queue),
        }
    }

    /// Returns whether this is a reliable connection without a socket.
    #[must_use]
    pub(crate) fn is_detached(&self) -> bool {
        self.reliable_queue().is_some_and(|queue| !queue.has_transport())
    }

    /// Returns whether a reliable connection has ended for good. Other connections end with their socket.
    #[must_use]
    pub(crate) fn has_ended(&self) -> bool {
        self.reliable_queue().is_some_and(ReliableQueue::has_ended)
    }
}
