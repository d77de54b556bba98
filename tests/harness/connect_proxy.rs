//! An HTTP proxy, as companies put between their people and the world.

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

/// A proxy that passes requests on and opens tunnels, until dropped.
pub struct ConnectProxy {
    url: String,
    tunnels: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl ConnectProxy {
    /// Starts one.
    ///
    /// # Errors
    /// When no port is free.
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

    /// What to put into `http_proxy`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many tunnels were opened.
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

/// `CONNECT host:port` opens a tunnel; a request for `http://host:port/…` is passed on as it is.
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
