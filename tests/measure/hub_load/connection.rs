//! WebSocket connection at the level of bytes.

use std::{io, pin::Pin, task::Poll};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};

use super::{
    inbox::Inbox,
    protocol::{Protocol, Role},
};

/// Maximum size of the response to a handshake.
const MAX_RESPONSE_BYTES: usize = 16 * 1024;

/// Address and protocol of a server.
#[derive(Debug, Clone)]
pub struct Target {
    /// Protocol.
    pub protocol: Protocol,
    /// Host and port.
    pub address: String,
}

/// Open connection with its received data.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Received messages.
    pub inbox: Inbox,
}

impl Connection {
    /// Connects, and sends the initial frames of the protocol.
    ///
    /// # Errors
    /// Fails if the server refuses the WebSocket.
    pub async fn open(target: &Target, role: Role) -> anyhow::Result<Self> {
        let Target { protocol, address } = target;
        let mut stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let path = protocol.path(address, role)?;
        let subprotocol = protocol.subprotocol().map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            subprotocol.unwrap_or_default()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut response = Vec::with_capacity(1024);
        let after_head = loop {
            ensure!(
                stream.read_buf(&mut response).await? > 0,
                "the server closed the connection during the handshake"
            );
            if let Some(at) = response.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(response.len() < MAX_RESPONSE_BYTES, "the response to the handshake is too long");
        };
        let (head, rest) = response.split_at(after_head);
        ensure!(head.starts_with(b"HTTP/1.1 101"), "refused: {}", String::from_utf8_lossy(head));
        let mut connection = Self { stream, inbox: Inbox::new(*protocol) };
        connection.inbox.push(rest)?;
        connection.send(&protocol.initial_frames(role)).await?;
        Ok(connection)
    }

    /// Sends frames.
    ///
    /// # Errors
    /// Fails if the connection is closed.
    pub async fn send(&mut self, frames: &[u8]) -> io::Result<()> {
        self.stream.write_all(frames).await
    }

    /// Receives bytes. All connections share the buffer `scratch`, borrowed only during a read, so that it stays in the
    /// processor's cache. Passes the bytes to `inspect`, too.
    ///
    /// # Errors
    /// Fails if the connection is closed, or the server reports an error.
    pub async fn receive(
        &mut self,
        scratch: &std::cell::RefCell<Box<[u8]>>,
        mut inspect: impl FnMut(&[u8]),
    ) -> anyhow::Result<()> {
        let Self { stream, inbox } = self;
        std::future::poll_fn(|context| {
            let mut scratch = scratch.borrow_mut();
            let mut space = ReadBuf::new(&mut scratch);
            std::task::ready!(Pin::new(&mut *stream).poll_read(context, &mut space))?;
            let bytes = space.filled();
            if bytes.is_empty() {
                return Poll::Ready(Err(anyhow::anyhow!("the server closed a connection")));
            }
            inspect(bytes);
            Poll::Ready(inbox.push(bytes))
        })
        .await?;
        self.send_responses().await
    }

    /// Receives available bytes without waiting.
    ///
    /// # Errors
    /// Fails as [`Self::receive`].
    pub async fn receive_available(&mut self) -> anyhow::Result<()> {
        let mut space = [0; 4096];
        loop {
            match self.stream.try_read(&mut space) {
                Ok(0) => anyhow::bail!("the server closed a connection"),
                Ok(bytes) => self.inbox.push(space.get(..bytes).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.send_responses().await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn send_responses(&mut self) -> anyhow::Result<()> {
        if !self.inbox.responses.is_empty() {
            let responses = std::mem::take(&mut self.inbox.responses);
            self.send(&responses).await?;
        }
        Ok(())
    }
}
