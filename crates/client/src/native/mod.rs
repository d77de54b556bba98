//! The driver for tokio: carries out the machine's effects with reqwest and tokio-tungstenite.
//!
//! One task owns the machine and the socket. The application holds a [`Client`] to ask with and the [`Events`] to read.
//! Both are bounded: who sends waits while the window of unacknowledged messages is full, and the service waits while
//! the application leaves events unread.
//!
//! A proxy that the environment names (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) is used for negotiating and
//! for the WebSocket.

mod client;
mod clock;
mod driver;
mod event_queue;
mod history;
mod link;
mod negotiate;
mod proxy;
mod stream;
mod transport;
mod trust;

use tokio::sync::mpsc;

use crate::options::ClientOptions;
pub use client::{Client, Receipt};
use driver::Driver;
pub use event_queue::{EVENT_QUEUE_BYTES, EVENT_QUEUE_LIMIT, Events};
pub use history::{HISTORY_IDLE_TIMEOUT, HISTORY_TIMEOUT, MAX_HISTORY_BYTES, read_history};
pub use negotiate::NegotiateEndpoint;
pub use proxy::connect_directly;
pub use stream::Stream;
pub use transport::MAX_MESSAGE_BYTES;
pub use trust::{TrustError, trust_certificates};

/// Requests of the application that may wait to be taken into the window of unacknowledged messages; few, because they
/// are a second window before it, and more than one, because each would cost a change of tasks.
pub const COMMAND_QUEUE_LIMIT: usize = 32;

/// Starts a client on the current tokio runtime.
#[must_use]
pub fn start(options: ClientOptions, endpoint: NegotiateEndpoint) -> (Client, Events) {
    let (commands, waiting_commands) = mpsc::channel(COMMAND_QUEUE_LIMIT);
    let (stop, stopping) = mpsc::channel(1);
    let (sender, events) = event_queue::event_queue();
    let driver = Driver::new(options, endpoint, sender);
    tokio::spawn(driver.run(waiting_commands, stopping));
    (Client::new(commands, stop), events)
}
