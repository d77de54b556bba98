//! Tests of [`super`].

use super::*;

fn soon() -> Instant {
    Instant::now() + PACE_PATIENCE
}

fn frame(bytes: usize) -> Bytes {
    Bytes::from(vec![0; bytes])
}

async fn take(outbox: &Outbox) -> VecDeque<Bytes> {
    match outbox.next_departure().await {
        Departure::Frames(frames) => frames,
        Departure::Close(close) => panic!("closed: {close:?}"),
    }
}

#[tokio::test]
async fn what_piled_up_during_a_write_leaves_together_and_in_order() {
    let outbox = Outbox::default();
    for byte in 0..5_u8 {
        outbox.push(Bytes::copy_from_slice(&[byte]));
    }
    let frames = take(&outbox).await;
    assert_eq!(frames.iter().map(|frame| frame[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn what_was_queued_before_a_close_is_written_and_what_comes_after_is_not() {
    let outbox = Outbox::default();
    outbox.push(frame(1));
    outbox.close(Close::NORMAL);
    outbox.close(Close::SHUTTING_DOWN);
    outbox.push(frame(2));
    assert_eq!(take(&outbox).await.len(), 1);
    assert!(matches!(outbox.next_departure().await, Departure::Close(close) if close == Close::NORMAL));
}

#[tokio::test]
async fn an_outbox_that_overflows_frees_its_memory_and_closes_with_1008() {
    let outbox = Outbox::default();
    for _ in 0..OUTBOX_LIMIT_BYTES / PACE_MARK_BYTES {
        outbox.push(frame(PACE_MARK_BYTES));
    }
    outbox.push(frame(1));
    outbox.closed().await;
    assert!(
        matches!(outbox.next_departure().await, Departure::Close(close) if close == Close::SLOW_RECEIVER)
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_not_written_and_no_longer_counts() {
    let outbox = Outbox::default();
    let in_a_second = Some(Instant::now() + Duration::from_secs(1));
    let in_an_hour = Some(Instant::now() + Duration::from_secs(3600));
    outbox.push_parts([frame(1)], in_a_second);
    outbox.push_parts([frame(2), frame(3)], in_an_hour);
    outbox.push_parts([frame(PACE_MARK_BYTES), frame(5)], in_a_second);
    outbox.push(frame(6));
    tokio::time::advance(Duration::from_secs(1)).await;
    let written = take(&outbox).await;
    assert_eq!(written.iter().map(Bytes::len).collect::<Vec<_>>(), [2, 3, 6]);
    assert_eq!(outbox.push(frame(1)), Load::Light);
    outbox.push_parts([frame(1)], in_a_second);
    outbox.close(Close::NORMAL);
    assert_eq!(take(&outbox).await.len(), 1);
    assert!(matches!(outbox.next_departure().await, Departure::Close(_)));
}

#[tokio::test]
async fn frames_being_written_still_count() {
    let outbox = Outbox::default();
    assert_eq!(outbox.push(frame(PACE_MARK_BYTES)), Load::Light);
    take(&outbox).await;
    assert_eq!(outbox.push(frame(1)), Load::Heavy);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_waits_while_the_client_makes_headway() {
    let outbox = Outbox::default();
    outbox.push(frame(PACE_MARK_BYTES + 1));
    let catches_up = async {
        tokio::time::advance(PACE_PATIENCE / 2).await;
        let frames = take(&outbox).await;
        outbox.written(frames.len(), PACE_MARK_BYTES + 1);
    };
    tokio::join!(outbox.lightened(soon()), catches_up);
    assert_eq!(outbox.push(frame(PACE_MARK_BYTES + 1)), Load::Heavy);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_makes_no_headway_is_waited_for_once() {
    let outbox = Outbox::default();
    assert_eq!(outbox.push(frame(PACE_MARK_BYTES + 1)), Load::Heavy);
    outbox.lightened(soon()).await;
    assert_eq!(outbox.push(frame(1)), Load::Light);
    // Once it has caught up entirely, it is a client like any other.
    let frames = take(&outbox).await;
    outbox.written(frames.len(), PACE_MARK_BYTES + 2);
    assert_eq!(outbox.push(frame(PACE_MARK_BYTES + 1)), Load::Heavy);
}
