//! The client for JavaScript and TypeScript: the Rust client behind the classes of the official JavaScript SDK, as a
//! replacement for it.
//!
//! ```text
//! package/*.js   classes, options and types of the official SDK; loads the WebAssembly at the first start
//!      │ calls and plain objects
//! this crate     promises, listeners and queues of one client
//!      │
//! webpubsub-client (Rust): protocol, reconnection, WebSocket
//! ```
//!
//! `cargo xtask dist` builds the npm package in `dist/client-js/`. For targets other than WebAssembly this crate is empty.

#![cfg(target_arch = "wasm32")]

mod budget;
mod client;
mod client_session;
mod content;
mod event_listeners;
mod options;
mod promises;
mod properties;
mod rejection;
mod streams;
#[cfg(test)]
mod tests;
mod url_source;

pub use client::WebPubSubClient;
pub use streams::GroupStreamWriter;
