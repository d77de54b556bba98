//! Bodies of requests over real sockets: long ones, and ones without a declared length.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use webpubsub_hub::Service;
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, sign},
};

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

fn key() -> AccessKey {
    AccessKey::new("a-key-for-tests-of-32-or-more-bytes!").unwrap()
}

/// Starts a service, and returns its address.
async fn service() -> String {
    let service = Service::builder().access_key(key()).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(axum::serve(listener, service.router()).into_future());
    address
}

/// Connection of an application server that sends one request, byte by byte.
struct RestSocket {
    socket: TcpStream,
    head: String,
}

impl RestSocket {
    /// Connects for a request to `path`, with a token or without one.
    async fn open(address: &str, path: &str, is_signed: bool) -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let token = sign(&Claims::new(format!("http://{address}{path}"), UnixTime(now), 60), &key()).unwrap();
        let authorization =
            if is_signed { format!("Authorization: Bearer {token}\r\n") } else { String::new() };
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{authorization}");
        Self { socket: TcpStream::connect(address).await.unwrap(), head }
    }

    /// Sends the head of the request with further headers.
    async fn head(&mut self, headers: &str) {
        let head = format!("{}{headers}\r\n", self.head);
        self.send(head.as_bytes()).await;
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    /// Reads the response, and returns its status.
    async fn status(&mut self) -> u16 {
        let mut response = Vec::new();
        self.socket.read_to_end(&mut response).await.unwrap();
        let response = String::from_utf8_lossy(&response);
        response.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn a_client_with_a_long_body_reads_why_it_is_refused() {
    let service = service().await;
    for (bytes, path, is_signed, status) in [
        (9 << 20, "/api/hubs/chat/:send", true, 400),
        (5 << 20, "/api/hubs/chat/:send", false, 401),
        (6 << 20, "/api/hubs/chat/groups/g/:nowhere", true, 404),
        (1 << 20, "/api/hubs/chat/:send", true, 202),
    ] {
        let mut socket = RestSocket::open(&service, path, is_signed).await;
        socket.head(&format!("Content-Type: text/plain\r\nContent-Length: {bytes}\r\n")).await;
        // Sends everything before it reads, as the SDKs do.
        for _ in 0..bytes >> 16 {
            socket.send(&[b'x'; 1 << 16]).await;
        }
        assert_eq!(socket.status().await, status, "{bytes} bytes to {path}");
    }
}

#[tokio::test]
async fn a_body_without_a_declared_length_or_type_is_refused() {
    let service = service().await;
    for (path, content_type) in [
        ("/api/hubs/chat/:send", "text/plain"),
        ("/api/hubs/chat/groups/g/:send", "application/octet-stream"),
        ("/api/hubs/chat/:addToGroups", "application/json"),
    ] {
        let mut socket = RestSocket::open(&service, path, true).await;
        socket.head(&format!("Content-Type: {content_type}\r\n{CHUNKED}")).await;
        socket.send(b"2\r\nno\r\n0\r\n\r\n").await;
        assert_eq!(socket.status().await, 400, "{path}");
    }
    let mut socket = RestSocket::open(&service, "/api/hubs/chat/:send", true).await;
    socket.head("Content-Length: 3\r\n").await;
    socket.send(b"no\n").await;
    assert_eq!(socket.status().await, 415, "a message without a content type");
    let mut socket = RestSocket::open(&service, "/api/hubs/chat/:send", true).await;
    socket.head("Content-Type: text/plain\r\nContent-Length: 3\r\n").await;
    socket.send(b"yes").await;
    assert_eq!(socket.status().await, 202);
}
