//! What the whole-system tests stand on: real processes, a real browser, programs of strangers.
//!
//! `cargo xtask test` builds and installs what they need, and says where it is by environment variables. Nothing here
//! sleeps: everything waits for an event, for at most [`PATIENCE`].

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

pub mod answering;
pub mod axe;
pub mod browser;
pub mod bundled;
pub mod command;
pub mod connect_proxy;
pub mod cutter;
pub mod embedding;
pub mod environment;
pub mod faulty_way;
pub mod file_host;
pub mod hosted;
pub mod listener;
pub mod own_service;
pub mod page_host;
pub mod server;
pub mod socket;
pub mod streamer;
pub mod viewer;
pub mod web_server;

use std::{future::Future, time::Duration};

use anyhow::Context;

/// How long anything may take before a test fails. Generous, because a loaded machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for `future`, and fails with `what` when it takes longer than [`PATIENCE`].
///
/// # Errors
/// The future's own, or that time ran out.
pub async fn in_time<T>(what: &str, future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(PATIENCE, future)
        .await
        .with_context(|| format!("{what}: nothing within {PATIENCE:?}"))?
        .with_context(|| what.to_owned())
}
