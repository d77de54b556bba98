//! Taking connections: with a limit on how many, and on how long a request may take to say what it wants.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use webpubsub_hub::service::MAX_CONNECTIONS;

/// Most sockets at once: every client of the service, and as many again half for requests.
const MAX_SOCKETS: usize = MAX_CONNECTIONS + MAX_CONNECTIONS / 2;
/// How long a request's headers may take to arrive, and an idle connection may stay.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of headers: a token fits several times.
const MAX_HEADER_BYTES: usize = 96 * 1024;
/// After a failed accept, most likely for want of file descriptors: time for some to come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on every connection, for ever.
pub(super) async fn serve(listener: TcpListener, app: Router) {
    let places = Arc::new(Semaphore::new(MAX_SOCKETS));
    loop {
        // Closed never: nobody closes it.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, _)) => {
                let app = app.clone();
                tokio::spawn(async move {
                    if let Err(error) = serve_connection(socket, app).await {
                        tracing::debug!(%error, "a connection ended badly");
                    }
                    drop(place);
                });
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

async fn serve_connection(socket: TcpStream, app: Router) -> Result<(), hyper::Error> {
    // A frame that is written must leave, not wait for another. A socket that refuses is a slower one, no more.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "the socket keeps its delay");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(app))
        .with_upgrades()
        .await
}

/// The peer has gone before it was accepted: its own affair.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
