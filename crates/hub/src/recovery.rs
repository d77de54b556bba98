//! Recovery of reliable connections on a new socket.
//!
//! A session outlives its sockets. The task of a socket holds the lock of the session, so one socket at a time drives
//! it. A new socket that presents connection id and reconnection token aborts the old socket, and waits for the lock. A
//! session that loses its socket without a normal close is retained for [`RETENTION`].
//!
//! Source: client specification (recovery).

use std::{sync::Arc, time::Duration};

use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use webpubsub_protocol::{close::Close, message::Response as Message, name::HubName};

use crate::{
    admission::ConnectionPermit,
    connection::{ClientConnection, ConnectionId},
    outbox::Outbox,
    service::Service,
    session::Session,
    websocket::{driver, inbox::SocketEnd},
};

/// Time that a detached session is retained (client specification: at least 30 s).
pub const RETENTION: Duration = Duration::from_secs(30);

/// Session of a reliable connection, with or without a socket.
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

    /// Creates a reconnection token: 256 random bits.
    pub(crate) fn new_token() -> Result<String, getrandom::Error> {
        let (first, second) = (ConnectionId::random()?, ConnectionId::random()?);
        Ok(format!("{first}{second}"))
    }

    pub(crate) fn id(&self) -> &ConnectionId {
        &self.connection.id
    }

    /// Returns the subprotocol, which stays the same on every socket.
    pub(crate) fn protocol(&self) -> Option<&'static str> {
        self.connection.protocol()
    }

    /// Returns whether `token` is the reconnection token of this session, in this hub. Compares in constant time.
    pub(crate) fn is_valid_recovery(&self, hub: &HubName, token: &str) -> bool {
        let is_right = bool::from(self.token.as_bytes().ct_eq(token.as_bytes()));
        is_right && self.hub == *hub && !self.connection.has_ended()
    }

    /// Returns the first message of a socket. The documentation promises it on the first socket only, but the official
    /// JavaScript client resumes its streams only if it arrives on further sockets, too.
    fn connected_message(&self) -> Message<'static> {
        Message::Connected {
            connection_id: self.connection.id.as_str().to_owned(),
            user_id: self.connection.user_id().map(str::to_owned),
            reconnection_token: Some(self.token.clone()),
        }
    }

    /// Runs the session on its first socket, whose outbox holds the `connected` message already.
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

    /// Resumes the session on a further socket.
    pub(crate) async fn resume(
        self: Arc<Self>,
        service: Arc<Service>,
        socket: impl AsyncRead + AsyncWrite + Send + Unpin,
    ) {
        let Some(queue) = self.connection.reliable_queue() else { return };
        let ticket = queue.fence();
        let mut session = self.session.lock().await;
        // The session may have ended while the old socket closed, or a newer socket may wait for the lock.
        let attach = || self.connection.reattach(&self.connected_message());
        let Some(outbox) = queue.is_newest(ticket).then(attach).flatten() else {
            drop(session);
            if queue.has_ended() {
                // The task of the old socket has left the end to this one.
                self.finish(&service).await;
            }
            return driver::reject(socket, &Close::NOT_RECOVERABLE).await;
        };
        tracing::debug!(connection = %self.connection.id, "session recovered");
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
        // `None`: another socket waits for the lock, or has it already.
        let Some(generation) = queue.detach(outbox) else { return };
        tracing::debug!(connection = %self.connection.id, "socket lost, session retained for recovery");
        let (session, service) = (self, Arc::downgrade(service));
        tokio::spawn(async move {
            let Some(queue) = session.connection.reliable_queue() else { return };
            // An application server may close a detached connection, and memory may run short.
            let ended = async {
                tokio::select! {
                    () = queue.ended() => {}
                    () = session.connection.memory().evicted() => {
                        session.connection.abandon(Close::EVICTED);
                    }
                }
            };
            let has_timed_out = tokio::time::timeout(RETENTION, ended).await.is_err();
            let Some(service) = service.upgrade() else { return };
            if queue.is_detached_since(generation) {
                if has_timed_out {
                    session.connection.set_end_reason("The connection recovery timeout expired.");
                }
                session.finish(&service).await;
            }
        });
    }

    /// Ends the connection for good.
    async fn finish(&self, service: &Service) {
        self.connection.close(Close::NORMAL);
        service.remove_resumable(&self.connection.id);
        service.connection_closed(&mut *self.session.lock().await);
    }
}
