//! Requests to stop before the end of the input.

use tokio::sync::mpsc;

use crate::signals::Signals;

/// Receiver of stop requests. After the first request, lines read so far are still delivered; the second stops
/// immediately.
pub(crate) struct StopRequests {
    requests: mpsc::Receiver<()>,
    was_requested: bool,
}

/// Capacity of the queue: requests after the second have no effect.
const MAX_REQUESTS: usize = 2;

impl StopRequests {
    /// Creates a receiver that treats each signal as a request.
    pub(crate) fn from_signals(mut signals: Signals) -> Self {
        let (sender, requests) = Self::channel();
        tokio::spawn(async move {
            loop {
                signals.next().await;
                if sender.send(()).await.is_err() {
                    return;
                }
            }
        });
        requests
    }

    /// Creates a sender of requests and its receiver.
    pub(crate) fn channel() -> (mpsc::Sender<()>, Self) {
        let (sender, receiver) = mpsc::channel(MAX_REQUESTS);
        (sender, Self { requests: receiver, was_requested: false })
    }

    /// Waits for a request. Never returns once all senders are dropped.
    pub(crate) async fn next(&mut self) {
        if self.requests.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        self.was_requested = true;
    }

    /// Whether a stop was requested.
    pub(crate) fn was_requested(&self) -> bool {
        self.was_requested
    }
}
