//! The client for JavaScript and TypeScript: the same as for Rust, in the words of the official JavaScript SDK, so that
//! it can take its place.
//!
//! ```js
//! import init, { WebPubSubClient } from "./webpubsub_client_js.js";
//! await init();
//! const client = new WebPubSubClient("/negotiate", { groups: ["chat"] });
//! client.on("group-message", (event) => console.log(event.message.group, event.message.data));
//! await client.start();
//! await client.sendToGroup("chat", "hello", "text");
//! ```
//!
//! Build it with `cargo build --profile client-js --target wasm32-unknown-unknown -p webpubsub-client-js`, then `wasm-bindgen
//! --target web`. Elsewhere than in a browser this crate is empty.

#![cfg(target_arch = "wasm32")]

mod client;
mod content;
mod events;
mod promises;
#[cfg(test)]
mod tests;
mod typescript;

pub use client::WebPubSubClient;
