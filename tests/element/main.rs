//! Custom element `<tail-cast>` in a host page on another origin than the service.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

mod attributes;
mod bad_input;
mod events;
mod history;
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
