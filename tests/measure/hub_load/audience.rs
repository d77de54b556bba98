//! Those who receive: a task for each connection, all on one thread.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{sync::Notify, task::JoinHandle};

use super::{
    connection::{Connection, Target},
    delays::Delays,
    protocol::Part,
};

/// Handshakes under way at a time.
const OPENING_AT_A_TIME: usize = 64;
/// Room for one read.
const SCRATCH_BYTES: usize = 128 * 1024;
/// How long what is on its way may take to arrive.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);

/// What all receivers share.
#[derive(Debug)]
struct Board {
    /// Messages at each receiver.
    counts: Vec<Cell<u64>>,
    progressed: Notify,
    failure: RefCell<Option<anyhow::Error>>,
    scratch: RefCell<Box<[u8]>>,
    last_arrival: Cell<Instant>,
    longest_pause: Cell<Duration>,
    delays: RefCell<Option<Delays>>,
}

/// All subscribers of a measurement. Dropping it closes their connections.
#[derive(Debug)]
pub struct Audience {
    board: Rc<Board>,
    tasks: Vec<JoinHandle<()>>,
}

impl Audience {
    /// Connects `size` subscribers.
    ///
    /// # Errors
    /// When one is not accepted.
    pub async fn gather(target: &Target, size: usize) -> anyhow::Result<Self> {
        let board = Rc::new(Board {
            counts: vec![Cell::new(0); size],
            progressed: Notify::new(),
            failure: RefCell::new(None),
            scratch: RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice()),
            last_arrival: Cell::new(Instant::now()),
            longest_pause: Cell::new(Duration::ZERO),
            delays: RefCell::new(None),
        });
        let tasks = stream::iter(0..size)
            .map(|place| {
                let board = Rc::clone(&board);
                async move {
                    let connection = Connection::open(target, Part::Subscriber).await;
                    let connection = connection.with_context(|| format!("subscriber {place} of {size}"))?;
                    anyhow::Ok(tokio::task::spawn_local(attend(connection, board, place)))
                }
            })
            .buffer_unordered(OPENING_AT_A_TIME)
            .try_collect()
            .await?;
        Ok(Self { board, tasks })
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.board.counts.len()
    }

    /// Messages at the one that has fewest.
    pub fn least(&self) -> u64 {
        self.board.counts.iter().map(Cell::get).min().unwrap_or_default()
    }

    /// Messages at all of them together.
    pub fn total(&self) -> u64 {
        self.board.counts.iter().map(Cell::get).sum()
    }

    /// Counts from zero, with nothing on its way.
    pub fn reset(&self) {
        self.board.counts.iter().for_each(|count| count.set(0));
        self.board.last_arrival.set(Instant::now());
        self.board.longest_pause.set(Duration::ZERO);
    }

    /// Longest time since [`Self::reset`] in which nothing arrived at anybody.
    pub fn longest_pause(&self) -> Duration {
        self.board.longest_pause.get()
    }

    /// Looks for times in messages from now on, and keeps how old they were.
    pub fn time_messages(&self, delays: Delays) {
        self.board.delays.replace(Some(delays));
    }

    /// What [`Self::time_messages`] has brought.
    pub fn take_delays(&self) -> Option<Delays> {
        self.board.delays.take()
    }

    /// Fails when a subscriber has.
    ///
    /// # Errors
    /// The subscriber's.
    pub fn check(&self) -> anyhow::Result<()> {
        match self.board.failure.take() {
            Some(error) => Err(error.context("a subscriber failed")),
            None => Ok(()),
        }
    }

    /// Waits until each has `count` messages.
    ///
    /// # Errors
    /// When one failed, or messages stay away.
    pub async fn reach(&self, count: u64) -> anyhow::Result<()> {
        let reached = async {
            while self.least() < count {
                self.board.progressed.notified().await;
                self.check()?;
            }
            Ok(())
        };
        match tokio::time::timeout(ARRIVAL_LIMIT, reached).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let expected = count * self.size() as u64;
                let lost = self.board.counts.iter().map(|got| count.saturating_sub(got.get())).sum::<u64>();
                anyhow::bail!("{lost} of {expected} deliveries did not arrive")
            }
        }
    }

    /// Fails when anybody got more than `count` messages.
    ///
    /// # Errors
    /// When that is so.
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

async fn attend(mut connection: Connection, board: Rc<Board>, place: usize) {
    let mut remainder = Vec::new();
    loop {
        let before = connection.inbox.messages;
        let received = connection
            .receive(&board.scratch, |bytes| {
                if let Some(delays) = &mut *board.delays.borrow_mut() {
                    delays.look(bytes, &mut remainder);
                }
            })
            .await;
        if let Err(error) = received {
            board.failure.replace(Some(error));
            board.progressed.notify_one();
            return;
        }
        let arrived = connection.inbox.messages - before;
        if arrived > 0 {
            if let Some(count) = board.counts.get(place) {
                count.set(count.get() + arrived);
            }
            let now = Instant::now();
            let pause = now - board.last_arrival.replace(now);
            board.longest_pause.set(board.longest_pause.get().max(pause));
            board.progressed.notify_one();
        }
    }
}
