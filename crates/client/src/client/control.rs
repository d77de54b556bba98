//! Signals to the driver that must not wait for a place in the queue of requests.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Wakes the driver: to stop, to look for handles that were dropped, or to read on.
#[derive(Debug, Default)]
pub(crate) struct Control {
    wakes: Notify,
    is_stopping: AtomicBool,
    has_no_client: AtomicBool,
}

impl Control {
    pub(crate) fn wake(&self) {
        self.wakes.notify_one();
    }

    /// Waits for the next wake. One that came before counts.
    pub(crate) async fn woken(&self) {
        self.wakes.notified().await;
    }

    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Reports that the last clone of the client was dropped. Requests may be queued still.
    pub(crate) fn client_dropped(&self) {
        self.has_no_client.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn has_no_client(&self) -> bool {
        self.has_no_client.load(Ordering::Acquire)
    }
}
