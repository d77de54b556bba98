//! Inbox of one socket: reads frames, and queues messages while an event waits for its answer.
//!
//! While an event handler has not answered yet, the inbox reads on: it answers pings, detects the end of the socket,
//! and queues messages up to [`BACKLOG_BYTES`]. At this limit it stops reading, so that TCP flow control stops the
//! client.

use std::{
    collections::VecDeque,
    future::{self, Future},
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Poll, ready},
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    time::{Instant, sleep_until, timeout_at},
};
use webpubsub_protocol::close::{self, Close};
use webpubsub_websocket::{MessageError, MessageReader, ReceivedMessage, frame::Opcode};

use crate::{
    connection::ClientConnection,
    hub::MAX_PAYLOAD_BYTES,
    memory::MemoryCharge,
    outbox::{EncodedFrame, Outbox},
    recorder::RECORDED_FRAMES,
};

/// Maximum payload of a client's message, in bytes, over all fragments (limit of the cloud service).
pub(crate) const MAX_MESSAGE_BYTES: usize = MAX_PAYLOAD_BYTES;
/// Maximum payload of a message of a client that may not publish, in bytes: its requests are short. Events, which every
/// client may send, have [`MAX_MESSAGE_BYTES`] if an event handler receives them.
pub(crate) const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// Time without received bytes after which a client is pinged (default of the cloud service).
pub(crate) const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// Number of unanswered pings after which a client is lost: five minutes in total. A shorter time would disconnect
/// simple programs that block, waiting for keyboard input, and answer no pings meanwhile.
pub(crate) const KEEP_ALIVE_MISSES: u32 = 14;
/// Maximum size of the messages queued behind an event, in bytes. Each counts 256 bytes more than its payload.
pub(crate) const BACKLOG_BYTES: usize = MAX_MESSAGE_BYTES;
/// Overhead of a queued message, in bytes. Bounds the number of empty messages.
const ENTRY_BYTES: usize = 256;
/// Time that event handlers have for the events a client sent before its close frame.
pub(crate) const CLOSING_EVENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time in which a client must complete a message that it has begun: 1 MiB at 140 kbit/s. Until then it holds memory.
pub(crate) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Size of a read from an idle client, in bytes.
const IDLE_READ_BYTES: usize = 2048;
/// Buffer size for reads from a busy client, in bytes.
const BUSY_READ_BYTES: usize = 64 * 1024;

/// End of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketEnd {
    /// Ends the connection: client or service closed it, or the client violated the protocol.
    Final,
    /// Lost without a normal close. A reliable connection may be recovered.
    Lost,
}

/// Type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageKind {
    Text,
    Binary,
}

/// Message that waits behind an event.
#[derive(Debug)]
struct QueuedMessage {
    kind: MessageKind,
    payload: Vec<u8>,
}

impl QueuedMessage {
    /// Returns the size that counts toward [`BACKLOG_BYTES`].
    fn cost(&self) -> usize {
        self.payload.len() + ENTRY_BYTES
    }
}

/// Next event of an inbox.
#[derive(Debug)]
pub(super) enum InboxEvent {
    /// A message, with the payload [`Inbox::payload`].
    Message(MessageKind),
    /// The deadline has passed without a message.
    Deadline,
    /// No further messages: the close frame to send, and the kind of the end.
    End(Close, SocketEnd),
}

/// Result of parsing a frame.
enum ParsedFrame {
    Message(MessageKind),
    /// A ping or a pong, already handled.
    Control,
    End(Close, SocketEnd),
}

/// Reading half of a connection.
pub(super) struct Inbox<'c, R> {
    reader: R,
    messages: MessageReader,
    /// Current message, if it was queued.
    current: Option<QueuedMessage>,
    backlog: VecDeque<QueuedMessage>,
    backlog_bytes: usize,
    /// Memory of the event that waits for its answer, in bytes.
    event_bytes: usize,
    /// End of the socket, read behind queued messages.
    end: Option<(Close, SocketEnd)>,
    /// Deadline of their events after a close frame; `None` if the socket was lost.
    close_deadline: Option<Instant>,
    read_capacity: usize,
    missed_pongs: u32,
    ping_at: Instant,
    /// Time at which an incomplete message began.
    begun_at: Option<Instant>,
    /// Whether every client may send messages of the maximum size, because an event handler receives them.
    accepts_large_events: bool,
    /// Covers the buffers and the backlog.
    charge: MemoryCharge,
    /// Time of the last read, by both clocks: read once for all messages in the buffer.
    read_at: (Instant, SystemTime),
    connection: &'c ClientConnection,
    outbox: &'c Outbox,
}

impl<'c, R: AsyncRead + Unpin> Inbox<'c, R> {
    pub(super) fn new(
        reader: R,
        connection: &'c ClientConnection,
        outbox: &'c Outbox,
        accepts_large_events: bool,
    ) -> Self {
        Self {
            reader,
            messages: MessageReader::new(MAX_MESSAGE_BYTES),
            current: None,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            event_bytes: 0,
            end: None,
            close_deadline: None,
            read_capacity: IDLE_READ_BYTES,
            missed_pongs: 0,
            ping_at: Instant::now() + KEEP_ALIVE_INTERVAL,
            begun_at: None,
            accepts_large_events,
            charge: connection.memory().charge(),
            read_at: (Instant::now(), SystemTime::now()),
            connection,
            outbox,
        }
    }

    /// Returns the next message or the end, or [`InboxEvent::Deadline`] at the time that `deadline` returns before a wait.
    pub(super) async fn next(&mut self, deadline: impl Fn() -> Option<Instant>) -> InboxEvent {
        self.current = None;
        loop {
            if let Some(message) = self.backlog.pop_front() {
                self.backlog_bytes -= message.cost();
                let kind = message.kind;
                self.current = Some(message);
                return InboxEvent::Message(kind);
            }
            // Bytes after the end are ignored.
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
            if !self.read_more(deadline()).await {
                return InboxEvent::Deadline;
            }
            if self.read_capacity == BUSY_READ_BYTES {
                // Lets the writers run first: a busy client would fill the outboxes of its receivers, and then be
                // throttled for them.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Returns the payload of the current message.
    pub(super) fn payload(&self) -> &[u8] {
        self.current.as_ref().map_or_else(|| self.messages.payload(), |current| &current.payload)
    }

    /// Returns whether a further whole message has been read.
    pub(super) fn has_next(&self) -> bool {
        self.messages.frames_behind() > 0 || !self.backlog.is_empty()
    }

    /// Returns the time at which the current message was read, by both clocks.
    pub(super) fn read_at(&self) -> (Instant, SystemTime) {
        self.read_at
    }

    /// Waits for `answer` to an event of `event_bytes` while reading on. `None` if the client disconnects first: immediately if the socket is lost,
    /// after [`CLOSING_EVENT_TIMEOUT`] if the client sent a close frame.
    pub(super) async fn read_while<A>(
        &mut self,
        event_bytes: usize,
        answer: impl Future<Output = A>,
    ) -> Option<A> {
        // The event, and the body of its request to the handler.
        self.event_bytes = 2 * event_bytes;
        self.charge_memory();
        let answer = self.read_until(answer).await;
        self.event_bytes = 0;
        answer
    }

    async fn read_until<A>(&mut self, answer: impl Future<Output = A>) -> Option<A> {
        tokio::pin!(answer);
        loop {
            while self.end.is_none() && self.backlog_bytes < BACKLOG_BYTES {
                match self.parse_next() {
                    Some(ParsedFrame::Message(kind)) => {
                        let message = QueuedMessage { kind, payload: self.messages.payload().to_vec() };
                        self.backlog_bytes += message.cost();
                        self.backlog.push_back(message);
                        self.charge_memory();
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
            let reading = async {
                if self.backlog_bytes >= BACKLOG_BYTES {
                    return self.ping_unread().await;
                }
                // Stops reading from a client that does not read its responses.
                self.outbox.wait_for_capacity().await;
                self.read_more(None).await;
            };
            tokio::select! {
                answer = &mut answer => return Some(answer),
                () = reading => {}
            }
        }
    }

    /// Waits until the next ping of a client whose messages are not read, and pings it. A write to a client that has gone
    /// fails, which ends the connection; reading would not notice it.
    async fn ping_unread(&mut self) {
        sleep_until(self.ping_at).await;
        self.ping_at = Instant::now() + KEEP_ALIVE_INTERVAL;
        self.outbox.push(&EncodedFrame::new(Opcode::Ping, b""));
    }

    /// Records the current message for the inspector. Skipped if so many frames follow that it would be overwritten.
    fn record(&self, opcode: Opcode) {
        if self.messages.frames_behind() < RECORDED_FRAMES {
            self.connection.recorder.record_received(opcode, self.messages.payload(), self.read_at.1);
        }
    }

    /// Parses the next frame in the buffer, and answers pings; `None` if there is no whole message.
    fn parse_next(&mut self) -> Option<ParsedFrame> {
        match self.messages.next_message() {
            Ok(None) => None,
            Ok(Some(ReceivedMessage::Ping)) => {
                self.outbox.push(&EncodedFrame::new(Opcode::Pong, self.messages.payload()));
                Some(ParsedFrame::Control)
            }
            Ok(Some(ReceivedMessage::Pong)) => Some(ParsedFrame::Control),
            Ok(Some(ReceivedMessage::Text)) => {
                self.begun_at = None;
                self.record(Opcode::Text);
                Some(ParsedFrame::Message(MessageKind::Text))
            }
            Ok(Some(ReceivedMessage::Binary)) => {
                self.begun_at = None;
                self.record(Opcode::Binary);
                Some(ParsedFrame::Message(MessageKind::Binary))
            }
            Ok(Some(ReceivedMessage::Close { code, reason })) => {
                // Only code 1000 means that the client will not recover the connection.
                let end = if code == Some(close::NORMAL) { SocketEnd::Final } else { SocketEnd::Lost };
                if end == SocketEnd::Final || !self.connection.format.is_reliable() {
                    self.connection.set_end_reason(&reason);
                }
                let close = Close { code: code.unwrap_or(close::NORMAL), reason: "".into() };
                Some(ParsedFrame::End(close, end))
            }
            Err(error) => Some(ParsedFrame::End(close_for(error), SocketEnd::Final)),
        }
    }

    /// Reads once, pings an idle client, and stores the end of the socket in `self.end`. Returns `false` if `deadline`
    /// passes first.
    async fn read_more(&mut self, deadline: Option<Instant>) -> bool {
        self.begun_at = self.messages.has_begun().then(|| self.begun_at.unwrap_or(self.read_at.0));
        self.messages.set_limit(self.message_limit());
        if self.is_idle() {
            self.messages.reserve(0);
        }
        self.charge_memory();
        if self.end.is_some() {
            return true;
        }
        loop {
            let message_deadline = self.begun_at.map(|begun_at| begun_at + MESSAGE_TIMEOUT);
            let until = [deadline, message_deadline].into_iter().flatten().fold(self.ping_at, Instant::min);
            match timeout_at(until, self.read()).await {
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
                    self.charge_memory();
                    return true;
                }
                Err(_) if message_deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
                    self.end = Some((Close::MESSAGE_TIMEOUT, SocketEnd::Final));
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
                    self.outbox.push(&EncodedFrame::new(Opcode::Ping, b""));
                }
            }
        }
    }

    /// Reads once, and returns the number of bytes. Holds no buffer while it waits for an idle client.
    async fn read(&mut self) -> io::Result<usize> {
        if !self.is_idle() {
            return self.reader.read_buf(self.messages.reserve(self.read_capacity)).await;
        }
        let (reader, messages) = (&mut self.reader, &mut self.messages);
        future::poll_fn(|context| {
            let mut bytes = [MaybeUninit::uninit(); IDLE_READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            ready!(Pin::new(&mut *reader).poll_read(context, &mut buffer))?;
            messages.reserve(buffer.filled().len()).extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
        .await
    }

    /// Returns the maximum payload of a message of this client now, in bytes.
    fn message_limit(&self) -> usize {
        if self.accepts_large_events || self.connection.may_publish() {
            MAX_MESSAGE_BYTES
        } else {
            MAX_REQUEST_BYTES
        }
    }

    /// Returns whether the client sends little, and has not begun a message.
    fn is_idle(&self) -> bool {
        self.read_capacity <= IDLE_READ_BYTES && !self.messages.has_begun()
    }

    /// Charges the memory of the buffers and of the queued messages. Ends the connection if the budget is used up.
    fn charge_memory(&mut self) {
        let bytes = self.messages.memory() + self.backlog_bytes + self.event_bytes;
        if !self.charge.adjust(bytes, bytes) {
            self.end.get_or_insert((Close::OUT_OF_MEMORY, SocketEnd::Final));
        }
    }

    /// Frees the buffers, then discards bytes until the client closes the socket.
    pub(super) async fn discard(&mut self) {
        (self.messages, self.current, self.backlog) =
            (MessageReader::new(MAX_MESSAGE_BYTES), None, VecDeque::new());
        self.charge.adjust(0, 0);
        let mut buffer = vec![0; IDLE_READ_BYTES];
        while self.reader.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
    }
}

/// Returns the close frame that reports a violation to the client.
fn close_for(error: MessageError) -> Close {
    match error {
        MessageError::TooLarge { .. } => Close::TOO_LARGE,
        MessageError::Utf8(_) => Close::INVALID_UTF8,
        MessageError::Frame(_)
        | MessageError::UnexpectedContinuation
        | MessageError::UnfinishedMessage
        | MessageError::InvalidClose => Close::INVALID_FRAME,
    }
}

#[cfg(test)]
mod tests;
