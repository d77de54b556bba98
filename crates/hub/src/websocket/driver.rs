//! The task of one connection: moves bytes between socket, session and outbox.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use webpubsub_protocol::close::{self, Close};

use super::{
    frame::{Opcode, encode, encode_close},
    message_reader::{Arrival, MessageReader},
};
use crate::{
    connection::Connection,
    outbox::Departure,
    session::{Incoming, Session, Step},
};

/// A client that has been silent for this long is pinged (the cloud service's default).
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// A client that is silent for this many intervals in a row is gone.
pub const KEEP_ALIVE_MISSES: u32 = 3;
/// How long a closing client has to take what is still queued for it, close frame included, and to say goodbye.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Room for one read while a client says little: what an idle connection costs.
const IDLE_READ_BYTES: usize = 2048;
/// Room for one read while a client says much.
const BUSY_READ_BYTES: usize = 64 * 1024;
/// Most frames in one vectored write. Linux takes 1024; beyond this many nothing is gained.
const FRAMES_PER_WRITE: usize = 256;

/// Runs a connection until it ends.
pub async fn run(socket: impl AsyncRead + AsyncWrite + Send, mut session: Session) {
    let (mut reader, mut writer) = tokio::io::split(socket);
    let connection = session.connection().clone();
    session.opened();
    let reading = async {
        let close = read(&mut reader, &mut session).await;
        connection.outbox.close(close);
        // Unread bytes would make the system reset the connection, and the close frame might be lost with it.
        discard(&mut reader).await;
    };
    let writing = async {
        if let Err(error) = write(&mut writer, &connection).await {
            tracing::debug!(connection = %connection.id, %error, "write failed");
            connection.outbox.close(Close::NORMAL);
        }
    };
    let closing_takes_too_long = async {
        connection.outbox.closed().await;
        tokio::time::sleep(CLOSE_TIMEOUT).await;
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(reading, writing) } => {}
        () = closing_takes_too_long => {}
    }
    session.ended();
    tracing::debug!(connection = %connection.id, "connection ended");
}

/// Reads messages until the client or the rules end it; gives the close frame to answer with.
async fn read(reader: &mut (impl AsyncRead + Unpin), session: &mut Session) -> Close {
    let mut messages = MessageReader::default();
    let mut room = IDLE_READ_BYTES;
    let mut misses = 0;
    loop {
        match timeout(KEEP_ALIVE_INTERVAL, reader.read_buf(messages.space(room))).await {
            Ok(Ok(0) | Err(_)) => return Close { code: close::NORMAL, reason: "".into() },
            Ok(Ok(bytes)) => {
                misses = 0;
                room = if bytes >= room { BUSY_READ_BYTES } else { IDLE_READ_BYTES.max(bytes) };
            }
            Err(_) if misses >= KEEP_ALIVE_MISSES => return Close::PING_TIMEOUT,
            Err(_) => {
                misses += 1;
                session.connection().outbox.push(encode(Opcode::Ping, b""));
            }
        }
        loop {
            match messages.next_arrival() {
                Ok(None) => break,
                Ok(Some(arrival)) => {
                    if let Some(close) = arrived(arrival, session).await {
                        return close;
                    }
                }
                Err(close) => return close,
            }
        }
    }
}

/// Deals with one message; gives the close frame if it ends the connection.
async fn arrived(arrival: Arrival, session: &mut Session) -> Option<Close> {
    let step = match arrival {
        Arrival::Text(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => session.receive(Incoming::Text(text)),
            Err(_) => Step::Close(Close::INVALID_UTF8),
        },
        Arrival::Binary(bytes) => session.receive(Incoming::Binary(&bytes)),
        Arrival::Ping(payload) => {
            session.connection().outbox.push(encode(Opcode::Pong, &payload));
            Step::Continue
        }
        Arrival::Pong => Step::Continue,
        Arrival::Close(code) => Step::Close(Close { code: code.unwrap_or(close::NORMAL), reason: "".into() }),
    };
    match step {
        Step::Continue => None,
        Step::Pace(clients) => {
            for client in clients {
                client.outbox.lightened().await;
            }
            None
        }
        Step::Close(close) => Some(close),
    }
}

/// Writes what the outbox gives until it gives the close frame.
async fn write(writer: &mut (impl AsyncWrite + Unpin), connection: &Connection) -> io::Result<()> {
    loop {
        match connection.outbox.next_departure().await {
            Departure::Frames(frames) => {
                let (count, bytes) = (frames.len(), frames.iter().map(Bytes::len).sum());
                write_all(writer, frames).await?;
                connection.outbox.written(count, bytes);
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
            let written = writer.write_vectored(rest).await?;
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
