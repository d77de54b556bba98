//! Selection of the port: a free one, or that of a running Tailcast.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use reqwest::{Client, redirect::Policy};
use tokio::{net::TcpListener, task::JoinSet};

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
        let (mut occupied, mut candidates) = (Vec::new(), Vec::new());
        let mut free = None;
        for port in first..=first.saturating_add(MAX_PORTS - 1) {
            match bind(port).await {
                Ok(listener) => {
                    free = Some(listener);
                    break;
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => candidates.push(port),
                // A port that this user may not use.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
                Err(error) => return Err(failure(port, &error)),
            }
            occupied.push(port);
        }
        if let Some(port) = first_tailcast(&candidates).await {
            occupied.retain(|other| *other < port);
            return Ok(Self { place: Place::Running(port), occupied });
        }
        let listener = match free {
            Some(listener) => listener,
            None => bind(0).await.map_err(|error| failure(0, &error))?,
        };
        Ok(Self { place: Place::Free(listener), occupied })
    }
}

/// Returns the first of these ports at which a Tailcast answers. All are asked at the same time: each can be silent until the timeout.
async fn first_tailcast(ports: &[u16]) -> Option<u16> {
    let mut checks = JoinSet::new();
    for port in ports {
        let port = *port;
        checks.spawn(async move { is_tailcast(port).await.then_some(port) });
    }
    checks.join_all().await.into_iter().flatten().min()
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn silent_programs_delay_the_selection_by_one_timeout() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut silent = Vec::new();
        for _ in 0..MAX_PORTS {
            silent.push(bind(0).await.unwrap());
        }
        let ports: Vec<u16> = silent.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let started = Instant::now();
        assert_eq!(first_tailcast(&ports).await, None);
        assert!(started.elapsed() < 3 * HEALTH_TIMEOUT, "{:?}", started.elapsed());
    }
}
