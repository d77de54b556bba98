//! Names of the headers of a request, spelled as the client has sent them.
//!
//! The HTTP library reports names in lower case, but event handlers receive them as sent. So the first head that a socket
//! receives is kept until its request is handled: WebSocket handshakes are the first request on their socket, because clients
//! open a socket for each. The names of later requests on a socket are in lower case.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use webpubsub_hub::SentHeaderNames;

use super::accept::MAX_HEADER_BYTES;

/// End of a head.
const END: &[u8] = b"\r\n\r\n";

/// First bytes that a socket has received.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstHead(Arc<Mutex<Vec<u8>>>);

impl FirstHead {
    /// Takes the names of the headers in the head; empty if they have been taken before.
    pub(super) fn take_names(&self) -> SentHeaderNames {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let lines =
            bytes.split(|byte| *byte == b'\n').skip(1).take_while(|line| !matches!(line, [] | [b'\r']));
        let name = |line: &[u8]| {
            let end = line.iter().position(|byte| *byte == b':')?;
            String::from_utf8(line.get(..end)?.to_vec()).ok()
        };
        SentHeaderNames(lines.filter_map(name).collect())
    }

    /// Adds received bytes. Returns whether the head is complete, or too long.
    fn add(&self, bytes: &[u8]) -> bool {
        let mut head = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The end may have begun in the bytes before.
        let from = head.len().saturating_sub(END.len());
        head.extend_from_slice(bytes.get(..MAX_HEADER_BYTES).unwrap_or(bytes));
        let is_complete = head.get(from..).is_some_and(|new| new.windows(END.len()).any(|part| part == END));
        is_complete || head.len() >= MAX_HEADER_BYTES
    }
}

/// Socket that keeps the first head it receives.
pub(super) struct HeadRecorder<S> {
    socket: S,
    head: FirstHead,
    is_complete: bool,
}

impl<S> HeadRecorder<S> {
    /// Creates a recorder that fills `head`.
    pub(super) fn new(socket: S, head: FirstHead) -> Self {
        Self { socket, head, is_complete: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadRecorder<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        if !self.is_complete {
            let received = buffer.filled().get(before..).unwrap_or_default();
            self.is_complete = self.head.add(received);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadRecorder<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn names_are_spelled_as_sent_and_only_the_first_head_is_kept() {
        let head = FirstHead::default();
        let sent =
            b"GET / HTTP/1.1\r\nHost: h\r\nx-Custom-ID: 1\r\nsec-websocket-KEY: k\r\n\r\nBody: x\r\n\r\n";
        let mut socket = HeadRecorder::new(&sent[..], head.clone());
        // In pieces, so that the end of the head spans two of them.
        for length in [40, 23, 100] {
            let mut buffer = vec![0; length];
            let read = socket.read(&mut buffer).await.unwrap();
            assert!(read > 0);
        }
        assert_eq!(head.take_names().0, ["Host", "x-Custom-ID", "sec-websocket-KEY"]);
        assert!(head.take_names().0.is_empty());
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_kept_up_to_the_limit() {
        let head = FirstHead::default();
        let sent = vec![b'x'; 10 * MAX_HEADER_BYTES];
        let mut received = Vec::new();
        HeadRecorder::new(&sent[..], head.clone()).read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), sent.len());
        assert!(head.0.lock().unwrap().len() < 2 * MAX_HEADER_BYTES + 1);
    }
}
