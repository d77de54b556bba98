//! HTTP forward proxy.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Forward proxy with `CONNECT` tunnels. Stops when dropped.
pub struct ConnectProxy {
    url: String,
    tunnels: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl ConnectProxy {
    /// Starts a proxy.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let url = format!("http://{}", listener.local_addr()?);
        let tunnels = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&tunnels);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&counter)));
            }
        });
        Ok(Self { url, tunnels, accepting })
    }

    /// Returns the value for `http_proxy`.
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

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Opens a tunnel for `CONNECT host:port`. Forwards a request for `http://host:port/…` unchanged.
async fn serve(mut client: TcpStream, tunnels: Arc<AtomicUsize>) -> Option<()> {
    let mut head = vec![0; 16 * 1024];
    let length = client.read(&mut head).await.ok()?;
    head.truncate(length);
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut words = text.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let authority = target.strip_prefix("http://").unwrap_or(target).split('/').next()?;
    let mut server = TcpStream::connect(authority).await.ok()?;
    if method == "CONNECT" {
        tunnels.fetch_add(1, Ordering::Relaxed);
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    } else {
        server.write_all(&head).await.ok()?;
    }
    copy_bidirectional(&mut client, &mut server).await.ok().map(|_| ())
}
