//! The task of one connection: moves bytes between socket, session and outbox.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout},
};
use webpubsub_protocol::close::{self, Close};

use super::{
    frame::{Opcode, encode, encode_close},
    message_reader::{Arrival, MessageReader},
};
use crate::{
    outbox::{Departure, Outbox, PACE_PATIENCE},
    session::{Incoming, Session, Step},
};

/// A client that has been silent for this long is pinged (the cloud service's default).
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// A client that answers no ping for this many intervals more, five minutes in all, is gone. Not sooner: a simple program
/// that waits for a line from the keyboard answers nothing meanwhile, and is there all the same.
pub const KEEP_ALIVE_MISSES: u32 = 14;
/// How long a closing client has to take what is still queued for it, close frame included, and to say goodbye.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// A client that takes not a byte of what is written to it for this long is gone.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Room for one read while a client says little: what an idle connection costs.
const IDLE_READ_BYTES: usize = 2048;
/// Room for one read while a client says much.
const BUSY_READ_BYTES: usize = 64 * 1024;
/// Most frames in one vectored write. Linux takes 1024; beyond this many nothing is gained.
const FRAMES_PER_WRITE: usize = 256;

/// How a socket's time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// For good: client or service closed the connection, or the client broke the rules.
    Final,
    /// By accident, as far as can be told. A reliable client may come back.
    Lost,
}

/// Carries a conversation over one socket until that ends.
pub async fn run(socket: impl AsyncRead + AsyncWrite + Send, session: &mut Session, outbox: &Outbox) -> End {
    let (mut reader, mut writer) = tokio::io::split(socket);
    let id = session.connection().id.clone();
    let mut end = End::Lost;
    let reading = async {
        let close;
        (close, end) = read(&mut reader, session, outbox).await;
        match end {
            // At once, so that nobody takes the connection up again while this socket says goodbye.
            End::Final => session.connection().close(close),
            End::Lost => outbox.close(close),
        }
        // Unread bytes would make the system reset the connection, and the close frame might be lost with it.
        discard(&mut reader).await;
    };
    let writing = async {
        if let Err(error) = write(&mut writer, outbox).await {
            tracing::debug!(connection = %id, %error, "write failed");
            outbox.close(Close::NORMAL);
        }
    };
    let closing_takes_too_long = async {
        outbox.closed().await;
        if !outbox.was_aborted() {
            tokio::time::sleep(CLOSE_TIMEOUT).await;
        }
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(reading, writing) } => {}
        () = closing_takes_too_long => {}
    }
    end
}

/// Sends a close frame and nothing else.
pub async fn farewell(mut socket: impl AsyncWrite + Unpin, close: &Close) {
    let goodbye = async {
        socket.write_all(&encode_close(close)).await?;
        socket.shutdown().await
    };
    // A client that does not take it has gone.
    drop(timeout(CLOSE_TIMEOUT, goodbye).await);
}

/// Reads messages until the client or the rules end it; gives the close frame to answer with.
async fn read(reader: &mut (impl AsyncRead + Unpin), session: &mut Session, outbox: &Outbox) -> (Close, End) {
    let mut messages = MessageReader::default();
    let mut room = IDLE_READ_BYTES;
    let mut misses = 0;
    loop {
        match timeout(KEEP_ALIVE_INTERVAL, reader.read_buf(messages.space(room))).await {
            Ok(Ok(0) | Err(_)) => return (Close::NORMAL, End::Lost),
            Ok(Ok(bytes)) => {
                misses = 0;
                room = if bytes >= room { BUSY_READ_BYTES } else { IDLE_READ_BYTES.max(bytes) };
            }
            Err(_) if misses >= KEEP_ALIVE_MISSES => return (Close::PING_TIMEOUT, End::Lost),
            Err(_) => {
                misses += 1;
                outbox.push(encode(Opcode::Ping, b""));
            }
        }
        loop {
            match messages.next_arrival() {
                Ok(None) => break,
                Ok(Some(Arrival::Close(code))) => {
                    // Only code 1000 says that the client will not come back.
                    let end = if code == Some(close::NORMAL) { End::Final } else { End::Lost };
                    return (Close { code: code.unwrap_or(close::NORMAL), reason: "".into() }, end);
                }
                Ok(Some(arrival)) => {
                    if let Some(close) = arrived(arrival, session, outbox).await {
                        return (close, End::Final);
                    }
                    outbox.relieved().await;
                }
                Err(close) => return (close, End::Final),
            }
        }
    }
}

/// Deals with one message; gives the close frame if it ends the connection.
async fn arrived(arrival: Arrival, session: &mut Session, outbox: &Outbox) -> Option<Close> {
    let step = match arrival {
        Arrival::Text(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => session.receive(Incoming::Text(text)),
            Err(_) => Step::Close(Close::INVALID_UTF8),
        },
        Arrival::Binary(bytes) => session.receive(Incoming::Binary(&bytes)),
        Arrival::Ping(payload) => {
            outbox.push(encode(Opcode::Pong, &payload));
            Step::Continue
        }
        Arrival::Pong | Arrival::Close(_) => Step::Continue,
    };
    match step {
        Step::Continue => None,
        Step::Pace(clients) => {
            // One deadline for all of them, however many they are.
            let deadline = Instant::now() + PACE_PATIENCE;
            for client in clients {
                client.lightened(deadline).await;
            }
            None
        }
        Step::Close(close) => Some(close),
    }
}

/// Writes what the outbox gives until it gives the close frame.
async fn write(writer: &mut (impl AsyncWrite + Unpin), outbox: &Outbox) -> io::Result<()> {
    loop {
        match outbox.next_departure().await {
            Departure::Frames(frames) => {
                let (count, bytes) = (frames.len(), frames.iter().map(Bytes::len).sum());
                write_all(writer, frames).await?;
                outbox.written(count, bytes);
            }
            Departure::Close(close) => {
                writer.write_all(&encode_close(&close)).await?;
                return writer.shutdown().await;
            }
        }
    }
}

/// Writes whole frames, as many as possible with each system call.
async fn write_all(writer: &mut (impl AsyncWrite + Unpin), mut frames: VecDeque<Bytes>) -> io::Result<()> {
    let frames = frames.make_contiguous();
    for chunk in frames.chunks(FRAMES_PER_WRITE) {
        let mut slices: Vec<IoSlice<'_>> = chunk.iter().map(|frame| IoSlice::new(frame)).collect();
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let written = timeout(WRITE_TIMEOUT, writer.write_vectored(rest)).await??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
        }
    }
    writer.flush().await
}

/// Reads and forgets until the client has closed too.
async fn discard(reader: &mut (impl AsyncRead + Unpin)) {
    let mut scrap = [0; IDLE_READ_BYTES];
    while reader.read(&mut scrap).await.is_ok_and(|bytes| bytes > 0) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use webpubsub_protocol::{name::GroupName, role::Permissions};

    use super::*;
    use crate::{
        connection::{Connection, ConnectionId, WireFormat},
        hub::Hub,
        outbox::PACE_MARK_BYTES,
        session::SimpleMode,
    };

    fn client(hub: &Arc<Hub>, group: &GroupName) -> Arc<Connection> {
        let permissions = Permissions::from_roles(["webpubsub.sendToGroup"]);
        let id = ConnectionId::random().unwrap();
        let connection = Arc::new(Connection::new(id, None, WireFormat::Json, permissions));
        hub.add(&connection);
        hub.join(&connection.id, group).unwrap();
        connection
    }

    #[tokio::test(start_paused = true)]
    async fn many_clients_that_do_not_read_hold_a_publisher_up_no_longer_than_one() {
        let (hub, group) = (Arc::new(Hub::default()), GroupName::new("g").unwrap());
        let stalled: Vec<_> = (0..20).map(|_| client(&hub, &group)).collect();
        let publisher = client(&hub, &group);
        hub.leave(&publisher.id, &group);
        let outbox = publisher.attach().unwrap();
        let mut session = Session::new(Arc::clone(&hub), publisher, SimpleMode::SendEvent);
        let data = "x".repeat(PACE_MARK_BYTES / 2);
        let frame = format!(r#"{{"type":"sendToGroup","group":"g","dataType":"text","data":"{data}"}}"#);
        let started = Instant::now();
        for _ in 0..6 {
            let arrival = Arrival::Text(frame.as_bytes().into());
            assert!(arrived(arrival, &mut session, &outbox).await.is_none());
        }
        assert_eq!(started.elapsed(), PACE_PATIENCE);
        drop(stalled);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_answers_is_asked_nothing_more() {
        let (hub, group) = (Arc::new(Hub::default()), GroupName::new("g").unwrap());
        let connection = client(&hub, &group);
        let outbox = connection.attach().unwrap();
        let mut session = Session::new(hub, connection, SimpleMode::SendEvent);
        // Pings by the hundred thousand, of which no answer is taken.
        let pings = std::iter::repeat_n(b"\x89\x80\0\0\0\0", 100_000).flatten().copied().collect::<Vec<u8>>();
        let reading = async { read(&mut &pings[..], &mut session, &outbox).await };
        let stays_asleep = tokio::time::timeout(WRITE_TIMEOUT, reading).await.is_err();
        assert!(stays_asleep, "it was read to the end");
        let Departure::Frames(answers) = outbox.next_departure().await else { panic!("closed") };
        assert!(answers.len() < 10_000, "{} answers wait", answers.len());
    }
}
