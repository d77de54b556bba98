//! Reading of bytes as a server reads them: piece by piece, until a close frame or an error.

use webpubsub_websocket::{MessageError, MessageReader, ReceivedMessage, utf8::from_utf8};

/// Limit of the readers: the largest message of the test suite.
pub const LIMIT: usize = 16 * 1024 * 1024;

/// Event of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    /// An error, with the close code to answer with.
    Failed(u16),
}

/// Division of the bytes into reads.
#[derive(Debug, Clone, Copy)]
pub enum Delivery {
    AtOnce,
    FrameByFrame,
    Pieces(usize),
}

/// A connection that is read.
pub struct Connection {
    reader: MessageReader,
    pub events: Vec<Event>,
}

impl Connection {
    pub fn new() -> Self {
        Self { reader: MessageReader::new(LIMIT), events: Vec::new() }
    }

    /// Receives bytes. Ignores those after a close frame or an error.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.is_over() {
            return;
        }
        self.reader.reserve(bytes.len()).extend_from_slice(bytes);
        while !self.is_over()
            && let Some(event) =
                self.next_event().unwrap_or_else(|error| Some(Event::Failed(error.close_code())))
        {
            self.events.push(event);
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.events.last(), Some(Event::Close(..) | Event::Failed(_)))
    }

    fn next_event(&mut self) -> Result<Option<Event>, MessageError> {
        let Some(received) = self.reader.next_message()? else { return Ok(None) };
        let payload = self.reader.payload();
        Ok(Some(match received {
            ReceivedMessage::Text => {
                from_utf8(payload)?;
                Event::Text(payload.to_vec())
            }
            ReceivedMessage::Binary => Event::Binary(payload.to_vec()),
            ReceivedMessage::Ping => Event::Ping(payload.to_vec()),
            ReceivedMessage::Pong => Event::Pong(payload.to_vec()),
            ReceivedMessage::Close { code, reason } => Event::Close(code, reason),
        }))
    }
}

/// Reads frames, and returns the events.
pub fn events(frames: &[Vec<u8>], delivery: Delivery) -> Vec<Event> {
    let mut connection = Connection::new();
    match delivery {
        Delivery::AtOnce => connection.receive(&frames.concat()),
        Delivery::FrameByFrame => frames.iter().for_each(|frame| connection.receive(frame)),
        Delivery::Pieces(size) => frames.concat().chunks(size).for_each(|piece| connection.receive(piece)),
    }
    connection.events
}
