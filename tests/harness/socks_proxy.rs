//! SOCKS 5 proxy (RFC 1928).

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
    TunnelProxy::start("socks5h", serve).await
}

async fn serve(mut client: TcpStream, tunnels: Tunnels) -> anyhow::Result<()> {
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
