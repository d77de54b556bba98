//! The way to the service: straight, or through the proxy that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`
//! (or the system's settings) name, by HTTP `CONNECT` (RFC 9110, section 9.3.6).

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::http::Uri;

/// Longest answer of a proxy that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// Whether proxies are ignored.
static IS_DIRECT: AtomicBool = AtomicBool::new(false);

/// Ignores the proxies of the environment in this process, for a service on the same machine: a proxy would get its keys. Call it
/// before the first connection.
pub fn connect_directly() {
    IS_DIRECT.store(true, Ordering::Relaxed);
}

/// Returns whether [`connect_directly`] was called.
pub(super) fn is_direct() -> bool {
    IS_DIRECT.load(Ordering::Relaxed)
}

/// Opens a TCP connection on which the service of a `ws(s)://` URL answers.
pub(super) async fn connect(url: &Uri) -> io::Result<TcpStream> {
    let is_encrypted = url.scheme_str() == Some("wss");
    let host = url.host().ok_or_else(|| io::Error::other("the URL names no host"))?;
    let port = url.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
    let socket = match proxy_for(url, is_encrypted) {
        None => TcpStream::connect((host.trim_matches(['[', ']']), port)).await?,
        Some(proxy) => through(&proxy, host, port).await?,
    };
    // A line typed alone must not wait for another.
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn proxy_for(url: &Uri, is_encrypted: bool) -> Option<Intercept> {
    if is_direct() {
        return None;
    }
    // Proxies are set for the schemes of HTTP.
    let scheme = if is_encrypted { "https" } else { "http" };
    let authority = url.authority()?.as_str();
    let target = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().ok()?;
    Matcher::from_system().intercept(&target)
}

async fn through(proxy: &Intercept, host: &str, port: u16) -> io::Result<TcpStream> {
    let place = proxy.uri();
    let name = place.host().unwrap_or_default();
    let named = |problem: &str| io::Error::other(format!("the proxy {name} {problem}"));
    if place.scheme_str() != Some("http") {
        return Err(named("is no http:// proxy, and no other kind is supported for WebSockets"));
    }
    let mut socket = TcpStream::connect((name.trim_matches(['[', ']']), place.port_u16().unwrap_or(80)))
        .await
        .map_err(|error| named(&format!("cannot be reached ({error})")))?;
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(credential) = proxy.basic_auth() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credential.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    socket.write_all(&request).await?;
    let answer =
        read_answer(&mut socket).await.map_err(|error| named(&format!("did not answer ({error})")))?;
    match status(&answer) {
        Some(200..300) => Ok(socket),
        Some(407) => Err(named("wants a user name and a password: http://USER:PASSWORD@HOST:PORT")),
        Some(status) => Err(named(&format!("answered {status}"))),
        None => Err(named("answered something that is not HTTP")),
    }
}

/// Reads to the end of the head and not a byte further: what follows is the service's.
async fn read_answer(socket: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_ANSWER_BYTES {
            return Err(io::Error::other("its answer has no end"));
        }
        answer.push(socket.read_u8().await?);
    }
    Ok(answer)
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(answer.split(|byte| *byte == b'\r').next()?).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_from_the_first_line_and_nothing_else() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 Who?\r\nX: 200\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0-OpenSSH\r\n"), None);
    }
}
