//! Taking connections: with a limit on how many, and on how long a request may take to say what it wants.

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

/// Most sockets at once: every client of the service, and as many again half for requests.
const MAX_SOCKETS: usize = MAX_CONNECTIONS + MAX_CONNECTIONS / 2;
/// How long a TLS handshake may take, a request's headers may take to arrive, and an idle connection may stay.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of headers: a token fits several times.
const MAX_HEADER_BYTES: usize = 96 * 1024;
/// After a failed accept, most likely for want of file descriptors: time for some to come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whom a request comes from, as the socket has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// Whether it came over TLS that ends here.
    pub(super) is_encrypted: bool,
}

/// Serves `app` on every connection, for ever.
pub(super) async fn serve(listener: TcpListener, tls: Option<Tls>, app: Router) {
    let places = Arc::new(Semaphore::new(MAX_SOCKETS));
    loop {
        // Closed never: nobody closes it.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, from)) => {
                let (app, peer) = (app.clone(), from.ip().to_canonical());
                // Two futures, so that a plain connection is no larger for what an encrypted one needs.
                match tls.as_ref().map(Tls::acceptor) {
                    None => tokio::spawn(async move {
                        serve_connection(prepared(socket), peer, false, app).await;
                        drop(place);
                    }),
                    Some(acceptor) => tokio::spawn(async move {
                        match timeout(HEADER_TIMEOUT, acceptor.accept(prepared(socket))).await {
                            Ok(Ok(socket)) => serve_connection(socket, peer, true, app).await,
                            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                            Err(_) => tracing::debug!("a TLS handshake took too long"),
                        }
                        drop(place);
                    }),
                };
            }
            Err(error) => {
                if !is_of_the_peer(&error) {
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn prepared(socket: TcpStream) -> TcpStream {
    // A frame that is written must leave, not wait for another. A socket that refuses is a slower one, no more.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "the socket keeps its delay");
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
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// The peer has gone before it was accepted: its own affair.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
