//! Accepting connections, with a limit on their number and timeouts for handshakes and headers.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, http::Request};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use webpubsub_hub::service::MAX_CONNECTIONS;

use super::tls::Tls;

/// Maximum number of open sockets: all clients of the service, and half as many for HTTP requests.
const MAX_SOCKETS: usize = MAX_CONNECTIONS + MAX_CONNECTIONS / 2;
/// Timeout of a TLS handshake, of the headers of a request, and of an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum size of a request's headers: several times that of a token.
const MAX_HEADER_BYTES: usize = 96 * 1024;
/// Pause after a failed accept. The likely cause is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Peer of a socket. An extension of each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// Whether the connection uses TLS.
    pub(super) is_encrypted: bool,
}

/// Serves `app` on every accepted connection, without end.
pub(super) async fn serve(listener: TcpListener, tls: Option<Tls>, app: Router) {
    let permits = Arc::new(Semaphore::new(MAX_SOCKETS));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, from)) => {
                let (app, peer) = (app.clone(), from.ip().to_canonical());
                // Two futures, so that the one of a plain connection does not reserve memory for TLS.
                match tls.as_ref().map(Tls::acceptor) {
                    None => tokio::spawn(async move {
                        serve_connection(configure(socket), peer, false, app).await;
                        drop(permit);
                    }),
                    Some(acceptor) => tokio::spawn(async move {
                        match timeout(HEADER_TIMEOUT, acceptor.accept(configure(socket))).await {
                            Ok(Ok(socket)) => serve_connection(socket, peer, true, app).await,
                            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                            Err(_) => tracing::debug!("TLS handshake timed out"),
                        }
                        drop(permit);
                    }),
                };
            }
            Err(error) => {
                if !is_peer_error(&error) {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn configure(socket: TcpStream) -> TcpStream {
    // Small frames must be sent without delay. Without the option, the connection works with a higher latency.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "cannot disable Nagle's algorithm");
    }
    socket
}

async fn serve_connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: IpAddr,
    is_encrypted: bool,
    app: Router,
) {
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer { address, is_encrypted });
        app.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection failed");
    }
}

/// Whether the peer closed the connection before it was accepted.
fn is_peer_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
