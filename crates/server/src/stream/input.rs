//! Standard input, in chunks.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;

/// Most bytes in one chunk: what a pipe holds on Linux.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that may wait. When as many wait, the writer at the other end of the pipe does.
const CHUNK_QUEUE_LIMIT: usize = 16;

/// Reads standard input on a thread of its own, because a read may block for ever.
pub(super) struct Input {
    chunks: mpsc::Receiver<Vec<u8>>,
    error: Arc<Mutex<Option<io::Error>>>,
}

impl Input {
    pub(super) fn open() -> Self {
        let (sender, chunks) = mpsc::channel(CHUNK_QUEUE_LIMIT);
        let error = Arc::new(Mutex::new(None));
        let failed = Arc::clone(&error);
        // Left behind when the program ends in mid-read; it holds nothing that must be saved.
        std::thread::spawn(move || {
            if let Err(error) = read_chunks(&sender) {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        });
        Self { chunks, error }
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

fn read_chunks(sender: &mpsc::Sender<Vec<u8>>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        match input.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(bytes) => {
                chunk.truncate(bytes);
                if sender.blocking_send(chunk).is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
