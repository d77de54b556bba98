//! HTTP server that records the requests that it gets.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// HTTP server with one response. Stops when dropped.
pub struct RecordingServer {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl RecordingServer {
    /// Starts a server that answers every request with these bytes.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn start(response: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let port = listener.local_addr()?.port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (recorded, response) = (Arc::clone(&requests), response.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let read = socket.read(&mut request).await.unwrap_or_default();
                let text = String::from_utf8_lossy(request.get(..read).unwrap_or_default()).into_owned();
                recorded.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                // The client can disconnect before the response.
                let _written = socket.write_all(response.as_bytes()).await;
            }
        });
        Ok(Self { port, requests, task })
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for RecordingServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
