//! HTTP forward proxy, with `CONNECT` tunnels.

use std::sync::atomic::Ordering;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
};

use crate::tunnel_proxy::{TunnelProxy, Tunnels};

/// Starts a proxy.
///
/// # Errors
/// Fails if no port is free.
pub async fn start() -> anyhow::Result<TunnelProxy> {
    TunnelProxy::start("http", serve).await
}

/// Opens a tunnel for `CONNECT host:port`. Forwards a request for `http://host:port/…` unchanged.
async fn serve(mut client: TcpStream, tunnels: Tunnels) -> Option<()> {
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
