//! Waiting of a publisher for slow receivers: how long, and at whose expense.
//!
//! A receiver that reads slows its publisher down to its own speed, as a pipe does. A receiver that has stopped reading,
//! or reads less than [`allowance::MIN_BYTES_PER_SECOND`], may do so only for [`allowance::MAX_STALL`] in each [`allowance::STALL_PERIOD`], counted for all
//! receivers of a publisher together. So receivers that stall by turns gain nothing.
//!
//! After that, a receiver must prove within [`PROBE`] that it reads. [`allowance::MAX_PROBES`] receivers may fail to in each period;
//! then nobody is waited for until the next one.

use std::sync::Arc;

use tokio::time::Instant;

use crate::connection::ClientConnection;

mod allowance;

use allowance::PROBE;
pub(crate) use allowance::StallAllowance;

/// Receivers above their high-water mark that a publisher should wait for; see [`crate::outbox`]. Empty unless more
/// than half of the receivers are above it.
pub(crate) type SlowReceivers = Vec<Arc<ClientConnection>>;

impl StallAllowance {
    /// Waits until the receivers have caught up, or the allowance is used up. Then publishers no longer wait for those
    /// that have not.
    pub(crate) async fn wait_for(&mut self, receivers: SlowReceivers) {
        let started = Instant::now();
        let before: Vec<u64> = receivers.iter().map(|receiver| receiver.progress_bytes()).collect();
        for (receiver, before) in receivers.iter().zip(before) {
            // While others were waited for, it has proved already that it does not read.
            if started.elapsed() >= PROBE && receiver.progress_bytes() == before {
                receiver.stop_backpressure();
            } else {
                self.wait_for_one(receiver).await;
            }
        }
    }

    async fn wait_for_one(&mut self, receiver: &Arc<ClientConnection>) {
        loop {
            let (started, progress) = (Instant::now(), receiver.progress_bytes());
            let window = self.window(&receiver.id, started);
            let is_probe = self.left.is_zero();
            let has_caught_up = receiver.wait_until_caught_up(started + window).await;
            let read = receiver.progress_bytes().saturating_sub(progress);
            let has_stalled = self.charge(started.elapsed(), read);
            if has_caught_up {
                return;
            }
            // A receiver that reads fast enough is waited for again.
            if has_stalled || window.is_zero() {
                if is_probe {
                    self.record_failure(&receiver.id);
                }
                return receiver.stop_backpressure();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::{
        message::{Metadata, Response},
        payload::Payload,
        role::Permissions,
    };

    use std::time::Duration;

    use super::{
        allowance::{MAX_PROBES, MAX_STALL, STALL_PERIOD},
        *,
    };
    use crate::{
        broadcast::Broadcast,
        connection::{ConnectionId, WireFormat},
        hub::{Audience, Hub},
        outbox::HIGH_WATER_MARK_BYTES,
    };

    fn connect(hub: &Hub, format: WireFormat) -> Arc<ClientConnection> {
        let id = ConnectionId::random().unwrap();
        let connection = Arc::new(ClientConnection::new(id, None, format, Permissions::default()));
        hub.add(&connection);
        connection
    }

    fn publish(hub: &Hub, bytes: usize) -> SlowReceivers {
        let text = "x".repeat(bytes);
        let message = Response::ServerMessage {
            payload: Payload::Text(text.into()),
            sequence: None,
            metadata: Metadata::new(),
        };
        hub.fan_out(Audience::Everyone, None, |_| false, &mut Broadcast::new(&message, Instant::now()))
    }

    #[tokio::test(start_paused = true)]
    async fn receivers_that_stall_by_turns_delay_a_publisher_for_two_seconds_a_minute() {
        let hub = Hub::default();
        let receivers: Vec<_> = (0..3).map(|_| connect(&hub, WireFormat::Json)).collect();
        let outboxes: Vec<_> =
            receivers.iter().map(|receiver| receiver.attach(Instant::now()).unwrap()).collect();
        let (mut allowance, started) = (StallAllowance::default(), Instant::now());
        for turn in 0..30 {
            let waited_for = publish(&hub, HIGH_WATER_MARK_BYTES + 1);
            let reading = async {
                tokio::time::sleep(Duration::from_millis(1900)).await;
                for outbox in &outboxes {
                    outbox.write_all().await;
                }
            };
            if waited_for.is_empty() {
                reading.await;
            } else {
                tokio::join!(allowance.wait_for(waited_for), reading);
            }
            let waited = MAX_STALL - allowance.left;
            assert!(waited <= MAX_STALL && started.elapsed() < STALL_PERIOD, "turn {turn}: {waited:?}");
        }
        assert!(allowance.left.is_zero(), "stalls were not charged");
        assert!(allowance.failed.len() <= MAX_PROBES, "{} receivers are remembered", allowance.failed.len());
        assert_eq!(allowance.window(&receivers[0].id, started + STALL_PERIOD), MAX_STALL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_reads_slowly_but_steadily_keeps_its_publisher_at_its_own_speed() {
        let hub = Hub::default();
        let mut allowance = StallAllowance::default();
        // Another receiver has used up the time.
        let stopped = connect(&hub, WireFormat::Json);
        allowance.wait_for(publish(&hub, HIGH_WATER_MARK_BYTES + 1)).await;
        assert!(allowance.left.is_zero());
        let receiver = connect(&hub, WireFormat::Json);
        let outbox = receiver.attach(Instant::now()).unwrap();
        let reading = async {
            loop {
                let mut frames = outbox.take().await;
                while let Some(batch) = frames.take_batch() {
                    // 2 MiB a second.
                    tokio::time::sleep(Duration::from_millis(64)).await;
                    outbox.complete_write(&batch);
                }
            }
        };
        let publishing = async {
            let started = Instant::now();
            for _ in 0..1024 {
                allowance.wait_for(publish(&hub, 128 * 1024)).await;
            }
            started.elapsed()
        };
        let elapsed = tokio::select! {
            elapsed = publishing => elapsed,
            () = reading => unreachable!(),
        };
        assert!(elapsed > Duration::from_secs(50), "the publisher was not slowed down: {elapsed:?}");
        assert!(!receiver.is_ending(), "the receiver was disconnected");
        drop(stopped);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_has_caught_up_before_the_wait_has_not_failed() {
        let hub = Hub::default();
        let (_stopped, mut allowance) = (connect(&hub, WireFormat::Json), StallAllowance::default());
        allowance.wait_for(publish(&hub, HIGH_WATER_MARK_BYTES + 1)).await;
        let reader = connect(&hub, WireFormat::Json);
        for _ in 0..10 {
            let waited_for = publish(&hub, HIGH_WATER_MARK_BYTES + 1);
            assert_eq!(waited_for.len(), 1);
            reader.attach(Instant::now()).unwrap().write_all().await;
            allowance.wait_for(waited_for).await;
        }
        assert_eq!(allowance.failed, []);
    }

    #[tokio::test(start_paused = true)]
    async fn receivers_that_nobody_waits_for_do_not_hide_one_that_reads() {
        let hub = Hub::default();
        let stopped: Vec<_> = (0..5).map(|_| connect(&hub, WireFormat::Json)).collect();
        let mut allowance = StallAllowance::default();
        allowance.wait_for(publish(&hub, HIGH_WATER_MARK_BYTES + 1)).await;
        let reader = connect(&hub, WireFormat::Json);
        let waited_for = publish(&hub, HIGH_WATER_MARK_BYTES + 1);
        assert_eq!(waited_for.len(), 1);
        assert_eq!(waited_for[0].id, reader.id);
        drop(stopped);
    }

    #[tokio::test(start_paused = true)]
    async fn many_receivers_that_have_stopped_delay_a_publisher_no_longer_than_one() {
        let hub = Hub::default();
        let _stopped: Vec<_> = (0..20).map(|_| connect(&hub, WireFormat::Json)).collect();
        let (mut allowance, started) = (StallAllowance::default(), Instant::now());
        for _ in 0..6 {
            allowance.wait_for(publish(&hub, HIGH_WATER_MARK_BYTES / 2)).await;
        }
        assert_eq!(started.elapsed(), MAX_STALL);
    }
}
