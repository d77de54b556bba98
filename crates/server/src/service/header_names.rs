//! Names of the headers of a request, spelled as the client has sent them.
//!
//! The HTTP library reports names in lower case, but event handlers receive them as sent. So the first head that a socket
//! receives is kept until its request is handled: WebSocket handshakes are the first request on their socket, because clients
//! open a socket for each. The names of later requests on a socket are in lower case.

use std::sync::{Arc, Mutex, PoisonError};

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

    /// Returns a function that takes the bytes of a socket as they are received, and keeps the first head.
    pub(super) fn recorder(&self) -> impl FnMut(&[u8]) + use<> {
        let (head, mut is_complete) = (self.clone(), false);
        move |received| is_complete = is_complete || head.add(received)
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio_util::io::InspectReader;

    use super::*;

    #[tokio::test]
    async fn names_are_spelled_as_sent_and_only_the_first_head_is_kept() {
        let head = FirstHead::default();
        let sent =
            b"GET / HTTP/1.1\r\nHost: h\r\nx-Custom-ID: 1\r\nsec-websocket-KEY: k\r\n\r\nBody: x\r\n\r\n";
        let mut socket = InspectReader::new(&sent[..], head.recorder());
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
        InspectReader::new(&sent[..], head.recorder()).read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), sent.len());
        assert!(head.0.lock().unwrap().len() < 2 * MAX_HEADER_BYTES + 1);
    }
}
