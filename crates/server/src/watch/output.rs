//! Standard output of `tailcast watch`. A write can block without limit: in a stopped terminal, or a pipe that nobody reads.

use std::{collections::VecDeque, io};

use tokio::io::AsyncWriteExt;

/// Size of the printed lines from which on they are written although further ones are waiting, in bytes.
pub(super) const WRITE_BYTES: usize = 64 * 1024;

/// Writer of printed lines.
pub(super) struct Output {
    stdout: tokio::io::Stdout,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { stdout: tokio::io::stdout() }
    }

    /// Writes lines. If this is cancelled, those that are not written stay in `lines`.
    pub(super) async fn write(&mut self, lines: &mut VecDeque<u8>) -> io::Result<()> {
        self.stdout.write_all_buf(lines).await?;
        self.stdout.flush().await
    }
}

/// Waits until nobody can read standard output any more. Never returns for a file.
#[cfg(unix)]
pub(super) async fn reader_left() {
    let (sender, left) = tokio::sync::oneshot::channel();
    // A thread, because it can wait without limit. It is not joined when the program ends: it has no state to save.
    std::thread::spawn(move || {
        if wait_for_hang_up() {
            // The command may have ended.
            let _has_ended = sender.send(());
        }
    });
    if left.await.is_err() {
        std::future::pending().await
    }
}

/// Waits until standard output reports that nobody reads it. Returns `false` if it cannot report that.
#[cfg(unix)]
fn wait_for_hang_up() -> bool {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
        stdio,
    };
    let stdout = stdio::stdout();
    // These two are reported although none is requested.
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    loop {
        match poll(&mut polled, None) {
            Err(Errno::INTR) => {}
            Ok(_) => return polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
            Err(_) => return false,
        }
    }
}

/// Never returns: other systems report a pipe without a reader at the next write.
#[cfg(not(unix))]
pub(super) async fn reader_left() {
    std::future::pending().await
}
