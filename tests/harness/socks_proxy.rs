//! SOCKS 5 proxy (RFC 1928).

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

/// Proxy without credentials. Stops when dropped.
pub struct SocksProxy {
    url: String,
    tunnels: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl SocksProxy {
    /// Starts a proxy.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let url = format!("socks5h://{}", listener.local_addr()?);
        let tunnels = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&tunnels);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&counter)));
            }
        });
        Ok(Self { url, tunnels, accepting })
    }

    /// Returns the value for `all_proxy`.
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

impl Drop for SocksProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut client: TcpStream, tunnels: Arc<AtomicUsize>) -> anyhow::Result<()> {
    // Version and methods: no credentials.
    let _version = client.read_u8().await?;
    let mut methods = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut methods).await?;
    client.write_all(&[5, 0]).await?;
    // Version, command and a reserved byte, then the address.
    let mut request = [0; 3];
    client.read_exact(&mut request).await?;
    let host = match client.read_u8().await? {
        1 => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
        3 => {
            let mut name = vec![0; client.read_u8().await?.into()];
            client.read_exact(&mut name).await?;
            String::from_utf8(name)?
        }
        kind => anyhow::bail!("an address of the kind {kind}"),
    };
    let port = client.read_u16().await?;
    let mut server = TcpStream::connect((host, port)).await?;
    tunnels.fetch_add(1, Ordering::Relaxed);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
