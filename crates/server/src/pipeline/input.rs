//! Bounded channel of input, from the readers of sources to the pipeline.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::mpsc;

/// Capacity of the queue, in parts. The reader waits while the queue is full.
const CHUNK_QUEUE_LIMIT: usize = 16;
/// Maximum size of a chunk: the capacity of a pipe on Linux.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

/// Piece of input.
#[derive(Debug)]
pub(crate) enum InputPart {
    /// Bytes of a source, by its number. They can end anywhere in a line.
    Bytes(usize, Vec<u8>),
    /// The unfinished line of a source is continued by another one of the same name.
    MoveLine { from: usize, to: usize },
    /// The command has ended, after all of its output.
    CommandEnd(CommandEnd),
}

/// End of a command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CommandEnd {
    pub(crate) exit_code: Option<u8>,
    pub(crate) duration: Duration,
}

/// Receiver of the parts.
pub(crate) struct Input {
    parts: mpsc::Receiver<InputPart>,
    error: Arc<Mutex<Option<io::Error>>>,
}

/// Sender of parts. The input ends when the last sender is dropped.
#[derive(Clone)]
pub(crate) struct InputSender {
    parts: mpsc::Sender<InputPart>,
    error: Arc<Mutex<Option<io::Error>>>,
}

/// Error: the receiver was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Input {
    /// Creates a channel.
    pub(crate) fn channel() -> (InputSender, Self) {
        let (sender, parts) = mpsc::channel(CHUNK_QUEUE_LIMIT);
        let error = Arc::new(Mutex::new(None));
        (InputSender { parts: sender, error: Arc::clone(&error) }, Self { parts, error })
    }

    /// Waits for the next part; `None` at the end of the input, or after a read error.
    pub(super) async fn next(&mut self) -> Option<InputPart> {
        self.parts.recv().await
    }

    /// Returns the next part if one is queued.
    pub(super) fn try_next(&mut self) -> Option<InputPart> {
        self.parts.try_recv().ok()
    }

    /// Closes the channel for the sender. Returns the next queued part; `None` once the queue is empty.
    pub(super) fn close_and_drain(&mut self) -> Option<InputPart> {
        self.parts.close();
        self.try_next()
    }

    /// Returns the read error that ended the input, if any.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl InputSender {
    /// Sends bytes of a source. Waits while the queue is full.
    pub(crate) async fn send(&self, source: usize, bytes: Vec<u8>) -> Result<(), Closed> {
        self.parts.send(InputPart::Bytes(source, bytes)).await.map_err(|_| Closed)
    }

    /// Sends a part from a thread. Blocks while the queue is full.
    pub(crate) fn blocking_send(&self, part: InputPart) -> Result<(), Closed> {
        self.parts.blocking_send(part).map_err(|_| Closed)
    }

    /// Sends the end of the command, after all of its output.
    pub(crate) async fn end_command(&self, end: CommandEnd) -> Result<(), Closed> {
        self.parts.send(InputPart::CommandEnd(end)).await.map_err(|_| Closed)
    }

    /// Ends the input with a read error.
    pub(crate) fn fail(self, error: io::Error) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}
