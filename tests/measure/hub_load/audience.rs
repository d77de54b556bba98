//! Subscribers: one task per connection, all on one thread.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

use super::{
    connection::{Connection, Target},
    delays::Delays,
    protocol::Role,
};

/// Number of concurrent handshakes.
const CONCURRENT_HANDSHAKES: usize = 64;
/// Size of the read buffer.
const BUFFER_BYTES: usize = 128 * 1024;
/// Timeout of a handshake: a server that is full may let clients wait.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout for the arrival of messages.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(20);

/// Shared state of all subscribers.
#[derive(Debug)]
struct SharedState {
    /// Number of messages per subscriber.
    counts: Vec<Cell<u64>>,
    progressed: Notify,
    failure: RefCell<Option<anyhow::Error>>,
    scratch: RefCell<Box<[u8]>>,
    last_arrival: Cell<Instant>,
    longest_pause: Cell<Duration>,
    delays: RefCell<Option<Delays>>,
}

/// All subscribers of a measurement. Their connections are closed when dropped.
#[derive(Debug)]
pub struct Audience {
    shared: Rc<SharedState>,
    tasks: Vec<JoinHandle<()>>,
}

impl Audience {
    /// Connects `size` subscribers.
    ///
    /// # Errors
    /// Fails if a connection is refused, or is not open after 10 s.
    pub async fn connect(target: &Target, size: usize) -> anyhow::Result<Self> {
        let shared = Rc::new(SharedState {
            counts: vec![Cell::new(0); size],
            progressed: Notify::new(),
            failure: RefCell::new(None),
            scratch: RefCell::new(vec![0; BUFFER_BYTES].into_boxed_slice()),
            last_arrival: Cell::new(Instant::now()),
            longest_pause: Cell::new(Duration::ZERO),
            delays: RefCell::new(None),
        });
        let tasks = stream::iter(0..size)
            .map(|index| {
                let shared = Rc::clone(&shared);
                async move {
                    let opening = Connection::open(target, Role::Subscriber);
                    let connection = timeout(HANDSHAKE_TIMEOUT, opening).await.unwrap_or_else(|_| {
                        Err(anyhow!("not connected within {} s", HANDSHAKE_TIMEOUT.as_secs()))
                    });
                    let connection = connection.with_context(|| format!("subscriber {index} of {size}"))?;
                    anyhow::Ok(tokio::task::spawn_local(receive(connection, shared, index)))
                }
            })
            .buffer_unordered(CONCURRENT_HANDSHAKES)
            .try_collect()
            .await?;
        Ok(Self { shared, tasks })
    }

    /// Returns the number of subscribers.
    pub fn size(&self) -> usize {
        self.shared.counts.len()
    }

    /// Returns the minimum number of messages of a subscriber.
    pub fn min_messages(&self) -> u64 {
        self.shared.counts.iter().map(Cell::get).min().unwrap_or_default()
    }

    /// Returns the total number of messages.
    pub fn total(&self) -> u64 {
        self.shared.counts.iter().map(Cell::get).sum()
    }

    /// Resets the counts. No messages must be in flight.
    pub fn reset(&self) {
        self.shared.counts.iter().for_each(|count| count.set(0));
        self.shared.last_arrival.set(Instant::now());
        self.shared.longest_pause.set(Duration::ZERO);
    }

    /// Returns the longest time without any arrival since [`Self::reset`].
    pub fn longest_pause(&self) -> Duration {
        self.shared.longest_pause.get()
    }

    /// Starts recording the delays of messages with a timestamp.
    pub fn record_delays(&self, delays: Delays) {
        self.shared.delays.replace(Some(delays));
    }

    /// Returns the recorded delays.
    pub fn take_delays(&self) -> Option<Delays> {
        self.shared.delays.take()
    }

    /// Checks whether a subscriber has failed.
    ///
    /// # Errors
    /// Fails with the error of the subscriber.
    pub fn check(&self) -> anyhow::Result<()> {
        match self.shared.failure.take() {
            Some(error) => Err(error.context("a subscriber failed")),
            None => Ok(()),
        }
    }

    /// Waits until each subscriber has `count` messages.
    ///
    /// # Errors
    /// Fails if a subscriber fails, or after the timeout.
    pub async fn reach(&self, count: u64) -> anyhow::Result<()> {
        let reached = async {
            while self.min_messages() < count {
                self.shared.progressed.notified().await;
                self.check()?;
            }
            Ok(())
        };
        match tokio::time::timeout(ARRIVAL_TIMEOUT, reached).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let expected = count * self.size() as u64;
                let lost = self.shared.counts.iter().map(|got| count.saturating_sub(got.get())).sum::<u64>();
                anyhow::bail!("{lost} of {expected} deliveries did not arrive")
            }
        }
    }

    /// Checks that each subscriber has exactly `count` messages.
    ///
    /// # Errors
    /// Fails if the total differs.
    pub fn ensure_exactly(&self, count: u64) -> anyhow::Result<()> {
        let expected = count * self.size() as u64;
        ensure!(self.total() == expected, "{} deliveries instead of {expected}", self.total());
        Ok(())
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn receive(mut connection: Connection, shared: Rc<SharedState>, index: usize) {
    let mut remainder = Vec::new();
    loop {
        let before = connection.inbox.messages;
        let received = connection
            .receive(&shared.scratch, |bytes| {
                if let Some(delays) = &mut *shared.delays.borrow_mut() {
                    delays.record(bytes, &mut remainder);
                }
            })
            .await;
        if let Err(error) = received {
            shared.failure.replace(Some(error));
            shared.progressed.notify_one();
            return;
        }
        let arrived = connection.inbox.messages - before;
        if arrived > 0 {
            if let Some(count) = shared.counts.get(index) {
                count.set(count.get() + arrived);
            }
            let now = Instant::now();
            let pause = now - shared.last_arrival.replace(now);
            shared.longest_pause.set(shared.longest_pause.get().max(pause));
            shared.progressed.notify_one();
        }
    }
}
