//! The one who sends: as much as an audience keeps up with, or at a fixed rate.

use std::time::{Duration, Instant};

use super::{
    FILLER,
    audience::Audience,
    connection::{Connection, Target},
    delays::Delays,
    protocol::{Part, Protocol},
};

/// Messages that are encoded, and sent, together when there is no end of them.
const BLOCK_MESSAGES: usize = 64;
/// Blocks in one write at most.
const BLOCKS: usize = 16;
/// Most bytes on their way to all subscribers together: some servers drop clients, and some messages, when much waits.
const WINDOW_BYTES: u64 = 128 * 1024 * 1024;
/// What a message takes, roughly.
const MESSAGE_BYTES: u64 = 200;
/// Of so many messages, one tells when it was due: reading times must not become the load. No power of ten or two, in
/// whose step something else may be.
const MARKED_OF: u64 = 7;
/// Most messages in one write at a fixed rate.
const MOST_DUE: usize = 1024;

/// What a flood came to.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    /// Messages sent, each of which arrived at every subscriber.
    pub messages: u64,
    /// From the first write to the last arrival.
    pub elapsed: Duration,
}

/// The publisher.
#[derive(Debug)]
pub struct Publisher {
    connection: Connection,
    protocol: Protocol,
}

impl Publisher {
    /// Connects it.
    ///
    /// # Errors
    /// When it is not accepted.
    pub async fn open(target: &Target) -> anyhow::Result<Self> {
        let connection = Connection::open(target, Part::Publisher).await?;
        Ok(Self { connection, protocol: target.protocol })
    }

    /// Waits until `audience` hears the publisher: all of it, and nothing else. Then counts from zero.
    ///
    /// # Errors
    /// When it does not.
    pub async fn be_heard(&mut self, audience: &Audience) -> anyhow::Result<()> {
        const ATTEMPTS: usize = 20;
        let mut frame = Vec::new();
        self.protocol.put_publications(&mut frame, &[FILLER]);
        for attempt in 1..=ATTEMPTS {
            tokio::time::sleep(Duration::from_millis(100)).await;
            audience.check()?;
            audience.reset();
            self.connection.send(&frame).await?;
            let heard = tokio::time::timeout(Duration::from_secs(2), audience.reach(1)).await;
            // Longer than any late answer to a handshake takes on one machine.
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.connection.receive_what_is_there().await?;
            match (heard, audience.ensure_exactly(1)) {
                (Ok(Ok(())), Ok(())) => break,
                (Ok(Err(error)), _) | (_, Err(error)) if attempt == ATTEMPTS => return Err(error),
                _ => {}
            }
        }
        audience.reset();
        Ok(())
    }

    /// Publishes for `duration`, as fast as the slowest subscriber receives, and waits until everything has arrived.
    /// At most `window` messages are on their way to anybody.
    ///
    /// # Errors
    /// When anything is lost.
    pub async fn flood(
        &mut self,
        audience: &Audience,
        window: u64,
        duration: Duration,
    ) -> anyhow::Result<Flood> {
        let mut blocks = Vec::new();
        for _ in 0..BLOCKS {
            self.protocol.put_publications(&mut blocks, &[FILLER; BLOCK_MESSAGES]);
        }
        let block_len = blocks.len() / BLOCKS;
        let window = (WINDOW_BYTES / MESSAGE_BYTES / audience.size() as u64).min(window);
        audience.reset();
        let started = Instant::now();
        let mut sent = 0;
        while started.elapsed() < duration {
            // Not sooner than a good part of the window is free: many small writes would measure writing.
            audience.reach((sent + window / 4).saturating_sub(window)).await?;
            let room = (audience.least() + window).saturating_sub(sent) / BLOCK_MESSAGES as u64;
            let count = usize::try_from(room)?.clamp(1, BLOCKS);
            self.connection.send(blocks.get(..count * block_len).unwrap_or_default()).await?;
            sent += (count * BLOCK_MESSAGES) as u64;
            self.connection.receive_what_is_there().await?;
        }
        audience.reach(sent).await?;
        let elapsed = started.elapsed();
        audience.ensure_exactly(sent)?;
        Ok(Flood { messages: sent, elapsed })
    }

    /// Publishes `rate` messages a second for `duration`, one of [`MARKED_OF`] marked with the time at which it was due:
    /// a publisher that is late counts against the server. Gives how many were marked, when all have arrived.
    ///
    /// # Errors
    /// When anything is lost.
    pub async fn keep_pace(
        &mut self,
        audience: &Audience,
        rate: f64,
        duration: Duration,
        origin: Instant,
    ) -> anyhow::Result<u64> {
        audience.reset();
        let began = origin.elapsed();
        let total = (rate * duration.as_secs_f64()) as u64;
        let due_at = |number: u64| began + Duration::from_secs_f64(number as f64 / rate);
        let (mut sent, mut frames, mut messages) = (0, Vec::new(), Vec::with_capacity(MOST_DUE));
        while sent < total {
            let now = origin.elapsed();
            while sent < total && due_at(sent) <= now && messages.len() < MOST_DUE {
                let is_marked = sent % MARKED_OF == 0;
                messages.push(if is_marked { Delays::marked(due_at(sent)) } else { FILLER });
                sent += 1;
            }
            if messages.is_empty() {
                // A timer is too coarse. Asking again and again keeps no server from its own core.
                tokio::task::yield_now().await;
                continue;
            }
            self.protocol.put_publications(&mut frames, &messages);
            self.connection.send(&frames).await?;
            messages.clear();
            frames.clear();
            self.connection.receive_what_is_there().await?;
            audience.check()?;
        }
        audience.reach(sent).await?;
        audience.ensure_exactly(sent)?;
        Ok(sent.div_ceil(MARKED_OF))
    }
}
