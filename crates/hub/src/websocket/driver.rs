//! Driver of one socket: moves bytes between socket, session and outbox.

use std::{
    io::{self, IoSlice},
    pin::pin,
    time::{Duration, SystemTime},
};

use futures_util::future::{join, select};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout},
};
use webpubsub_protocol::close::Close;
use webpubsub_websocket::{encode::encode_close, utf8::from_utf8};

use super::inbox::{Inbox, InboxEvent, MessageKind, SocketEnd};
use crate::{
    connection::ClientConnection,
    event_handler::{EventError, EventHandler},
    outbox::{NextWrite, Outbox, WriteBatch},
    session::{Incoming, PendingEvent, Session, SessionAction},
};

/// Time that a closing client has to read the queued frames and the close frame, and to close the socket.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time without progress after which a write fails: the client does not read, and is considered lost.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a session on a socket until the socket ends, and dispatches its events to `handler`. Returns the kind of the
/// end.
pub(crate) async fn run(
    socket: impl AsyncRead + AsyncWrite + Send,
    session: &mut Session,
    outbox: &Outbox,
    handler: Option<&dyn EventHandler>,
) -> SocketEnd {
    let (reader, mut writer) = tokio::io::split(socket);
    let connection = std::sync::Arc::clone(session.connection());
    let mut end = SocketEnd::Lost;
    {
        // Pinned here: a future that is moved into another one takes the memory of an idle connection twice.
        let reading = pin!(async {
            let mut inbox = Inbox::new(reader, &connection, outbox, handler.is_some());
            let close;
            let mut session_loop = SessionLoop { session, outbox, handler };
            (close, end) = tokio::select! {
                ended = session_loop.read(&mut inbox) => ended,
                () = connection.memory().evicted() => {
                    connection.abandon(Close::EVICTED);
                    (Close::EVICTED, SocketEnd::Final)
                }
            };
            match end {
                // Before the close handshake completes, so that the connection cannot be recovered during it.
                SocketEnd::Final => connection.close(close),
                SocketEnd::Lost => outbox.close(close),
            }
            // With unread bytes, the operating system would reset the connection, and might drop the close frame.
            inbox.discard().await;
        });
        let writing = pin!(async {
            if let Err(error) = write(&mut writer, outbox, &connection).await {
                tracing::debug!(connection = %connection.id, %error, "write failed");
                outbox.close(Close::NORMAL);
            }
        });
        let close_timed_out = pin!(async {
            outbox.closed().await;
            if !outbox.was_aborted() {
                tokio::time::sleep(CLOSE_TIMEOUT).await;
            }
        });
        select(join(reading, writing), close_timed_out).await;
    }
    outbox.clear();
    end
}

/// Sends a close frame, then shuts the socket down.
pub(crate) async fn reject(mut socket: impl AsyncWrite + Unpin, close: &Close) {
    let closing = async {
        socket.write_all(&encode_close(close.code, &close.reason)).await?;
        socket.shutdown().await
    };
    // A client that does not read it is lost.
    drop(timeout(CLOSE_TIMEOUT, closing).await);
}

/// Loop that reads the messages of a session.
struct SessionLoop<'a> {
    session: &'a mut Session,
    outbox: &'a Outbox,
    handler: Option<&'a dyn EventHandler>,
}

impl SessionLoop<'_> {
    /// Handles messages until the connection ends. Returns the close frame to send, and the kind of the end.
    async fn read(&mut self, inbox: &mut Inbox<'_, impl AsyncRead + Unpin>) -> (Close, SocketEnd) {
        loop {
            let session = &mut *self.session;
            let event = inbox.next(move || session.next_deadline()).await;
            let (now, time) = inbox.read_at();
            self.session.synchronize_clock(now, time);
            let action = match event {
                InboxEvent::Message(MessageKind::Text) => match from_utf8(inbox.payload()) {
                    Ok(text) => self.session.receive(Incoming::Text(text), now),
                    Err(_) => SessionAction::Close(Close::INVALID_UTF8),
                },
                InboxEvent::Message(MessageKind::Binary) => {
                    self.session.receive(Incoming::Binary(inbox.payload()), now)
                }
                InboxEvent::Deadline => {
                    self.session.deadline_reached(Instant::now());
                    SessionAction::Continue
                }
                InboxEvent::End(close, end) => return (close, end),
            };
            if !inbox.has_next() {
                self.session.count_received();
            }
            let action = match action {
                // Boxed, since most clients never send an event.
                SessionAction::Dispatch(pending) => match Box::pin(self.dispatch(pending, inbox)).await {
                    Some(action) => action,
                    // The next call of `Inbox::next` returns the kind of the end.
                    None => continue,
                },
                action => action,
            };
            match action {
                SessionAction::Continue | SessionAction::Dispatch(_) => {}
                SessionAction::Throttle(receivers) => Box::pin(self.session.wait_for(receivers)).await,
                SessionAction::Close(close) => return (close, SocketEnd::Final),
            }
            self.outbox.wait_for_capacity().await;
        }
    }

    /// Dispatches an event, and passes the answer to the session. `None` if the client disconnects first.
    async fn dispatch(
        &mut self,
        pending: PendingEvent,
        inbox: &mut Inbox<'_, impl AsyncRead + Unpin>,
    ) -> Option<SessionAction> {
        let PendingEvent { event, reply_to } = pending;
        let answer = match self.handler {
            Some(handler) => {
                let connection = std::sync::Arc::clone(self.session.connection());
                let event_bytes = event.payload.len();
                inbox.read_while(event_bytes, handler.event(connection.info(), &event)).await?
            }
            None => Err(EventError::NoHandler),
        };
        let now = Instant::now();
        if matches!(answer, Err(EventError::NoHandler)) {
            self.session.log_unhandled(&event.name, now);
        }
        Some(self.session.complete_event(reply_to, answer, now))
    }
}

/// Writes the frames of the outbox until its close frame.
async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    outbox: &Outbox,
    connection: &ClientConnection,
) -> io::Result<()> {
    loop {
        match outbox.next_write(Instant::now).await {
            NextWrite::Frames(mut frames) => {
                while let Some(batch) = frames.take_batch() {
                    connection.recorder.record_sent(batch.slices(), SystemTime::now);
                    write_batch(writer, &batch).await?;
                    outbox.complete_write(&batch);
                }
            }
            NextWrite::Close(close) => {
                writer.write_all(&encode_close(close.code, &close.reason)).await?;
                return writer.shutdown().await;
            }
        }
    }
}

/// Writes a batch with as few system calls as possible.
async fn write_batch(writer: &mut (impl AsyncWrite + Unpin), batch: &WriteBatch) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = batch.slices().map(IoSlice::new).collect();
    let mut rest = &mut slices[..];
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        let written = timeout(WRITE_TIMEOUT, writer.write_vectored(rest)).await??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut rest, written);
    }
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use webpubsub_protocol::{name::GroupName, role::Permissions};

    use super::*;
    use crate::{
        connection::{ClientConnection, ConnectionId, WireFormat},
        hub::Hub,
        outbox::HIGH_WATER_MARK_BYTES,
        session::SimpleMode,
    };

    fn client(hub: &Arc<Hub>, group: &GroupName) -> Arc<ClientConnection> {
        let permissions = Permissions::from_roles(["webpubsub.sendToGroup"]);
        let id = ConnectionId::random().unwrap();
        let connection = Arc::new(ClientConnection::new(id, None, WireFormat::Json, permissions));
        hub.add(&connection);
        hub.join(&connection.id, group).unwrap();
        connection
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_a_client_that_does_not_read_its_responses_are_not_read() {
        let (hub, group) = (Arc::new(Hub::default()), GroupName::new("g").unwrap());
        let connection = client(&hub, &group);
        let outbox = connection.attach(Instant::now()).unwrap();
        let mut session = Session::new(hub, Arc::clone(&connection), SimpleMode::SendEvent);
        // Tens of thousands of pings whose pongs are never read.
        let ping = [b"\x89\xFD\0\0\0\0", &[0; 125][..]].concat();
        let pings = ping.repeat(2 * HIGH_WATER_MARK_BYTES / 125);
        let mut inbox = Inbox::new(&pings[..], &connection, &outbox, false);
        let mut session_loop = SessionLoop { session: &mut session, outbox: &outbox, handler: None };
        let reading = session_loop.read(&mut inbox);
        let is_blocked = tokio::time::timeout(WRITE_TIMEOUT, reading).await.is_err();
        assert!(is_blocked, "all pings were read");
        let NextWrite::Frames(pongs) = outbox.next_write(Instant::now).await else { panic!("closed") };
        let queued = pongs.cost();
        assert!(queued <= HIGH_WATER_MARK_BYTES + ping.len(), "{queued} bytes of pongs are queued");
    }
}
