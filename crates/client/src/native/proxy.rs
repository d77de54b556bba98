//! TCP connections to the service: direct, or through the proxy that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` (or the
//! settings of the system) name, by HTTP `CONNECT` (RFC 9110, section 9.3.6) or SOCKS (RFC 1928).

use std::{error::Error, io};

use hyper_util::{
    client::{
        legacy::connect::{
            HttpConnector,
            proxy::{SocksV4, SocksV5, Tunnel},
        },
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;
use tower_service::Service;

use super::{negotiate::innermost, network::Network};

/// Default port of SOCKS proxies (RFC 1928).
const SOCKS_PORT: u16 = 1080;

/// Opens a TCP connection on which the service of a `ws(s)://` URL answers.
pub(super) async fn connect(url: &Uri, network: &Network) -> io::Result<TcpStream> {
    let is_encrypted = url.scheme_str() == Some("wss");
    let host = url.host().ok_or_else(|| io::Error::other("the URL names no host"))?;
    let port = url.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
    let proxy = if network.ignores_proxies() { None } else { proxy_for(url, is_encrypted) };
    let Some(proxy) = proxy else {
        let socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        // A line typed alone must not wait for another.
        socket.set_nodelay(true)?;
        return Ok(socket);
    };
    let service = format!("http://{host}:{port}/").parse().map_err(io::Error::other)?;
    through(&proxy, service).await
}

fn proxy_for(url: &Uri, is_encrypted: bool) -> Option<Intercept> {
    // Proxies are set for the schemes of HTTP.
    let scheme = if is_encrypted { "https" } else { "http" };
    let authority = url.authority()?.as_str();
    let target = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().ok()?;
    Matcher::from_system().intercept(&target)
}

async fn through(proxy: &Intercept, service: Uri) -> io::Result<TcpStream> {
    let place = proxy.uri();
    let name = place.host().unwrap_or_default();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    match place.scheme_str() {
        Some("http") => {
            let mut tunnel = Tunnel::new(place.clone(), connector);
            if let Some(credential) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(credential.clone());
            }
            opened(name, tunnel.call(service).await)
        }
        Some("socks5" | "socks5h") => {
            let mut socks = SocksV5::new(with_port(place)?, connector);
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            opened(name, socks.call(service).await)
        }
        Some("socks4" | "socks4a") => {
            opened(name, SocksV4::new(with_port(place)?, connector).call(service).await)
        }
        _ => Err(io::Error::other(format!(
            "the proxy {name} is neither an http:// nor a SOCKS proxy, and no other kind is supported for WebSockets"
        ))),
    }
}

/// Adds the default port of SOCKS proxies, unless there is a port.
fn with_port(place: &Uri) -> io::Result<Uri> {
    let (host, port) = (place.host().unwrap_or_default(), place.port_u16().unwrap_or(SOCKS_PORT));
    format!("http://{host}:{port}/").parse().map_err(io::Error::other)
}

fn opened<E: Error + 'static>(name: &str, outcome: Result<TokioIo<TcpStream>, E>) -> io::Result<TcpStream> {
    outcome.map(TokioIo::into_inner).map_err(|error| {
        let detail = innermost(&error);
        io::Error::other(format!("the proxy {name} did not connect: {detail}"))
    })
}
