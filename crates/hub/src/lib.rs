//! Service compatible with Azure Web PubSub, as an [`axum::Router`].
//!
//! ```text
//! WebSocket ──► handshake ──► websocket (driver, inbox) ──► session ──► hub ──► outboxes ──► WebSocket
//!                                                                        ▲
//! REST ────────────────────────────────────────────────────► rest ───────┘
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | [`service`] | running [`Service`] |
//! | `router` | routes of the service |
//! | `registry` | hubs, permits of connections, and sessions that can resume |
//! | [`settings`] | [`ServiceSettings`] |
//! | [`hub`] | connections, users and groups of one hub; fan-out to them |
//! | [`connection`] | per-connection state: identity, permissions, delivery queue |
//! | [`identity`] | ids of connections, and what event handlers learn of them |
//! | [`reliable_queue`] | unacknowledged messages of a reliable connection, sent again on its next socket |
//! | [`recovery`] | reliable sessions that resume on a new socket |
//! | [`memory`] | memory budget of all clients |
//! | [`outbox`] | outgoing frames of one socket: bounded, batched, with backpressure |
//! | [`admission`] | limits on connections, in total, of an address and with a token |
//! | [`backpressure`] | waiting of publishers for slow receivers |
//! | [`broadcast`] | messages encoded once per wire format, with shared bytes |
//! | [`session`] | protocol requests of a client: a state machine without I/O |
//! | [`handshake`] | HTTP upgrade of a client: tokens, subprotocols, connect event |
//! | [`event_context`] | state sent with every event of a connection |
//! | [`event_handler`] | upstream event handlers: accept connections, answer events |
//! | [`recorder`] | most recent frames of a connection, for the inspector |
//! | [`http_handlers`] | event handlers that are application servers, called over HTTP |
//! | [`inspect`], [`metrics`] | inspector at `/_hub`, metrics in the OpenMetrics format |
//! | [`websocket`] | sockets, deadlines and pings, around the framing of [`webpubsub_websocket`] |
//! | [`rest`] | REST data plane for application servers |
//! | [`origin`] | origin policy: web pages that may use the service |

pub mod admission;
pub mod backpressure;
pub mod broadcast;
pub mod connection;
pub mod event_context;
pub mod event_handler;
pub mod handshake;
pub mod history;
mod history_endpoint;
pub mod http_handlers;
pub mod hub;
pub mod identity;
pub mod inspect;
pub mod live_groups;
pub mod memory;
pub mod metrics;
pub mod origin;
pub mod outbox;
pub mod recorder;
pub mod recovery;
pub mod reliable_queue;
pub mod rest;
pub mod service;
pub mod session;
pub mod settings;
pub mod websocket;

mod ack_history;
mod clock;
mod metadata_headers;
mod registry;
mod resumable_session;
mod router;

pub use service::Service;
pub use settings::ServiceSettings;
