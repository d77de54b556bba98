//! Publisher: at the speed of the slowest subscriber, or at a fixed rate.

use std::time::{Duration, Instant};

use super::{
    FILLER,
    audience::Audience,
    connection::{Connection, Target},
    delays::Delays,
    protocol::{Protocol, Role},
};

/// Number of messages per block at maximum speed.
const BLOCK_MESSAGES: usize = 64;
/// Maximum number of blocks per write.
const BLOCKS: usize = 16;
/// Maximum number of in-flight bytes for all subscribers: some servers drop clients or messages with long queues.
const WINDOW_BYTES: u64 = 128 * 1024 * 1024;
/// Approximate size of a message.
const MESSAGE_BYTES: u64 = 200;
/// Interval of messages with a timestamp, so that parsing them is not the load. It is neither a power of ten nor of two, to
/// avoid correlation with other periods.
const MARKED_OF: u64 = 7;
/// Maximum number of messages per write at a fixed rate.
const MAX_DUE: usize = 1024;

/// Result of publishing at maximum speed.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    /// Number of messages, each of which arrived at all subscribers.
    pub messages: u64,
    /// Time from the first write to the last arrival.
    pub elapsed: Duration,
}

/// Publisher.
#[derive(Debug)]
pub struct Publisher {
    connection: Connection,
    protocol: Protocol,
}

impl Publisher {
    /// Connects the publisher.
    ///
    /// # Errors
    /// Fails if the connection is refused.
    pub async fn open(target: &Target) -> anyhow::Result<Self> {
        let connection = Connection::open(target, Role::Publisher).await?;
        Ok(Self { connection, protocol: target.protocol })
    }

    /// Publishes until a message arrives exactly once at each subscriber. Then resets the counts.
    ///
    /// # Errors
    /// Fails if no attempt succeeds.
    pub async fn wait_for_delivery(&mut self, audience: &Audience) -> anyhow::Result<()> {
        const ATTEMPTS: usize = 20;
        let mut frame = Vec::new();
        self.protocol.put_publications(&mut frame, &[FILLER]);
        for attempt in 1..=ATTEMPTS {
            tokio::time::sleep(Duration::from_millis(100)).await;
            audience.check()?;
            audience.reset();
            self.connection.send(&frame).await?;
            let delivered = tokio::time::timeout(Duration::from_secs(2), audience.reach(1)).await;
            // Longer than a late response to a handshake takes on one machine.
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.connection.receive_available().await?;
            match (delivered, audience.ensure_exactly(1)) {
                (Ok(Ok(())), Ok(())) => break,
                (Ok(Err(error)), _) | (_, Err(error)) if attempt == ATTEMPTS => return Err(error),
                _ => {}
            }
        }
        audience.reset();
        Ok(())
    }

    /// Publishes for `duration` at the speed of the slowest subscriber, and waits until all messages have arrived.
    /// At most `window` messages per subscriber are in flight.
    ///
    /// # Errors
    /// Fails if a message is lost.
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
            // Waits until a quarter of the window is free: many small writes would dominate the measurement.
            audience.reach((sent + window / 4).saturating_sub(window)).await?;
            let free_blocks = (audience.min_messages() + window).saturating_sub(sent) / BLOCK_MESSAGES as u64;
            let count = usize::try_from(free_blocks)?.clamp(1, BLOCKS);
            self.connection.send(blocks.get(..count * block_len).unwrap_or_default()).await?;
            sent += (count * BLOCK_MESSAGES) as u64;
            self.connection.receive_available().await?;
        }
        audience.reach(sent).await?;
        let elapsed = started.elapsed();
        audience.ensure_exactly(sent)?;
        Ok(Flood { messages: sent, elapsed })
    }

    /// Publishes `rate` messages per second for `duration`, one of [`MARKED_OF`] with the time at which it was due, so that
    /// delays of the publisher are included. Returns the number of messages with a timestamp.
    ///
    /// # Errors
    /// Fails if a message is lost.
    pub async fn publish_at_rate(
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
        let (mut sent, mut frames, mut messages) = (0, Vec::new(), Vec::with_capacity(MAX_DUE));
        while sent < total {
            let now = origin.elapsed();
            while sent < total && due_at(sent) <= now && messages.len() < MAX_DUE {
                let is_marked = sent % MARKED_OF == 0;
                messages.push(if is_marked { Delays::marked(due_at(sent)) } else { FILLER });
                sent += 1;
            }
            if messages.is_empty() {
                // A timer is too coarse. Busy waiting does not affect the server, which runs on another core.
                tokio::task::yield_now().await;
                continue;
            }
            self.protocol.put_publications(&mut frames, &messages);
            self.connection.send(&frames).await?;
            messages.clear();
            frames.clear();
            self.connection.receive_available().await?;
            audience.check()?;
        }
        audience.reach(sent).await?;
        audience.ensure_exactly(sent)?;
        Ok(sent.div_ceil(MARKED_OF))
    }
}
