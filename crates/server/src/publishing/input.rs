//! What is to be published, in chunks, from whoever reads it.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;

/// Chunks that may wait. When as many wait, whoever reads them waits too.
const CHUNK_QUEUE_LIMIT: usize = 16;
/// Most bytes in one chunk: what a pipe holds on Linux.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

/// The end that gives.
pub(crate) struct Input {
    chunks: mpsc::Receiver<Vec<u8>>,
    error: Arc<Mutex<Option<io::Error>>>,
}

/// The end that takes. The input ends when the last one is dropped.
#[derive(Clone)]
pub(crate) struct InputSender {
    chunks: mpsc::Sender<Vec<u8>>,
    error: Arc<Mutex<Option<io::Error>>>,
}

/// Nobody wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Input {
    /// Both ends.
    pub(crate) fn channel() -> (InputSender, Self) {
        let (sender, chunks) = mpsc::channel(CHUNK_QUEUE_LIMIT);
        let error = Arc::new(Mutex::new(None));
        (InputSender { chunks: sender, error: Arc::clone(&error) }, Self { chunks, error })
    }

    /// The next chunk; `None` at the end of the input, or when it cannot be read further.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        self.chunks.recv().await
    }

    /// A chunk that is already there.
    pub(super) fn ready(&mut self) -> Option<Vec<u8>> {
        self.chunks.try_recv().ok()
    }

    /// Reads no further; gives what had been read already, chunk by chunk, and then `None`.
    pub(super) fn stop(&mut self) -> Option<Vec<u8>> {
        self.chunks.close();
        self.ready()
    }

    /// Why the input ended before its end, if it did.
    pub(super) fn error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl InputSender {
    /// Hands a chunk over, once there is room.
    pub(crate) async fn send(&self, chunk: Vec<u8>) -> Result<(), Closed> {
        self.chunks.send(chunk).await.map_err(|_| Closed)
    }

    /// The same, from a thread that may block.
    pub(crate) fn blocking_send(&self, chunk: Vec<u8>) -> Result<(), Closed> {
        self.chunks.blocking_send(chunk).map_err(|_| Closed)
    }

    /// Ends the input, because it cannot be read further.
    pub(crate) fn fail(self, error: io::Error) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}
