//! Harness of the whole-system tests: real processes, real browsers, third-party programs.
//!
//! `cargo xtask test` builds and installs the dependencies, and sets environment variables with their paths. There are no
//! sleeps: tests wait for events, for at most [`TIMEOUT`].

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

pub mod axe;
pub mod browser;
pub mod bundled;
pub mod command;
pub mod connect_proxy;
pub mod embedding;
pub mod environment;
pub mod fault_proxy;
pub mod file_host;
pub mod fixed_response;
pub mod hosted;
pub mod listener;
pub mod marked_lines;
pub mod page_host;
pub mod process;
pub mod recording_server;
pub mod scripted_service;
pub mod server;
pub mod socket;
pub mod socks_proxy;
pub mod streamer;
pub mod tcp_proxy;
pub mod tunnel_proxy;
pub mod viewer;
pub mod web_server;

use std::{future::Future, time::Duration};

use anyhow::Context;

/// Timeout of every wait. It is generous, because a test must not fail on a loaded machine.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Awaits `future`. Errors include `description`.
///
/// # Errors
/// Fails with the error of the future, or after [`TIMEOUT`].
pub async fn with_timeout<T>(
    description: &str,
    future: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::time::timeout(TIMEOUT, future)
        .await
        .with_context(|| format!("{description}: timed out after {TIMEOUT:?}"))?
        .with_context(|| description.to_owned())
}
