//! Recovery of reliable connections on a new socket.
//!
//! A session outlives its sockets. The task of a socket holds the lock of the session, so one socket at a time drives
//! it. A new socket that presents connection id and reconnection token aborts the old socket, and waits for the lock. A
//! session that loses its socket without a normal close is retained for [`RETENTION`].
//!
//! Source: client specification (recovery).

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use webpubsub_protocol::close::Close;

use crate::{
    outbox::Outbox,
    registry::Registry,
    resumable_session::ResumableSession,
    session::Session,
    websocket::{driver, inbox::SocketEnd},
};

/// Time that a detached session is retained (client specification: at least 30 s).
pub(crate) const RETENTION: Duration = Duration::from_secs(30);

/// Runs the session on its first socket, whose outbox holds the `connected` message already.
pub(crate) async fn run_first(
    resumable: Arc<ResumableSession>,
    registry: Arc<Registry>,
    socket: impl AsyncRead + AsyncWrite + Send,
    outbox: Arc<Outbox>,
) {
    registry.connection_opened(&resumable.connection);
    let handler = registry.event_handler();
    let end = driver::run(socket, &mut *resumable.session.lock().await, &outbox, handler).await;
    socket_ended(resumable, &registry, end, &outbox).await;
}

/// Resumes the session on a further socket.
pub(crate) async fn resume(
    resumable: Arc<ResumableSession>,
    registry: Arc<Registry>,
    socket: impl AsyncRead + AsyncWrite + Send + Unpin,
) {
    let Some(queue) = resumable.connection.reliable_queue() else { return };
    let ticket = queue.fence();
    let mut session = resumable.session.lock().await;
    // The session may have ended while the old socket closed, or a newer socket may wait for the lock.
    let now = Instant::now();
    let attach = || resumable.connection.reattach(&resumable.connected_message(now), now);
    let Some(outbox) = queue.is_newest(ticket).then(attach).flatten() else {
        drop(session);
        if queue.has_ended() {
            // The task of the old socket has left the end to this one.
            finish(&resumable, &registry).await;
        }
        return driver::reject(socket, &Close::NOT_RECOVERABLE).await;
    };
    tracing::debug!(connection = %resumable.connection.id, "session recovered");
    session.restart_stream_timers(Instant::now());
    session.resend_group_states();
    let end = driver::run(socket, &mut session, &outbox, registry.event_handler()).await;
    drop(session);
    socket_ended(resumable, &registry, end, &outbox).await;
}

async fn socket_ended(
    resumable: Arc<ResumableSession>,
    registry: &Arc<Registry>,
    end: SocketEnd,
    outbox: &Arc<Outbox>,
) {
    let Some(queue) = resumable.connection.reliable_queue() else { return };
    if end == SocketEnd::Final || queue.has_ended() {
        return finish(&resumable, registry).await;
    }
    // `None`: another socket waits for the lock, or has it already.
    let Some(generation) = queue.detach(outbox) else { return };
    tracing::debug!(connection = %resumable.connection.id, "socket lost, session retained for recovery");
    let registry = Arc::downgrade(registry);
    tokio::spawn(async move {
        let Some(queue) = resumable.connection.reliable_queue() else { return };
        // An application server may close a detached connection, and memory may run short.
        let ended = async {
            tokio::select! {
                () = queue.ended() => {}
                () = resumable.connection.memory().evicted() => {
                    resumable.connection.abandon(Close::EVICTED);
                }
            }
        };
        let has_timed_out = tokio::time::timeout(RETENTION, ended).await.is_err();
        let Some(registry) = registry.upgrade() else { return };
        if queue.is_detached_since(generation) {
            if has_timed_out {
                resumable.connection.set_end_reason("The connection recovery timeout expired.");
            }
            finish(&resumable, &registry).await;
        }
    });
}

/// Ends the connection for good.
async fn finish(resumable: &ResumableSession, registry: &Registry) {
    resumable.connection.close(Close::NORMAL);
    registry.remove_resumable(&resumable.connection.id);
    end(registry, &mut *resumable.session.lock().await);
}

/// Removes a connection that has ended for good.
pub(crate) fn end(registry: &Registry, session: &mut Session) {
    registry.connection_closed(session, Instant::now());
}
