use std::time::Duration;

use bytes::Bytes;

use super::{backlog::WriteBatch, frame::COPIED_BYTES, *};
use crate::memory::MemoryBudget;

const TIMEOUT: Duration = Duration::from_secs(2);

fn deadline() -> Instant {
    Instant::now() + TIMEOUT
}

fn frame(bytes: usize) -> EncodedFrame {
    EncodedFrame::from(vec![0; bytes])
}

#[tokio::test]
async fn frames_queued_during_a_write_are_written_together_in_order() {
    let outbox = Outbox::default();
    for byte in 0..5_u8 {
        outbox.push(&EncodedFrame::from(vec![byte]));
    }
    let batch = outbox.take().await.take_batch().unwrap();
    assert_eq!(batch.slices().collect::<Vec<_>>(), [[0, 1, 2, 3, 4]]);
}

#[tokio::test]
async fn frames_queued_before_a_close_are_written_and_later_ones_are_dropped() {
    let outbox = Outbox::default();
    outbox.push(&frame(1));
    outbox.close(Close::NORMAL);
    outbox.close(Close::SHUTTING_DOWN);
    outbox.push(&frame(2));
    assert_eq!(outbox.take_all().await, [0]);
    assert!(
        matches!(outbox.next_write(Instant::now).await, NextWrite::Close(close) if close == Close::NORMAL)
    );
}

#[tokio::test]
async fn an_outbox_at_its_limit_frees_its_memory_and_closes_with_1008() {
    let outbox = Outbox::default();
    for _ in 0..OUTBOX_LIMIT_BYTES / HIGH_WATER_MARK_BYTES {
        outbox.push(&frame(HIGH_WATER_MARK_BYTES));
    }
    outbox.push(&frame(1));
    outbox.closed().await;
    assert!(
        matches!(outbox.next_write(Instant::now).await, NextWrite::Close(close) if close == Close::SLOW_RECEIVER)
    );
}

#[tokio::test(start_paused = true)]
async fn expired_frames_are_not_written_and_free_their_capacity() {
    let outbox = Outbox::default();
    let in_a_second = Some(Instant::now() + Duration::from_secs(1));
    let in_an_hour = Some(Instant::now() + Duration::from_secs(3600));
    let (long, longer) = (Bytes::from(vec![0; 2000]), Bytes::from(vec![0; HIGH_WATER_MARK_BYTES]));
    outbox.push_until(&frame(1), in_a_second);
    outbox.push_parts(FrameParts { head: &[0; 2], body: &long, tail: &[0; 3] }, in_an_hour);
    outbox.push_parts(FrameParts { head: &[0; 4], body: &longer, tail: &[0; 5] }, in_a_second);
    outbox.push(&frame(6));
    tokio::time::advance(Duration::from_secs(1)).await;
    let batch = outbox.take().await.take_batch().unwrap();
    assert_eq!(batch.slices().map(<[u8]>::len).collect::<Vec<_>>(), [2, 2000, 3, 6]);
    assert_eq!(outbox.push(&frame(1)), Backpressure::None);
    outbox.push_until(&frame(1), in_a_second);
    outbox.close(Close::NORMAL);
    assert_eq!(outbox.take_all().await, [0]);
    assert!(matches!(outbox.next_write(Instant::now).await, NextWrite::Close(_)));
}

#[tokio::test]
async fn frames_being_written_count_toward_the_high_water_mark() {
    let outbox = Outbox::default();
    assert_eq!(outbox.push(&frame(HIGH_WATER_MARK_BYTES)), Backpressure::None);
    outbox.take().await;
    assert_eq!(outbox.push(&frame(1)), Backpressure::Wait);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_waits_while_the_client_catches_up() {
    let outbox = Outbox::default();
    outbox.push(&frame(HIGH_WATER_MARK_BYTES + 1));
    let catches_up = async {
        tokio::time::advance(TIMEOUT / 2).await;
        outbox.write_all().await;
    };
    tokio::join!(outbox.wait_until_caught_up(deadline()), catches_up);
    assert_eq!(outbox.push(&frame(HIGH_WATER_MARK_BYTES + 1)), Backpressure::Wait);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_delays_publishers_once() {
    let outbox = Outbox::default();
    assert_eq!(outbox.push(&frame(HIGH_WATER_MARK_BYTES + 1)), Backpressure::Wait);
    assert!(!outbox.wait_until_caught_up(deadline()).await);
    outbox.stop_backpressure();
    assert_eq!(outbox.push(&frame(1)), Backpressure::Slow);
    // A client that has caught up entirely is not slow any more.
    outbox.write_all().await;
    assert_eq!(outbox.push(&frame(HIGH_WATER_MARK_BYTES + 1)), Backpressure::Wait);
}

#[tokio::test]
async fn short_frames_are_copied_into_buffers_and_long_ones_are_shared() {
    let (one, other) = (Outbox::default(), Outbox::default());
    let long = frame(COPIED_BYTES + 1);
    for outbox in [&one, &other] {
        for frame in [&frame(COPIED_BYTES), &frame(1), &long, &frame(2)] {
            outbox.push(frame);
        }
    }
    let batch = async |outbox: &Outbox| outbox.take().await.take_batch().unwrap();
    let (one, other) = (batch(&one).await, batch(&other).await);
    let lengths: Vec<usize> = one.slices().map(<[u8]>::len).collect();
    assert_eq!(lengths, [COPIED_BYTES + 1, COPIED_BYTES + 1, 2]);
    let second = |batch: &WriteBatch| batch.slices().nth(1).unwrap().as_ptr();
    assert_eq!(second(&one), second(&other));
    assert_eq!(one.cost, lengths.iter().sum::<usize>());
}

#[tokio::test(start_paused = true)]
async fn waiting_readers_continue_when_the_frames_above_the_mark_expire() {
    let outbox = Outbox::default();
    outbox.push_until(&frame(HIGH_WATER_MARK_BYTES + 1), Some(Instant::now() + Duration::from_secs(1)));
    outbox.push(&frame(1));
    let expires = async {
        tokio::time::advance(Duration::from_secs(1)).await;
        outbox.write_all().await;
    };
    let both = async { tokio::join!(outbox.wait_for_capacity(), expires) };
    tokio::time::timeout(TIMEOUT, both).await.expect("it waits for ever");
}

#[tokio::test]
async fn the_memory_of_a_queue_is_charged_and_given_back() {
    let budget = MemoryBudget::default();
    let outbox = Outbox::new(&budget.client(false));
    outbox.push(&frame(1000));
    assert_eq!(budget.used(), 0, "a short queue is covered by the connection");
    for _ in 0..100 {
        outbox.push(&frame(1000));
    }
    assert!((96_000..120_000).contains(&budget.used()), "{}", budget.used());
    let mut frames = outbox.take().await;
    assert!(budget.used() >= 96_000, "frames that are being written are charged");
    while let Some(batch) = frames.take_batch() {
        outbox.complete_write(&batch);
    }
    assert_eq!(budget.used(), 0);
    for _ in 0..100 {
        outbox.push(&frame(1000));
    }
    drop(outbox);
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn a_long_frame_for_one_client_is_charged_while_it_waits() {
    let budget = MemoryBudget::default();
    let outbox = Outbox::new(&budget.client(false));
    outbox.push(&frame(1_000_000));
    assert!(budget.used() >= 1_000_000, "{}", budget.used());
    outbox.write_all().await;
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn an_outbox_that_cannot_grow_drops_its_frames_and_closes_with_1008() {
    let budget = MemoryBudget::new(32 * 1024 * 1024);
    let outbox = Outbox::new(&budget.client(false));
    for _ in 0..10 {
        outbox.push(&frame(1000));
    }
    let others = budget.charge(budget.limit());
    for _ in 0..20 {
        outbox.push(&frame(1000));
    }
    outbox.push(&frame(1000));
    outbox.closed().await;
    assert!(
        matches!(outbox.next_write(Instant::now).await, NextWrite::Close(close) if close == Close::SLOW_RECEIVER)
    );
    drop((others, outbox));
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn an_outbox_whose_socket_has_ended_holds_no_memory() {
    let budget = MemoryBudget::default();
    let outbox = Outbox::new(&budget.client(false));
    for _ in 0..100 {
        outbox.push(&frame(1000));
    }
    outbox.take().await;
    for _ in 0..100 {
        outbox.push(&frame(1000));
    }
    outbox.close(Close::NORMAL);
    outbox.clear();
    outbox.push(&frame(1000));
    assert_eq!(budget.used(), 0);
}
