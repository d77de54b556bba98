//! TCP proxy that simulates network faults.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Maximum number of bytes per read.
const CHUNK_BYTES: usize = 64 * 1024;

/// Fault that applies to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Half-open: no bytes are forwarded, and neither end is notified.
    Stalled,
    /// Closed with a TCP reset.
    Reset,
    /// Closed.
    Dropped,
}

/// Transfer conditions of all connections.
#[derive(Debug, Default)]
struct Conditions {
    /// Delay of each chunk.
    delay: Duration,
    /// Maximum size of a chunk in bytes; 0 for no limit.
    chunk_limit: usize,
    /// Number of further WebSocket handshakes to refuse with status 502.
    refusals: usize,
}

#[derive(Debug)]
struct Shared {
    fault: watch::Sender<Fault>,
    conditions: Mutex<Conditions>,
}

impl Shared {
    fn conditions(&self) -> std::sync::MutexGuard<'_, Conditions> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether to refuse the current handshake, and counts it.
    fn take_refusal(&self) -> bool {
        let mut conditions = self.conditions();
        let is_refused = conditions.refusals > 0;
        conditions.refusals = conditions.refusals.saturating_sub(1);
        is_refused
    }
}

/// TCP proxy to one server. Stops when dropped.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy to `target` (`host:port`), without faults.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn to(target: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { fault: watch::Sender::new(Fault::None), conditions: Mutex::default() });
        let (accepted, target) = (Arc::clone(&shared), target.to_owned());
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                // A fault applies to current connections, not to later ones.
                let fault = accepted.fault.subscribe();
                connections.spawn(proxy(client, target.clone(), Arc::clone(&accepted), fault));
            }
        });
        Ok(Self { address, shared, accepting })
    }

    /// Returns the URL of `path` through the proxy.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Closes all current connections.
    pub fn drop_connections(&self) {
        self.apply(Fault::Dropped);
    }

    /// Closes all current connections with a TCP reset.
    pub fn reset_connections(&self) {
        self.apply(Fault::Reset);
    }

    /// Makes all current connections half-open: no bytes are forwarded, and neither end is notified.
    pub fn stall_connections(&self) {
        self.apply(Fault::Stalled);
    }

    /// Refuses the next `count` WebSocket handshakes with status 502.
    pub fn refuse_handshakes(&self, count: usize) {
        self.shared.conditions().refusals = count;
    }

    /// Sets the delay of each chunk.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.conditions().delay = delay;
    }

    /// Sets the maximum size of a chunk; 0 for no limit.
    pub fn set_chunk_limit(&self, bytes: usize) {
        self.shared.conditions().chunk_limit = bytes;
    }

    /// Applies a fault to the current connections. Later ones treat the current value as seen.
    fn apply(&self, fault: Fault) {
        self.shared.fault.send_replace(fault);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.drop_connections();
    }
}

async fn proxy(
    mut client: TcpStream,
    target: String,
    shared: Arc<Shared>,
    mut fault: watch::Receiver<Fault>,
) {
    let mut head = vec![0; CHUNK_BYTES];
    let Ok(length) = client.read(&mut head).await else { return };
    head.truncate(length);
    let is_handshake = String::from_utf8_lossy(&head).to_ascii_lowercase().contains("upgrade: websocket");
    if is_handshake && shared.take_refusal() {
        // The client can disconnect before the response.
        let _written = client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    if server.write_all(&head).await.is_err() {
        return;
    }
    let fault_at_end = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let up = forward(&mut from_client, &mut to_server, &shared);
        let down = forward(&mut from_server, &mut to_client, &shared);
        tokio::select! {
            () = up => Fault::Dropped,
            () = down => Fault::Dropped,
            // A dropped proxy closes the connection.
            changed = fault.changed() => changed.map_or(Fault::Dropped, |()| *fault.borrow()),
        }
    };
    match fault_at_end {
        Fault::Reset => {
            // Fails only for closed sockets.
            let _reset = (client.set_zero_linger(), server.set_zero_linger());
        }
        // The sockets stay open until the proxy is dropped.
        Fault::Stalled => while fault.changed().await.is_ok() {},
        Fault::None | Fault::Dropped => {}
    }
}

async fn forward(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    shared: &Shared,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let (delay, chunk_limit) = {
            let conditions = shared.conditions();
            (conditions.delay, conditions.chunk_limit)
        };
        let limit = if chunk_limit == 0 { CHUNK_BYTES } else { chunk_limit.min(CHUNK_BYTES) };
        let Some(window) = buffer.get_mut(..limit) else { return };
        let Ok(length @ 1..) = from.read(window).await else { return };
        if !delay.is_zero() {
            // Part of the simulation, not a wait for an event.
            tokio::time::sleep(delay).await;
        }
        let Some(chunk) = buffer.get(..length) else { return };
        if to.write_all(chunk).await.is_err() {
            return;
        }
    }
}
