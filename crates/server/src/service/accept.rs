//! Accepting connections, with limits on their number and timeouts for handshakes, headers and writes.

use std::{
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{Request, header},
};
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
    time::timeout,
};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::io::InspectReader;

use super::{
    forwarded::TrustedProxies,
    header_names::FirstHead,
    sockets::{PermittedSocket, SocketPermit, Sockets, max_open_files},
    tls::Tls,
};

/// Timeout of a TLS handshake, of the headers of a request, and of an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time without progress after which a write fails: the client does not read, and is considered lost.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum size of a request's headers: several times that of a token.
pub(super) const MAX_HEADER_BYTES: usize = 32 * 1024;
/// Pause after a failed accept. The likely cause is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time between two warnings about sockets.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Peer of a socket. An extension of each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// Whether the connection uses TLS.
    pub(super) is_encrypted: bool,
}

/// Limits on sockets.
#[derive(Debug)]
pub(super) struct SocketLimits {
    /// Maximum number of sockets of an address; `None` if no stranger can reach the server.
    pub(super) per_address: Option<usize>,
    /// Peers that the limit does not apply to, since they connect for many clients.
    pub(super) proxies: TrustedProxies,
}

/// Serves `app` on every accepted connection, without end.
pub(super) async fn serve(listener: TcpListener, tls: Option<Tls>, limits: SocketLimits, app: Router) {
    let sockets = Sockets::new(max_open_files(), limits.per_address);
    let mut warnings = Warnings::default();
    loop {
        if sockets.is_full() && warnings.count(Instant::now()) {
            tracing::warn!(
                limit = sockets.total(),
                "the limit of open sockets is reached: new clients must wait"
            );
        }
        let Some(permit) = sockets.permit().await else { return };
        match listener.accept().await {
            Ok((socket, from)) => {
                let peer = from.ip().to_canonical();
                let is_limited = !limits.proxies.is_trusted(peer);
                // A refused socket is closed: a response would cost more than it.
                let Some(permit) = sockets.admit(permit, is_limited.then_some(peer)) else {
                    tracing::debug!(%peer, "socket refused: the address has its maximum");
                    continue;
                };
                start(configure(socket), permit, peer, tls.as_ref(), app.clone());
            }
            Err(error) if is_peer_error(&error) => {}
            Err(error) => {
                if warnings.count(Instant::now()) {
                    tracing::warn!(%error, "cannot accept connections");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Warnings about sockets, one in each [`WARNING_INTERVAL`].
#[derive(Default)]
struct Warnings {
    last: Option<Instant>,
}

impl Warnings {
    /// Counts a warning. Returns `false` if it must not be logged.
    fn count(&mut self, now: Instant) -> bool {
        let is_due = self.last.is_none_or(|last| now - last >= WARNING_INTERVAL);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

/// Starts the task of a socket.
fn start(socket: TcpStream, permit: SocketPermit, peer: IpAddr, tls: Option<&Tls>, app: Router) {
    // Two futures, so that the one of a plain connection does not reserve memory for TLS.
    match tls.map(Tls::acceptor) {
        None => drop(tokio::spawn(serve_connection(socket, permit, peer, false, app))),
        Some(acceptor) => drop(tokio::spawn(async move {
            match timeout(HEADER_TIMEOUT, acceptor.accept(socket)).await {
                Ok(Ok(socket)) => serve_connection(socket, permit, peer, true, app).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake timed out"),
            }
        })),
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
    permit: SocketPermit,
    address: IpAddr,
    is_encrypted: bool,
    app: Router,
) {
    let (app, head) = (TowerToHyperService::new(app), FirstHead::default());
    let socket = InspectReader::new(socket, head.recorder());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer { address, is_encrypted });
        let names = head.take_names();
        if request.headers().contains_key(header::UPGRADE) {
            request.extensions_mut().insert(names);
        }
        app.call(request)
    });
    let mut socket = TimeoutWriter::new(PermittedSocket { socket, _permit: permit });
    socket.set_timeout(Some(WRITE_TIMEOUT));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(Box::pin(socket)), service)
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
