//! Client for Azure Web PubSub, and for services that speak its protocol.
//!
//! ```no_run
//! # #[cfg(feature = "native")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use webpubsub_client::{Client, SubscriptionEvent};
//!
//! let client = Client::builder("http://127.0.0.1:8080/negotiate").connect().await?;
//! let mut subscription = client.subscribe("chat").await?;
//! // The second `await` waits for the acknowledgement.
//! client.publish("chat", "hello").await?.await?;
//! while let Some(event) = subscription.next().await {
//!     if let SubscriptionEvent::Message(message) = event {
//!         println!("{:?}", message.payload);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//! | feature | content | runs on |
//! | --- | --- | --- |
//! | `native` | `Client` with rustls; uses `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` | tokio |
//! | `web` | `Client` with the WebSocket of the browser, on `wasm32-unknown-unknown` | pages and workers |
//! | `protobuf` | the binary subprotocols beside the JSON ones | both |
//!
//! No feature is on by default. `native` and `web` provide the same types; each has an effect on its own targets alone. Without either,
//! the crate is the state machine without I/O ([`machine`]): events and the time go in, effects come out, so that a test can run years
//! of dropped connections in seconds.
//!
//! # Behavior
//! - The client negotiates a fresh URL for each connection, and offers the reliable subprotocol first ([`ClientOptions::prefer`]).
//! - A reliable connection that loses its WebSocket is recovered within [`RECOVERY_WINDOW`]: nothing is lost, nothing arrives twice, and
//!   the groups stay. Where that fails, or the service has only the plain form, a new connection is made after a pause that grows, and
//!   groups are joined again; [`ClientEvent::Gap`] and `SubscriptionEvent::Gap` report that messages may be missing.
//! - The client stops when it is refused, with the server's reason, and retries after any other failure: see
//!   [`ConnectFailure`](ConnectFailure#temporary-and-permanent-failures).
//! - A message is retained until the service has acknowledged it, and sent again under the same id. Only on a new connection may a
//!   message whose acknowledgement was lost arrive twice, which [`ClientEvent::Resending`] reports before. What the service refuses is
//!   reported and never sent again.
//! - Every queue is bounded ([`Limits`]), and every timeout is an option ([`Timeouts`]).
//!
//! `examples/` has complete programs: `publisher`, `subscriber`, `echo` and `chat`.
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
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
pub mod native;
pub mod negotiate;
pub mod options;
pub mod outgoing;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
pub mod web;

mod ack_table;
mod backoff;
#[cfg(any(
    all(feature = "native", not(target_arch = "wasm32")),
    all(feature = "web", target_arch = "wasm32")
))]
mod client;
mod connection;
mod invocations;
mod limits;
mod liveness;
mod numbered;
mod outbound_stream;
#[cfg(any(
    all(feature = "native", not(target_arch = "wasm32")),
    all(feature = "web", target_arch = "wasm32")
))]
mod platform;
mod recovery;
mod refusal;
mod sequence;
#[cfg(any(
    all(feature = "native", not(target_arch = "wasm32")),
    all(feature = "web", target_arch = "wasm32")
))]
mod service_endpoint;

pub use ack_table::{MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_MESSAGES};
pub use backoff::{Backoff, FIRST_PAUSE, LONGEST_PAUSE};
#[cfg(any(
    all(feature = "native", not(target_arch = "wasm32")),
    all(feature = "web", target_arch = "wasm32")
))]
pub use client::{
    Client, ClientBuilder, ClientState, ClientStopped, ConnectError, ConnectErrorKind, ConnectionDetails,
    Events, GroupMessage, GroupStreamError, GroupStreamErrorKind, InvokeError, InvokeErrorKind, Membership,
    PublishError, PublishErrorKind, Receipt, StateWatch, StreamWriteError, StreamWriteErrorKind,
    StreamWriter, SubscribeError, SubscribeErrorKind, SubscribeOptions, Subscription, SubscriptionEvent,
};
pub use event::ClientEvent;
pub use failure::{
    ConnectFailure, Disconnect, InvokeFailure, MAX_RETRY_AFTER, SendFailure, StartRefused, StreamFailure,
    WriteRefused,
};
pub use history::{HistoryAccess, HistoryFailure, HistoryRange, HistoryStart};
pub use invocations::MAX_INVOCATIONS;
pub use limits::{
    CLOSE_TIMEOUT, HISTORY_IDLE_TIMEOUT, HISTORY_TIMEOUT, Limits, MAX_HISTORY_BYTES, MAX_RECEIVED_BYTES,
    MAX_SOCKET_BYTES, QUEUED_BYTES, QUEUED_MESSAGES, QUEUED_REQUESTS, Timeouts,
};
pub use liveness::{PING_INTERVAL, PONG_TIMEOUT};
pub use machine::{GroupRefused, StreamEvent, StreamOptions};
pub use options::ClientOptions;
pub use outbound_stream::{MAX_STREAM_BYTES, MAX_STREAM_FRAGMENTS, MAX_STREAMS, STREAM_OPEN_TIMEOUT};
pub use outgoing::{MAX_FRAME_BYTES, Outgoing, SendRefused};
#[cfg(any(
    all(feature = "native", not(target_arch = "wasm32")),
    all(feature = "web", target_arch = "wasm32")
))]
pub use platform::{MaybeSend, MaybeSync};
pub use recovery::{RECOVERY_RETRY_PAUSE, RECOVERY_STEP_TIMEOUT, RECOVERY_WINDOW};
pub use sequence::{ACK_AFTER_BYTES, ACK_AFTER_MESSAGES, ACK_DELAY};
#[cfg(any(
    all(feature = "native", not(target_arch = "wasm32")),
    all(feature = "web", target_arch = "wasm32")
))]
pub use service_endpoint::ServiceEndpoint;
pub use webpubsub_protocol as protocol;
pub use webpubsub_protocol::{
    name::{EventName, GroupName},
    payload::Payload,
    subprotocol::Subprotocol,
};
