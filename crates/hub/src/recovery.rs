//! Reliable connections: taken up again on a new socket after the old one was lost.
//!
//! The conversation outlives its sockets. Whoever carries it holds its lock, so there is one carrier at a time; a new
//! socket that presents id and token cuts the old carrier off and waits for the lock. When a socket is lost without a
//! farewell, the conversation is session for [`RETENTION`].

use std::{sync::Arc, time::Duration};

use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use webpubsub_protocol::{close::Close, message::Response as Message, name::HubName};

use crate::{
    connection::{ClientConnection, ConnectionId},
    outbox::Outbox,
    service::{ConnectionPermit, Service},
    session::Session,
    websocket::{driver, inbox::SocketEnd},
};

/// How long a lost connection is session (client specification: at least 30 s).
pub const RETENTION: Duration = Duration::from_secs(30);

/// A reliable conversation, with or without a socket.
pub(crate) struct ResumableSession {
    hub: HubName,
    connection: Arc<ClientConnection>,
    token: String,
    session: tokio::sync::Mutex<Session>,
    _permit: ConnectionPermit,
}

impl ResumableSession {
    pub(crate) fn new(hub: HubName, session: Session, token: String, permit: ConnectionPermit) -> Arc<Self> {
        let connection = Arc::clone(session.connection());
        Arc::new(Self { hub, connection, token, session: tokio::sync::Mutex::new(session), _permit: permit })
    }

    /// Something that nobody can guess, to be presented when the connection is to be taken up again.
    pub(crate) fn new_token() -> Result<String, getrandom::Error> {
        let (first, second) = (ConnectionId::random()?, ConnectionId::random()?);
        Ok(format!("{first}{second}"))
    }

    pub(crate) fn id(&self) -> &ConnectionId {
        &self.connection.id
    }

    /// The subprotocol that it speaks and keeps.
    pub(crate) fn protocol(&self) -> Option<&'static str> {
        self.connection.protocol()
    }

    /// Whether this is the connection that `token` was given out for.
    pub(crate) fn is_valid_recovery(&self, hub: &HubName, token: &str) -> bool {
        let is_right = bool::from(self.token.as_bytes().ct_eq(token.as_bytes()));
        is_right && self.hub == *hub && !self.connection.has_ended()
    }

    /// What a socket hears first: who it is, and how to come back. The documentation lets clients expect it on the first
    /// socket alone; but the official JavaScript client resumes its streams only when it hears it on the further ones too.
    fn connected_message(&self) -> Message<'static> {
        Message::Connected {
            connection_id: self.connection.id.as_str().to_owned(),
            user_id: self.connection.user_id.clone(),
            reconnection_token: Some(self.token.clone()),
        }
    }

    /// Carries the conversation over its first socket, whose outbox holds the connected_message already.
    pub(crate) async fn run_first(
        self: Arc<Self>,
        service: Arc<Service>,
        socket: impl AsyncRead + AsyncWrite + Send,
        outbox: Arc<Outbox>,
    ) {
        service.connection_opened(&self.connection);
        let handler = service.event_handler();
        let end = driver::run(socket, &mut *self.session.lock().await, &outbox, handler).await;
        self.socket_ended(&service, end, &outbox).await;
    }

    /// Carries the conversation over a further socket.
    pub(crate) async fn resume(
        self: Arc<Self>,
        service: Arc<Service>,
        socket: impl AsyncRead + AsyncWrite + Send + Unpin,
    ) {
        let Some(queue) = self.connection.reliable_queue() else { return };
        let ticket = queue.fence();
        let mut session = self.session.lock().await;
        // It may have ended for good while the old carrier finished, or a newer socket may be waiting behind us.
        let attach = || self.connection.reattach(&self.connected_message());
        let Some(outbox) = queue.is_newest(ticket).then(attach).flatten() else {
            return driver::reject(socket, &Close::NOT_RECOVERABLE).await;
        };
        tracing::debug!(connection = %self.connection.id, "recovered");
        session.restart_stream_timers(Instant::now());
        let end = driver::run(socket, &mut session, &outbox, service.event_handler()).await;
        drop(session);
        self.socket_ended(&service, end, &outbox).await;
    }

    async fn socket_ended(self: Arc<Self>, service: &Arc<Service>, end: SocketEnd, outbox: &Arc<Outbox>) {
        let Some(queue) = self.connection.reliable_queue() else { return };
        if end == SocketEnd::Final || queue.has_ended() {
            return self.finish(service).await;
        }
        // `None`: another carrier is waiting, or has the conversation already.
        let Some(generation) = queue.detach(outbox) else { return };
        tracing::debug!(connection = %self.connection.id, "lost, session for recovery");
        let (session, service) = (self, Arc::downgrade(service));
        tokio::spawn(async move {
            let Some(queue) = session.connection.reliable_queue() else { return };
            // An application server may end it while nobody carries it.
            let has_run_out = tokio::time::timeout(RETENTION, queue.ended()).await.is_err();
            let Some(service) = service.upgrade() else { return };
            if queue.is_detached_since(generation) {
                if has_run_out {
                    session.connection.set_end_reason("The connection recovery timeout expired.");
                }
                session.finish(&service).await;
            }
        });
    }

    /// The end for good.
    async fn finish(&self, service: &Service) {
        self.connection.close(Close::NORMAL);
        service.remove_resumable(&self.connection.id);
        service.connection_closed(&mut *self.session.lock().await);
    }
}
