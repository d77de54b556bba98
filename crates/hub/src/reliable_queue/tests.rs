use super::*;
use crate::outbox::NextWrite;

fn deadline() -> Instant {
    Instant::now() + std::time::Duration::from_secs(2)
}

fn message(text: &'static str) -> Unsequenced {
    Unsequenced::Json(Bytes::from_static(text.as_bytes()))
}

/// Returns the sequence ids queued for a socket, in order.
async fn ids(outbox: &Outbox) -> Vec<u64> {
    outbox.push(&EncodedFrame::from(b"}".to_vec()));
    let NextWrite::Frames(frames) = outbox.next_write(Instant::now).await else { panic!("closed") };
    let text = String::from_utf8_lossy(&frames.concat()).into_owned();
    let after =
        |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
    text.split("\"sequenceId\":").skip(1).map(after).collect()
}

#[tokio::test]
async fn a_new_socket_receives_unacknowledged_messages_before_new_ones() {
    let queue = ReliableQueue::default();
    let first = queue.attach(Instant::now()).unwrap();
    for position in [1, 5, 6] {
        queue.push(position, message("{\"a\":1"), None, Instant::now());
    }
    assert_eq!(ids(&first).await, [1, 5, 6]);
    queue.acknowledge(4);
    queue.detach(&first).unwrap();
    queue.push(7, message("{\"a\":1"), None, Instant::now());
    let second = queue.attach(Instant::now()).unwrap();
    queue.push(9, message("{\"a\":1"), None, Instant::now());
    assert_eq!(ids(&second).await, [5, 6, 7, 9]);
    // An ack beyond the last id clears the queue; an ack of an old id changes nothing.
    queue.acknowledge(99);
    queue.acknowledge(1);
    assert_eq!(ids(&queue.attach(Instant::now()).unwrap()).await, [0_u64; 0]);
}

#[tokio::test(start_paused = true)]
async fn expired_messages_are_not_sent_again_and_free_their_capacity() {
    let queue = ReliableQueue::default();
    let in_a_second = Some(Instant::now() + std::time::Duration::from_secs(1));
    let limit = UNACKNOWLEDGED_LIMIT as u64;
    queue.push(1, message("{\"a\":1"), None, Instant::now());
    for position in 2..=limit {
        queue.push(position, message("{\"a\":1"), in_a_second, Instant::now());
    }
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    queue.push(limit + 1, message("{\"a\":1"), None, Instant::now());
    assert!(!queue.has_ended());
    assert_eq!(ids(&queue.attach(Instant::now()).unwrap()).await, [1, limit + 1]);
}

#[tokio::test]
async fn one_message_beyond_the_limit_ends_the_connection_for_good() {
    let queue = ReliableQueue::default();
    let outbox = queue.attach(Instant::now()).unwrap();
    let limit = UNACKNOWLEDGED_LIMIT as u64;
    for position in 1..=limit {
        queue.push(position, message("{\"a\":1"), None, Instant::now());
    }
    assert!(!queue.has_ended());
    queue.push(limit + 1, message("{\"a\":1"), None, Instant::now());
    assert!(queue.has_ended() && queue.attach(Instant::now()).is_none());
    while let NextWrite::Frames(_) = outbox.next_write(Instant::now).await {}
}

#[tokio::test]
async fn a_fenced_socket_is_aborted_at_once() {
    let queue = ReliableQueue::default();
    let old = queue.attach(Instant::now()).unwrap();
    queue.push(1, message("{\"a\":1"), None, Instant::now());
    let ticket = queue.fence();
    assert!(queue.is_newest(ticket));
    assert_ne!(queue.fence(), ticket);
    assert!(!queue.is_newest(ticket));
    old.closed().await;
    assert!(old.was_aborted());
    // The aborted socket does not detach its successor.
    let new = queue.attach(Instant::now()).unwrap();
    assert_eq!(queue.detach(&old), None);
    let generation = queue.detach(&new).unwrap();
    assert!(queue.is_detached_since(generation));
    assert_eq!(ids(&queue.attach(Instant::now()).unwrap()).await, [1]);
    assert!(!queue.is_detached_since(generation));
}

#[tokio::test(start_paused = true)]
async fn publishers_wait_for_acknowledgements_but_not_for_detached_clients() {
    let queue = ReliableQueue::default();
    let outbox = queue.attach(Instant::now()).unwrap();
    let mark = UNACKNOWLEDGED_HIGH_WATER_MARK as u64;
    let results: Vec<Backpressure> = (1..=mark + 1)
        .map(|position| queue.push(position, message("{\"a\":1"), None, Instant::now()))
        .collect();
    assert_eq!(results.last(), Some(&Backpressure::Wait));
    tokio::join!(queue.wait_until_caught_up(deadline()), async { queue.acknowledge(400) });
    assert_eq!(queue.push(mark + 2, message("{\"a\":1"), None, Instant::now()), Backpressure::None);
    for position in mark + 3..mark + 503 {
        queue.push(position, message("{\"a\":1"), None, Instant::now());
    }
    queue.detach(&outbox).unwrap();
    queue.wait_until_caught_up(deadline()).await;
    assert_eq!(queue.push(mark + 503, message("{\"a\":1"), None, Instant::now()), Backpressure::None);
}

#[tokio::test]
async fn messages_are_counted_for_each_connection() {
    let queue = ReliableQueue::default();
    let outbox = queue.attach(Instant::now()).unwrap();
    queue.push(70, message("{\"a\":1"), None, Instant::now());
    queue.push(90, message("{\"a\":1"), None, Instant::now());
    outbox.push(&EncodedFrame::from(b"}".to_vec()));
    let NextWrite::Frames(frames) = outbox.next_write(Instant::now).await else { panic!("closed") };
    let text = String::from_utf8_lossy(&frames.concat()).into_owned();
    for tail in [r#","sequenceId":70,"deliveryCount":1}"#, r#","sequenceId":90,"deliveryCount":2}"#] {
        assert!(text.contains(tail), "{text}");
    }
}
