//! A client for Azure Web PubSub, and for services that speak like it: it loses nothing.
//!
//! The client is a state machine without I/O ([`machine`]): events and the time go in, effects come out, so that a
//! test can run years of dropped connections in seconds. Thin drivers carry out the effects:
//!
//! | feature | what it brings | runs on |
//! | --- | --- | --- |
//! | `native` | the module `native`, with rustls; honours `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` | tokio |
//! | `web` | the module `web` | the browser's WebSocket, in pages and workers |
//! | `protobuf` | the binary subprotocols beside the JSON ones | both |
//!
//! No feature is on by default: pick a driver.
//!
//! # What it does
//! - It connects through a negotiate endpoint (or, natively, a function), which gives a fresh URL for each connection,
//!   and is connected once the service says so.
//! - It offers the reliable subprotocol first and goes on with what the service chooses
//!   ([`ClientOptions::prefer`]). A reliable connection that loses its WebSocket is taken up again within
//!   [`RECOVERY_WINDOW`]: nothing is lost, nothing comes twice, and the groups stay. Where that fails, or the service
//!   speaks only the plain form, a new connection is made after a pause that grows, groups are joined again, and
//!   [`ClientEvent::Gap`] says where messages may be missing.
//! - It stops when it is refused, with the server's own reason, and retries after any other failure: see
//!   [`ConnectFailure`](ConnectFailure#temporary-and-permanent-failures).
//! - It keeps what it sent until the service acknowledges it, and sends it again under the same id. Only on a new
//!   connection may a message whose acknowledgement was lost arrive twice, and [`ClientEvent::Resending`] says so
//!   before. What the service refuses is told and never tried again.
//! - Every queue is bounded by a constant; who sends waits.
//!
//! # Example
//! ```no_run
//! # #[cfg(feature = "native")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use webpubsub_client::{ClientEvent, ClientOptions, native::{self, NegotiateEndpoint}};
//! use webpubsub_protocol::{name::GroupName, payload::Payload};
//!
//! let group = GroupName::new("chat")?;
//! let endpoint = NegotiateEndpoint::new("http://127.0.0.1:8080/negotiate".to_owned());
//! let (client, mut events) = native::start(ClientOptions::new().join(group.clone()), endpoint);
//! let receipt = client.send_to_group(&group, Payload::Text("hello".into())).await?;
//! while let Some(event) = events.next().await {
//!     if let ClientEvent::GroupMessage { payload: Payload::Text(text), .. } = event {
//!         println!("{text}");
//!         break;
//!     }
//! }
//! // The service has it.
//! receipt.await?;
//! # Ok(())
//! # }
//! ```
//! `examples/` holds whole programs: `echo` answers what it hears, `publisher` sends what it reads. For the browser see
//! the module `web`.
//!
//! Source of the rules: the [client specification][spec].
//!
//! [spec]: https://github.com/Azure/azure-webpubsub/blob/main/protocols/client/client-spec.md

#![forbid(unsafe_code)]

pub mod codec;
pub mod event;
pub mod failure;
pub mod history;
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
mod numbered;
mod outbound_stream;
mod recovery;
mod refusal;
mod sequence;

pub use ack_table::{MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_MESSAGES};
pub use backoff::{Backoff, FIRST_PAUSE, LONGEST_PAUSE};
pub use event::ClientEvent;
pub use failure::{
    ConnectFailure, Disconnect, InvokeFailure, MAX_RETRY_AFTER, SendFailure, StartRefused, StreamFailure,
    WriteRefused,
};
pub use history::{HistoryAccess, HistoryFailure, HistoryRange, HistoryStart};
pub use invocations::MAX_INVOCATIONS;
pub use liveness::{PING_INTERVAL, PONG_TIMEOUT};
pub use machine::{GroupRefused, StreamEvent, StreamOptions};
pub use options::ClientOptions;
pub use outbound_stream::{MAX_STREAM_BYTES, MAX_STREAM_FRAGMENTS, MAX_STREAMS, STREAM_OPEN_TIMEOUT};
pub use outgoing::{MAX_FRAME_BYTES, Outgoing, SendRefused};
pub use recovery::{RECOVERY_RETRY_PAUSE, RECOVERY_STEP_TIMEOUT, RECOVERY_WINDOW};
pub use sequence::{ACK_AFTER_BYTES, ACK_AFTER_MESSAGES, ACK_DELAY};
