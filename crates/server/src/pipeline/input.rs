//! Bounded channel of input chunks, from a reader to the pipeline.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;

/// Capacity of the queue, in chunks. The reader waits while the queue is full.
const CHUNK_QUEUE_LIMIT: usize = 16;
/// Maximum size of a chunk: the capacity of a pipe on Linux.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

/// Receiver of chunks.
pub(crate) struct Input {
    chunks: mpsc::Receiver<Vec<u8>>,
    error: Arc<Mutex<Option<io::Error>>>,
}

/// Sender of chunks. The input ends when the last sender is dropped.
#[derive(Clone)]
pub(crate) struct InputSender {
    chunks: mpsc::Sender<Vec<u8>>,
    error: Arc<Mutex<Option<io::Error>>>,
}

/// Error: the receiver was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Input {
    /// Creates a channel.
    pub(crate) fn channel() -> (InputSender, Self) {
        let (sender, chunks) = mpsc::channel(CHUNK_QUEUE_LIMIT);
        let error = Arc::new(Mutex::new(None));
        (InputSender { chunks: sender, error: Arc::clone(&error) }, Self { chunks, error })
    }

    /// Waits for the next chunk; `None` at the end of the input, or after a read error.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        self.chunks.recv().await
    }

    /// Returns the next chunk if one is queued.
    pub(super) fn try_next(&mut self) -> Option<Vec<u8>> {
        self.chunks.try_recv().ok()
    }

    /// Closes the channel for the sender. Returns the next queued chunk; `None` once the queue is empty.
    pub(super) fn close_and_drain(&mut self) -> Option<Vec<u8>> {
        self.chunks.close();
        self.try_next()
    }

    /// Returns the read error that ended the input, if any.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl InputSender {
    /// Sends a chunk. Waits while the queue is full.
    pub(crate) async fn send(&self, chunk: Vec<u8>) -> Result<(), Closed> {
        self.chunks.send(chunk).await.map_err(|_| Closed)
    }

    /// Sends a chunk from a thread. Blocks while the queue is full.
    pub(crate) fn blocking_send(&self, chunk: Vec<u8>) -> Result<(), Closed> {
        self.chunks.blocking_send(chunk).map_err(|_| Closed)
    }

    /// Ends the input with a read error.
    pub(crate) fn fail(self, error: io::Error) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}
