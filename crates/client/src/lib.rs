//! A client for Azure Web PubSub, and for services that speak like it.
//!
//! The client is a state machine without I/O ([`machine`]): events and the time go in, effects come out, so that a
//! test can run hours of dropped connections in milliseconds. Thin drivers carry out the effects:
//!
//! | feature | module | runs on |
//! | --- | --- | --- |
//! | `native` | `native` | tokio, with rustls |
//! | `web` | `web` | the browser's WebSocket |
//!
//! It connects through a negotiate endpoint, which gives a fresh URL for each connection; joins its groups on every new
//! connection; keeps what it sent until the service acknowledges it; and reconnects by itself.

pub mod codec;
pub mod event;
pub mod failure;
pub mod machine;
pub mod moment;
#[cfg(feature = "native")]
pub mod native;
pub mod negotiate;
pub mod options;
pub mod outgoing;
#[cfg(feature = "web")]
pub mod web;

mod ack_table;
mod backoff;
mod connection;
mod invocations;
mod liveness;
mod outbound_stream;
mod recovery;
mod sequence;

pub use ack_table::{MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_MESSAGES};
pub use backoff::{Backoff, FIRST_PAUSE, LONGEST_PAUSE};
pub use event::ClientEvent;
pub use failure::{
    ConnectFailure, Disconnect, InvokeFailure, SendFailure, StartRefused, StreamFailure, WriteRefused,
};
pub use invocations::MAX_INVOCATIONS;
pub use liveness::{PING_INTERVAL, PONG_TIMEOUT};
pub use machine::{GroupRefused, StreamEvent, StreamOptions};
pub use options::ClientOptions;
pub use outbound_stream::{MAX_STREAM_BYTES, MAX_STREAM_FRAGMENTS, MAX_STREAMS};
pub use outgoing::{MAX_FRAME_BYTES, Outgoing, SendRefused};
pub use recovery::{RECOVERY_RETRY_PAUSE, RECOVERY_STEP_TIMEOUT, RECOVERY_WINDOW};
pub use sequence::{ACK_AFTER_BYTES, ACK_AFTER_MESSAGES, ACK_DELAY};
