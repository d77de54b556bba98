//! A way to a server on which everything can go wrong that goes wrong on networks.

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

/// Most bytes that are passed on in one go.
const CHUNK_BYTES: usize = 64 * 1024;

/// What is done to the bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Open,
    /// Nothing gets through any more, and nobody is told.
    Stalled,
    /// Ended with a reset instead of a farewell.
    Reset,
    /// Ended.
    Cut,
}

/// How the way treats what comes.
#[derive(Debug, Default)]
struct Conditions {
    /// How long each piece takes.
    delay: Duration,
    /// How many bytes pass in one go; 0 for as many as there are.
    narrowness: usize,
    /// How many further WebSocket handshakes are answered by a gateway, with status 502.
    refusals: usize,
}

#[derive(Debug)]
struct Shared {
    course: watch::Sender<Course>,
    conditions: Mutex<Conditions>,
}

impl Shared {
    fn conditions(&self) -> std::sync::MutexGuard<'_, Conditions> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the handshake at hand is one of those to be refused.
    fn takes_refusal(&self) -> bool {
        let mut conditions = self.conditions();
        let refuses = conditions.refusals > 0;
        conditions.refusals = conditions.refusals.saturating_sub(1);
        refuses
    }
}

/// A TCP proxy to one server, until dropped.
pub struct FaultyWay {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl FaultyWay {
    /// A way to `target` (`host:port`) on which nothing goes wrong yet.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn to(target: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { course: watch::Sender::new(Course::Open), conditions: Mutex::default() });
        let (accepted, target) = (Arc::clone(&shared), target.to_owned());
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                // Faults concern the connections that there are; one that comes later begins without.
                let course = accepted.course.subscribe();
                connections.spawn(pass(client, target.clone(), Arc::clone(&accepted), course));
            }
        });
        Ok(Self { address, shared, accepting })
    }

    /// The URL of `path` on this way.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Cuts every connection that there is.
    pub fn cut(&self) {
        self.turn(Course::Cut);
    }

    /// Resets every connection that there is.
    pub fn reset(&self) {
        self.turn(Course::Reset);
    }

    /// Lets nothing through any more on the connections that there are, and tells nobody: they are half open.
    pub fn stall(&self) {
        self.turn(Course::Stalled);
    }

    /// Answers the next `count` WebSocket handshakes with 502.
    pub fn refuse(&self, count: usize) {
        self.shared.conditions().refusals = count;
    }

    /// Makes each piece take longer, from here on.
    pub fn delay(&self, delay: Duration) {
        self.shared.conditions().delay = delay;
    }

    /// Lets only `bytes` pass in one go, from here on; 0 for as many as there are.
    pub fn narrow(&self, bytes: usize) {
        self.shared.conditions().narrowness = bytes;
    }

    /// Every connection has subscribed before; who comes after begins with the present value as seen.
    fn turn(&self, course: Course) {
        self.shared.course.send_replace(course);
    }
}

impl Drop for FaultyWay {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn pass(
    mut client: TcpStream,
    target: String,
    shared: Arc<Shared>,
    mut course: watch::Receiver<Course>,
) {
    let mut head = vec![0; CHUNK_BYTES];
    let Ok(length) = client.read(&mut head).await else { return };
    head.truncate(length);
    let is_handshake = String::from_utf8_lossy(&head).to_ascii_lowercase().contains("upgrade: websocket");
    if is_handshake && shared.takes_refusal() {
        // Whoever goes away before the answer gets none.
        let _answered = client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    if server.write_all(&head).await.is_err() {
        return;
    }
    let ending = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let up = forward(&mut from_client, &mut to_server, &shared);
        let down = forward(&mut from_server, &mut to_client, &shared);
        tokio::select! {
            () = up => Course::Cut,
            () = down => Course::Cut,
            // How a way that is gone ends is for those at the ends to see.
            turned = course.changed() => turned.map_or(Course::Cut, |()| *course.borrow()),
        }
    };
    match ending {
        Course::Reset => {
            // Fails only for sockets that are gone.
            let _reset = (client.set_zero_linger(), server.set_zero_linger());
        }
        // Both ends hold a connection on which nothing comes or goes, until the way itself ends.
        Course::Stalled => while course.changed().await.is_ok() {},
        Course::Open | Course::Cut => {}
    }
}

async fn forward(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    shared: &Shared,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let (delay, narrowness) = {
            let conditions = shared.conditions();
            (conditions.delay, conditions.narrowness)
        };
        let limit = if narrowness == 0 { CHUNK_BYTES } else { narrowness.min(CHUNK_BYTES) };
        let Some(window) = buffer.get_mut(..limit) else { return };
        let Ok(length @ 1..) = from.read(window).await else { return };
        if !delay.is_zero() {
            // Not a wait for something to happen: the slowness is what is tested.
            tokio::time::sleep(delay).await;
        }
        let Some(piece) = buffer.get(..length) else { return };
        if to.write_all(piece).await.is_err() {
            return;
        }
    }
}
