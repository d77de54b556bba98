//! Tailcast's viewer: the lines of a group, live.
//!
//! | module | content |
//! | --- | --- |
//! | [`model`] | lines, search, viewport, selection, connection state. Plain Rust, tested natively |
//! | `browser` | the edge to the browser: scheduler, clients, settings, files, clipboard |
//! | `controller` | joins clients, model and the state that components read |
//! | `app` | the Leptos components |
//! | `element` | the custom element `<tail-cast>` |
//!
//! A module knows only those above it in this table. A message goes into the model at once, in the socket's own callback. Rendering
//! happens at most once per animation frame and reads from the model only what is on screen: the time of a frame does not depend on
//! how much was received.

pub mod model;

// Everything below runs in a browser only.
#[cfg(target_arch = "wasm32")]
pub mod app;
#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod controller;
#[cfg(all(target_arch = "wasm32", any(feature = "element", test)))]
pub mod element;
#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod test_page;
