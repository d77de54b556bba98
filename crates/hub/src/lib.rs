//! A service compatible with Azure Web PubSub, as an [`axum::Router`].
//!
//! ```text
//! WebSocket ──► handshake ──► websocket (frames, driver) ──► session ──► hub ──► outboxes ──► WebSocket
//!                                                                         ▲
//! REST ────────────────────────────────────────────────────► rest ────────┘
//! ```
//!
//! | module | concept |
//! | --- | --- |
//! | [`service`] | the whole: its hubs, its settings, its router |
//! | [`hub`] | connections, users, groups, and the fan-out to them |
//! | [`connection`] | one client's standing: identity, permissions, outbox |
//! | [`reliable_queue`] | what a reliable client has not acknowledged, and what a new socket of it gets again |
//! | [`recovery`] | reliable connections taken up again on a new socket |
//! | [`outbox`] | what waits to be written to one client: bounded, coalescing |
//! | [`broadcast`] | a message encoded once per wire format, its bytes shared |
//! | [`session`] | what a client's messages do: a state machine without I/O |
//! | [`handshake`] | from an HTTP request to a connection: tokens, subprotocols |
//! | [`event_handler`] | the place of an application that has a say: who connects, what comes of events |
//! | [`inspect`], [`metrics`] | the inspector at `/_hub`, and metrics in the OpenMetrics format |
//! | [`websocket`] | RFC 6455: frames, messages, and the task that moves them |
//! | [`rest`] | the data plane for application servers |
//! | [`origin`] | which web pages may talk to the service |

pub mod broadcast;
pub mod connection;
pub mod event_handler;
pub mod handshake;
pub mod hub;
pub mod inspect;
pub mod metrics;
pub mod origin;
pub mod outbox;
pub mod recovery;
pub mod reliable_queue;
pub mod rest;
pub mod service;
pub mod session;
pub mod websocket;

mod ack_history;
mod metadata_headers;

pub use service::{Service, Settings};
