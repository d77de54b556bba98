//! The custom element `<tail-cast>` in somebody else's page, on another origin than the service, in a real browser.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

mod attributes;
mod bad_input;
mod events;
mod life;
mod looks;
mod memory;
mod methods;
mod package;
mod readme;
mod refusals;
mod selection;
mod sharing;
mod vite;
