//! The page of Tailcast: the lines of a group, live.
//!
//! | room | what lives there |
//! | --- | --- |
//! | [`model`] | what the page knows: lines, place, connection. Plain Rust, tested natively |
//! | `view` | what the reader sees and does. Browser only, tested in one |
//!
//! A message goes into the model at once, in the socket's own callback. Painting happens at most once per animation
//! frame and reads from the model only what is on screen: no amount of output makes a frame longer.

pub mod model;
// The one place that tells the browser from the rest.
#[cfg(target_arch = "wasm32")]
pub mod view;
