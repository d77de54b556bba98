//! Selection of the port: a free one, or that of a running Tailcast.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use reqwest::{Client, redirect::Policy};
use tokio::net::TcpListener;

use crate::{failure::Failure, serve::HEALTHY, service::HEALTH_PATH};

/// Ports that are tried, one after the other, before the system selects one.
const MAX_PORTS: u16 = 20;
/// Timeout for the health check of a program that uses a port. One that does not answer is not Tailcast.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Selected place of the server.
#[derive(Debug)]
pub(crate) enum Place {
    /// Port that was free, and is bound now.
    Free(TcpListener),
    /// Port of a running Tailcast.
    Running(u16),
}

/// Result of the selection.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) place: Place,
    /// Ports of other programs that were passed over.
    pub(crate) occupied: Vec<u16>,
}

impl Discovery {
    /// Selects the first suitable port from `first` on.
    pub(crate) async fn from_port(first: u16) -> Result<Self, Failure> {
        let mut occupied = Vec::new();
        for port in first..=first.saturating_add(MAX_PORTS - 1) {
            match bind(port).await {
                Ok(listener) => return Ok(Self { place: Place::Free(listener), occupied }),
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    if is_tailcast(port).await {
                        return Ok(Self { place: Place::Running(port), occupied });
                    }
                    occupied.push(port);
                }
                // A port that this user may not use.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => occupied.push(port),
                Err(error) => return Err(failure(port, &error)),
            }
        }
        let listener = bind(0).await.map_err(|error| failure(0, &error))?;
        Ok(Self { place: Place::Free(listener), occupied })
    }
}

async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

fn failure(port: u16, error: &std::io::Error) -> Failure {
    Failure::runtime(format!("cannot listen on 127.0.0.1:{port}: {error}"))
}

/// Whether a Tailcast with a page answers at a port of this machine. The request contains nothing of the user, and is not redirected.
async fn is_tailcast(port: u16) -> bool {
    let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(HEALTH_TIMEOUT).build();
    let Ok(client) = client else { return false };
    let url = format!("http://127.0.0.1:{port}{HEALTH_PATH}");
    let Ok(mut response) = client.get(url).send().await else { return false };
    let mut body = Vec::new();
    while body.len() <= HEALTHY.len() {
        match response.chunk().await {
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => break,
            Err(_) => return false,
        }
    }
    response.status().is_success() && body == HEALTHY.as_bytes()
}
