//! The client for JavaScript and TypeScript: the Rust client with the names of the official JavaScript SDK, as a
//! replacement for it.
//!
//! ```js
//! import init, { WebPubSubClient } from "webpubsub-client";
//! await init();
//! const client = new WebPubSubClient("/negotiate", { groups: ["chat"] });
//! client.on("group-message", (event) => console.log(event.message.group, event.message.data));
//! await client.start();
//! await client.sendToGroup("chat", "hello", "text");
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
mod streams;
#[cfg(test)]
mod tests;
mod typescript;
mod url_source;

pub use client::WebPubSubClient;
pub use streams::GroupStreamWriter;
