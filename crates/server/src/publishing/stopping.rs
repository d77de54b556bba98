//! Being asked to stop before the input ends.

use tokio::sync::mpsc;

use crate::signals::Signals;

/// Requests to stop: at the first, what was read is still delivered; at the second, nothing is waited for.
pub(crate) struct Stopping(mpsc::Receiver<()>);

/// A third request asks for nothing that the second did not.
const MAX_REQUESTS: usize = 2;

impl Stopping {
    /// Each signal is a request.
    pub(crate) fn by_signals(mut signals: Signals) -> Self {
        let (ask, stopping) = Self::by_request();
        tokio::spawn(async move {
            loop {
                signals.next().await;
                if ask.send(()).await.is_err() {
                    return;
                }
            }
        });
        stopping
    }

    /// Each message is a request.
    pub(crate) fn by_request() -> (mpsc::Sender<()>, Self) {
        let (ask, asked) = mpsc::channel(MAX_REQUESTS);
        (ask, Self(asked))
    }

    /// Waits for a request; for ever, when nobody is left who could make one.
    pub(super) async fn requested(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
