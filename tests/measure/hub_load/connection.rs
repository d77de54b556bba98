//! An open WebSocket, down to the bytes.

use std::{io, pin::Pin, task::Poll};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};

use super::{
    inbox::Inbox,
    protocol::{Part, Protocol},
};

/// Longest answer to a handshake that is looked at.
const LONGEST_ANSWER: usize = 16 * 1024;

/// Where a server listens, and how to speak with it.
#[derive(Debug, Clone)]
pub struct Target {
    /// How to speak.
    pub protocol: Protocol,
    /// Host and port.
    pub address: String,
}

/// A connection, and what came over it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What came so far.
    pub inbox: Inbox,
}

impl Connection {
    /// Connects, and says what the protocol wants said first.
    ///
    /// # Errors
    /// When the server does not accept a WebSocket.
    pub async fn open(target: &Target, part: Part) -> anyhow::Result<Self> {
        let Target { protocol, address } = target;
        let mut stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let path = protocol.path(address, part)?;
        let subprotocol = protocol.subprotocol().map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            subprotocol.unwrap_or_default()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::with_capacity(1024);
        let after_head = loop {
            ensure!(stream.read_buf(&mut answer).await? > 0, "the server ended the handshake");
            if let Some(at) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(answer.len() < LONGEST_ANSWER, "the server's answer to the handshake is too long");
        };
        let (head, rest) = answer.split_at(after_head);
        ensure!(head.starts_with(b"HTTP/1.1 101"), "refused: {}", String::from_utf8_lossy(head));
        let mut connection = Self { stream, inbox: Inbox::new(*protocol) };
        connection.inbox.take(rest)?;
        connection.send(&protocol.opening(part)).await?;
        Ok(connection)
    }

    /// Writes frames.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, frames: &[u8]) -> io::Result<()> {
        self.stream.write_all(frames).await
    }

    /// Waits for bytes, and takes them. `scratch` is lent for the moment in which there are some, so that all
    /// connections can share one that stays in the processor's cache. Gives the bytes to `look` as well.
    ///
    /// # Errors
    /// When the connection is gone, or the server complains.
    pub async fn receive(
        &mut self,
        scratch: &std::cell::RefCell<Box<[u8]>>,
        mut look: impl FnMut(&[u8]),
    ) -> anyhow::Result<()> {
        let Self { stream, inbox } = self;
        std::future::poll_fn(|context| {
            let mut scratch = scratch.borrow_mut();
            let mut space = ReadBuf::new(&mut scratch);
            std::task::ready!(Pin::new(&mut *stream).poll_read(context, &mut space))?;
            let bytes = space.filled();
            if bytes.is_empty() {
                return Poll::Ready(Err(anyhow::anyhow!("the server ended a connection")));
            }
            look(bytes);
            Poll::Ready(inbox.take(bytes))
        })
        .await?;
        self.answer().await
    }

    /// Takes what has come already.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn receive_what_is_there(&mut self) -> anyhow::Result<()> {
        let mut space = [0; 4096];
        loop {
            match self.stream.try_read(&mut space) {
                Ok(0) => anyhow::bail!("the server ended a connection"),
                Ok(bytes) => self.inbox.take(space.get(..bytes).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.answer().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        if !self.inbox.answers.is_empty() {
            let answers = std::mem::take(&mut self.inbox.answers);
            self.send(&answers).await?;
        }
        Ok(())
    }
}
