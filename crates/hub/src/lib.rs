//! Service compatible with Azure Web PubSub, as an [`axum::Router`].
//!
//! [`Service::builder`] collects and validates the settings, [`Service::router`] serves the clients and the REST data plane, and
//! [`Service::hub`] returns a [`Hub`] to send from the application. An [`EventHandler`] decides who may connect, and answers
//! events.
//!
//! # Example
#![doc = concat!("```no_run\n", include_str!("../examples/embed_in_axum.rs"), "```")]
//! # Path of a message
//! ```text
//! WebSocket ──► handshake ──► websocket (driver, inbox) ──► session ──► hub ──► outboxes ──► WebSocket
//!                                                                        ▲
//! REST ────────────────────────────────────────────────────► rest ───────┤
//! Hub::publish ──────────────────────────────────────────────────────────┘
//! ```
//!
//! # Modules
//! From top to bottom; no module uses one above it.
//!
//! | module | contents |
//! | --- | --- |
//! | `service`, `builder` | [`Service`], and the validation of its settings |
//! | `router` | routes of the service |
//! | `rest` | REST data plane for application servers |
//! | `handshake` | HTTP upgrade of a client: tokens, subprotocols, connect event |
//! | `recovery` | reliable sessions that resume on a new socket |
//! | `history_endpoint` | earlier messages of a group over HTTP |
//! | `inspect` | inspector at `/_hub`, metrics at `/metrics` |
//! | `registry` | hubs, permits of connections, and sessions that can resume |
//! | `resumable_session`, `settings` | contents of the registry |
//! | `websocket` | sockets, deadlines and pings, around the framing of [`webpubsub_websocket`] |
//! | `session`, `ack_history` | protocol requests of a client: a state machine without I/O |
//! | `hub` | connections, users and groups of one hub; fan-out to them |
//! | `live_groups` | groups that are in use |
//! | `backpressure` | waiting of publishers for slow receivers |
//! | `connection` | per-connection state: identity, permissions, delivery queue |
//! | `reliable_queue` | unacknowledged messages of a reliable connection, sent again on its next socket |
//! | `broadcast` | messages encoded once per wire format, with shared bytes |
//! | `outbox` | outgoing frames of one socket: bounded, batched, with backpressure |
//! | `http_handlers` | event handlers that are application servers, called over HTTP |
//! | `event_handler` | trait of upstream event handlers |
//! | `identity`, `event_context` | what event handlers learn of a connection, and its state for them |
//! | `admission` | limits on connections, in total, of an address and with a token |
//! | `metrics` | counters in the OpenMetrics format |
//! | `recorder` | most recent frames of a connection, for the inspector |
//! | `history` | earlier messages of groups, in rings of bounded age and size |
//! | `memory` | memory budget of all clients |
//! | `metadata_headers`, `clock` | metadata as HTTP headers, and the wall clock |
//! | `log_limit` | limit on log lines that clients can cause |

#![deny(unreachable_pub)]

mod ack_history;
mod admission;
mod backpressure;
mod broadcast;
mod builder;
mod clock;
mod connection;
mod content_type;
mod event_context;
mod event_handler;
mod handshake;
mod history;
mod history_endpoint;
mod http_handlers;
mod hub;
mod identity;
mod inspect;
mod live_groups;
mod log_limit;
mod memory;
mod metadata_headers;
mod metrics;
#[cfg(test)]
mod model_tests;
mod outbox;
mod query_string;
mod recorder;
mod recovery;
mod registry;
mod reliable_queue;
mod rest;
mod resumable_session;
mod router;
mod service;
mod session;
mod settings;
mod websocket;

pub use admission::{ClientLimits, MAX_CONNECTIONS, rate_limit::RateLimit};
pub use async_trait::async_trait;
pub use builder::{BuildError, BuildErrorKind, ServiceBuilder};
pub use event_handler::{
    ConnectRejection, ConnectRequest, ConnectResponse, EventError, EventHandler, EventReply, UserEvent,
};
pub use handshake::{ClientAddress, EncryptedClient, SentHeaderNames};
pub use history::{HISTORY_SHARE, HistoryRule, MIN_HISTORY_BYTES, Retention};
pub use hub::{Hub, MAX_PAYLOAD_BYTES, SendError};
pub use identity::ConnectionInfo;
pub use live_groups::LiveGroup;
pub use memory::{DEFAULT_MEMORY_LIMIT_BYTES, MIN_MEMORY_LIMIT_BYTES};
pub use service::{HubError, Service};
pub use webpubsub_protocol;

/// Rules of event handlers over HTTP; see [`ServiceBuilder::http_event_handlers`].
pub mod http {
    pub use crate::http_handlers::{
        delivery::HANDLER_TIMEOUT,
        group_presence::{GroupPresence, GroupPresenceEvent},
        rule::{Rule, RuleError, SystemEvent, UrlTemplate, UserEvents},
    };
}
