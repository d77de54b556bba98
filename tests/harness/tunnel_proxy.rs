//! Accepting side of a proxy: counts the tunnels that a protocol opens.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Number of tunnels.
pub(crate) type Tunnels = Arc<AtomicUsize>;

/// Proxy without credentials. Stops when dropped.
pub struct TunnelProxy {
    url: String,
    tunnels: Tunnels,
    accepting: JoinHandle<()>,
}

impl TunnelProxy {
    /// Starts a proxy that serves each client with `serve`.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub(crate) async fn start<F>(scheme: &str, serve: fn(TcpStream, Tunnels) -> F) -> anyhow::Result<Self>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let tunnels = Tunnels::default();
        let counter = Arc::clone(&tunnels);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&counter)));
            }
        });
        Ok(Self { url, tunnels, accepting })
    }

    /// Returns the value for `http_proxy` or `all_proxy`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the number of tunnels that were opened.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        self.tunnels.load(Ordering::Relaxed)
    }
}

impl Drop for TunnelProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
