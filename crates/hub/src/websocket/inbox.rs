//! What comes from one client: read, taken apart, and kept while its turn has not come.
//!
//! While the application is being asked about one message, reading goes on: pings are answered, a client that goes away
//! is noticed, and what else comes waits, within [`BACKLOG_BYTES`]. Beyond that nothing is read, and the client's
//! sends back up in its own socket.

use std::{
    collections::VecDeque,
    future::Future,
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, timeout_at},
};
use webpubsub_protocol::close::{self, Close};

use super::{
    frame::{Opcode, encode},
    message_reader::{MAX_MESSAGE_BYTES, MessageReader, ReceivedMessage},
};
use crate::{connection::ClientConnection, inspect::recorder::RECORDED_FRAMES, outbox::Outbox};

/// A client that has been silent for this long is pinged (the cloud service's default).
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// A client that answers no ping for this many intervals more, five minutes in all, is gone. Not sooner: a simple program
/// that waits for a line from the keyboard answers nothing read_while, and is there all the same.
pub const KEEP_ALIVE_MISSES: u32 = 14;
/// Most bytes of messages that wait behind one that the application is being asked about, and 256 for each besides.
pub const BACKLOG_BYTES: usize = MAX_MESSAGE_BYTES;
/// What a waiting message costs beside its payload: an empty one is not free.
const ENTRY_BYTES: usize = 256;
/// How long the application may still take over what a client said before it said goodbye.
pub const CLOSING_EVENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Room for one read while a client says little: what an idle connection costs.
const IDLE_READ_BYTES: usize = 2048;
/// Room for one read while a client says much.
const BUSY_READ_BYTES: usize = 64 * 1024;

/// How a socket's time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketEnd {
    /// For good: client or service closed the connection, or the client broke the rules.
    Final,
    /// By accident, as far as can be told. A reliable client may come back.
    Lost,
}

/// What kind of message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageKind {
    Text,
    Binary,
}

/// A message whose turn has not come.
#[derive(Debug)]
struct QueuedMessage {
    kind: MessageKind,
    payload: Vec<u8>,
}

impl QueuedMessage {
    /// What it counts for.
    fn cost(&self) -> usize {
        self.payload.len() + ENTRY_BYTES
    }
}

/// What comes next.
#[derive(Debug)]
pub(super) enum InboxEvent {
    /// A message, whose payload is [`Inbox::payload`].
    Message(MessageKind),
    /// The time that was asked for has come, and no message.
    Deadline,
    /// There will be no further message: how to close, and why.
    End(Close, SocketEnd),
}

/// What was taken from the bytes that are there.
enum ParsedFrame {
    Message(MessageKind),
    /// A ping or a pong, dealt with.
    Control,
    End(Close, SocketEnd),
}

/// The reading half of a connection.
pub(super) struct Inbox<'c, R> {
    reader: R,
    messages: MessageReader,
    /// The message at hand, if it had to wait.
    current: Option<QueuedMessage>,
    backlog: VecDeque<QueuedMessage>,
    backlog_bytes: usize,
    /// The end, seen while messages before it current.
    end: Option<(Close, SocketEnd)>,
    /// Until when the application may take over them, if the client said goodbye and is not just gone.
    close_deadline: Option<Instant>,
    read_capacity: usize,
    missed_pongs: u32,
    ping_at: Instant,
    /// When the bytes that are there were read, by both clocks: asked once for all messages in them.
    read_at: (Instant, SystemTime),
    connection: &'c ClientConnection,
    outbox: &'c Outbox,
}

impl<'c, R: AsyncRead + Unpin> Inbox<'c, R> {
    pub(super) fn new(reader: R, connection: &'c ClientConnection, outbox: &'c Outbox) -> Self {
        Self {
            reader,
            messages: MessageReader::default(),
            current: None,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            end: None,
            close_deadline: None,
            read_capacity: IDLE_READ_BYTES,
            missed_pongs: 0,
            ping_at: Instant::now() + KEEP_ALIVE_INTERVAL,
            read_at: (Instant::now(), SystemTime::now()),
            connection,
            outbox,
        }
    }

    /// The next message, or the end, or nothing until `deadline`.
    pub(super) async fn next(&mut self, deadline: Option<Instant>) -> InboxEvent {
        self.current = None;
        loop {
            if let Some(message) = self.backlog.pop_front() {
                self.backlog_bytes -= message.cost();
                let kind = message.kind;
                self.current = Some(message);
                return InboxEvent::Message(kind);
            }
            // What comes after the end means nothing.
            if let Some((close, end)) = self.end.take() {
                return InboxEvent::End(close, end);
            }
            match self.parse_next() {
                Some(ParsedFrame::Message(kind)) => return InboxEvent::Message(kind),
                Some(ParsedFrame::End(close, end)) => return InboxEvent::End(close, end),
                Some(ParsedFrame::Control) => {
                    self.outbox.wait_for_capacity().await;
                    continue;
                }
                None => {}
            }
            if !self.read_more(deadline).await {
                return InboxEvent::Deadline;
            }
            if self.read_capacity == BUSY_READ_BYTES {
                // Those who are written to come first: a client that says much without a pause would fill their outboxes,
                // and then be current for.
                tokio::task::yield_now().await;
            }
        }
    }

    /// The payload of the message at hand.
    pub(super) fn payload(&self) -> &[u8] {
        self.current.as_ref().map_or_else(|| self.messages.payload(), |current| &current.payload)
    }

    /// When the bytes of the message at hand were read.
    pub(super) fn read_at(&self) -> Instant {
        self.read_at.0
    }

    /// Waits for `answer`, and reads on read_while. `None` when the client goes away first: at once when it is just gone,
    /// after [`CLOSING_EVENT_TIMEOUT`] when it said goodbye.
    pub(super) async fn read_while<A>(&mut self, answer: impl Future<Output = A>) -> Option<A> {
        tokio::pin!(answer);
        loop {
            while self.end.is_none() && self.backlog_bytes < BACKLOG_BYTES {
                match self.parse_next() {
                    Some(ParsedFrame::Message(kind)) => {
                        let message = QueuedMessage { kind, payload: self.messages.payload().to_vec() };
                        self.backlog_bytes += message.cost();
                        self.backlog.push_back(message);
                    }
                    Some(ParsedFrame::End(close, end)) => {
                        self.end = Some((close, end));
                        self.close_deadline = Some(Instant::now() + CLOSING_EVENT_TIMEOUT);
                    }
                    Some(ParsedFrame::Control) => {}
                    None => break,
                }
            }
            if self.end.is_some() {
                return timeout_at(self.close_deadline?, answer).await.ok();
            }
            if self.backlog_bytes >= BACKLOG_BYTES {
                return Some(answer.await);
            }
            let reading = async {
                // A client that does not take its answers is read no further.
                self.outbox.wait_for_capacity().await;
                self.read_more(None).await
            };
            tokio::select! {
                answer = &mut answer => return Some(answer),
                _ = reading => {}
            }
        }
    }

    /// Notes the message at hand, unless so many frames follow that it would be forgotten at once.
    fn record(&self, opcode: Opcode) {
        if self.messages.frames_behind() < RECORDED_FRAMES {
            self.connection.recorder.record_received(opcode, self.messages.payload(), self.read_at.1);
        }
    }

    /// The next thing among the bytes that are there. Pings are answered.
    fn parse_next(&mut self) -> Option<ParsedFrame> {
        match self.messages.next_message() {
            Ok(None) => None,
            Ok(Some(ReceivedMessage::Ping)) => {
                self.outbox.push(&encode(Opcode::Pong, self.messages.payload()));
                Some(ParsedFrame::Control)
            }
            Ok(Some(ReceivedMessage::Pong)) => Some(ParsedFrame::Control),
            Ok(Some(ReceivedMessage::Text)) => {
                self.record(Opcode::Text);
                Some(ParsedFrame::Message(MessageKind::Text))
            }
            Ok(Some(ReceivedMessage::Binary)) => {
                self.record(Opcode::Binary);
                Some(ParsedFrame::Message(MessageKind::Binary))
            }
            Ok(Some(ReceivedMessage::Close { code, reason })) => {
                // Only code 1000 says that the client will not come back.
                let end = if code == Some(close::NORMAL) { SocketEnd::Final } else { SocketEnd::Lost };
                if end == SocketEnd::Final || !self.connection.format.is_reliable() {
                    self.connection.set_end_reason(&reason);
                }
                let close = Close { code: code.unwrap_or(close::NORMAL), reason: "".into() };
                Some(ParsedFrame::End(close, end))
            }
            Err(close) => Some(ParsedFrame::End(close, SocketEnd::Final)),
        }
    }

    /// Reads once, pinging a silent client; the end goes to `self.end`. Whether it came to that before `deadline`.
    async fn read_more(&mut self, deadline: Option<Instant>) -> bool {
        loop {
            let until = deadline.map_or(self.ping_at, |deadline| deadline.min(self.ping_at));
            let space = self.messages.reserve(self.read_capacity);
            match timeout_at(until, self.reader.read_buf(space)).await {
                Ok(Ok(0) | Err(_)) => {
                    self.end = Some((Close::NORMAL, SocketEnd::Lost));
                    return true;
                }
                Ok(Ok(bytes)) => {
                    self.missed_pongs = 0;
                    self.read_at = (Instant::now(), SystemTime::now());
                    self.ping_at = self.read_at.0 + KEEP_ALIVE_INTERVAL;
                    self.read_capacity = if bytes >= self.read_capacity {
                        BUSY_READ_BYTES
                    } else {
                        IDLE_READ_BYTES.max(bytes)
                    };
                    return true;
                }
                Err(_) if Instant::now() < self.ping_at => return false,
                Err(_) if self.missed_pongs >= KEEP_ALIVE_MISSES => {
                    self.end = Some((Close::PING_TIMEOUT, SocketEnd::Lost));
                    return true;
                }
                Err(_) => {
                    self.missed_pongs += 1;
                    self.ping_at = Instant::now() + KEEP_ALIVE_INTERVAL;
                    self.outbox.push(&encode(Opcode::Ping, b""));
                }
            }
        }
    }

    /// Reads and forgets until the client has closed too.
    pub(super) async fn discard(&mut self) {
        let mut scrap = [0; IDLE_READ_BYTES];
        while self.reader.read(&mut scrap).await.is_ok_and(|bytes| bytes > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use webpubsub_protocol::role::Permissions;

    use super::*;
    use crate::connection::{ConnectionId, WireFormat};

    #[tokio::test]
    async fn others_have_their_turn_between_two_reads_of_a_client_that_says_much() {
        let id = ConnectionId::random().unwrap();
        let connection = ClientConnection::new(id, None, WireFormat::Simple, Permissions::default());
        let outbox = Outbox::default();
        // A masked message of 100 bytes; there is always one more to read.
        let message = [b"\x82\xE4\0\0\0\0", &[0; 100][..]].concat();
        let reads = 4;
        let messages = message.repeat(reads * BUSY_READ_BYTES / message.len());
        let mut inbox = Inbox::new(&messages[..], &connection, &outbox);
        let turns = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let other = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move {
                loop {
                    turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            }
        });
        while let InboxEvent::Message(_) = inbox.next(None).await {}
        other.abort();
        assert!(turns.load(std::sync::atomic::Ordering::Relaxed) >= reads);
    }
}
