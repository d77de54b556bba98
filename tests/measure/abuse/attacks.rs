//! Attackers. Each repeats one attack from many addresses until it is stopped, and counts its attempts.

use std::{
    future::Future,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tailcast_tests::socket::{JSON, Socket};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, sign},
};

/// Number of addresses of the attackers.
const ADDRESSES: usize = 20;
/// Connections that an attack holds open at a time.
const HELD: usize = 300;

/// Attacked server, which believes `X-Forwarded-For` of this program.
pub struct Target {
    pub address: String,
    pub key: AccessKey,
}

impl Target {
    /// Opens a WebSocket from `address` with these roles.
    ///
    /// # Errors
    /// Fails if the handshake fails.
    pub async fn open(&self, address: &str, roles: &[&str]) -> anyhow::Result<Socket> {
        Socket::open_with(&self.url(roles)?, &[JSON], &[("x-forwarded-for", address)]).await
    }

    fn url(&self, roles: &[&str]) -> anyhow::Result<String> {
        let now = UnixTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        let mut claims = Claims::new(format!("http://{}/client/hubs/stream", self.address), now, 3600);
        claims.roles = roles.iter().map(|role| format!("webpubsub.{role}")).collect();
        let token = sign(&claims, &self.key)?;
        Ok(format!("ws://{}/client/hubs/stream?access_token={token}", self.address))
    }
}

/// Starts all attacks. Each returns the number of its attempts.
pub fn start(target: &Arc<Target>, stopped: &watch::Receiver<bool>) -> Vec<(&'static str, JoinHandle<u64>)> {
    vec![
        ("stalled_viewers", repeat(target, stopped, stalled_viewer)),
        ("begun_messages", repeat(target, stopped, begun_message)),
        ("connections_of_one_token", repeat(target, stopped, connection)),
        ("unread_responses", repeat(target, stopped, unread_response)),
        ("half_requests", repeat(target, stopped, half_request)),
        ("ping_floods", repeat(target, stopped, ping_flood)),
        ("forged_tokens", repeat(target, stopped, forged_token)),
    ]
}

/// Repeats an attack from changing addresses, and holds what the last [`HELD`] attempts have opened.
fn repeat<A, T>(
    target: &Arc<Target>,
    stopped: &watch::Receiver<bool>,
    attack: impl Fn(Arc<Target>, String) -> A + Send + 'static,
) -> JoinHandle<u64>
where
    A: Future<Output = anyhow::Result<T>> + Send,
    T: Send + 'static,
{
    let (target, stopped) = (Arc::clone(target), stopped.clone());
    tokio::spawn(async move {
        let (mut attempts, mut held) = (0_u64, std::collections::VecDeque::new());
        while !*stopped.borrow() {
            let address = format!("203.0.113.{}", attempts % ADDRESSES as u64);
            // A refusal is what should happen.
            held.extend(attack(Arc::clone(&target), address).await.ok());
            if held.len() > HELD {
                held.pop_front();
            }
            attempts += 1;
            tokio::task::yield_now().await;
        }
        attempts
    })
}

async fn stalled_viewer(target: Arc<Target>, address: String) -> anyhow::Result<Socket> {
    let mut viewer = target.open(&address, &["joinLeaveGroup"]).await?;
    viewer.send(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
    Ok(viewer)
}

async fn begun_message(target: Arc<Target>, address: String) -> anyhow::Result<Socket> {
    let mut client = target.open(&address, &["joinLeaveGroup"]).await?;
    let frame = Frame::message(vec![b'x'; 60_000], OpCode::Data(Data::Text), false);
    client.send_message(Message::Frame(frame)).await?;
    Ok(client)
}

async fn connection(target: Arc<Target>, address: String) -> anyhow::Result<Socket> {
    target.open(&address, &[]).await
}

async fn unread_response(target: Arc<Target>, address: String) -> anyhow::Result<TcpStream> {
    let mut socket = TcpStream::connect(&target.address).await?;
    let request = format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-forwarded-for: {address}\r\n\r\n");
    for _ in 0..100 {
        socket.write_all(request.as_bytes()).await?;
    }
    socket.read_u8().await?;
    Ok(socket)
}

async fn half_request(target: Arc<Target>, _: String) -> anyhow::Result<TcpStream> {
    let mut socket = TcpStream::connect(&target.address).await?;
    socket.write_all(b"GET /client/hubs/stream HTTP/1.1\r\nhost: 127").await?;
    Ok(socket)
}

async fn ping_flood(target: Arc<Target>, address: String) -> anyhow::Result<Socket> {
    let mut client = target.open(&address, &[]).await?;
    for _ in 0..1000 {
        client.send_message(Message::Ping(vec![0; 125].into())).await?;
    }
    Ok(client)
}

async fn forged_token(target: Arc<Target>, address: String) -> anyhow::Result<Socket> {
    let mut url = target.url(&["sendToGroup"])?;
    url.push('x');
    Socket::open_with(&url, &[JSON], &[("x-forwarded-for", &address)]).await
}
