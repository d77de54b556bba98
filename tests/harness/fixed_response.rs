//! HTTP server with one fixed response.

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// HTTP server that sends the same response to every request. Stops when dropped.
pub struct FixedResponse {
    address: String,
    task: JoinHandle<()>,
}

impl FixedResponse {
    /// Starts a server with the given status line, content type and body.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn with(status: &str, content_type: &str, body: &str) -> anyhow::Result<Self> {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
             Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n{body}"
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?.to_string();
        let task = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    // The client can disconnect before the response.
                    let _read = socket.read(&mut request).await;
                    let _written = socket.write_all(answer.as_bytes()).await;
                });
            }
        });
        Ok(Self { address, task })
    }

    /// Returns the URL of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for FixedResponse {
    fn drop(&mut self) {
        self.task.abort();
    }
}
