use std::sync::Arc;

use webpubsub_protocol::role::Permissions;

use super::*;
use crate::{
    connection::{ConnectionId, WireFormat},
    memory::MemoryBudget,
};

#[tokio::test]
async fn other_tasks_run_between_two_reads_from_a_busy_client() {
    let id = ConnectionId::random().unwrap();
    let connection = ClientConnection::new(id, None, WireFormat::Simple, Permissions::default());
    let outbox = Outbox::default();
    // A masked message of 100 bytes. There is always another one to read.
    let message = [b"\x82\xE4\0\0\0\0", &[0; 100][..]].concat();
    let reads = 4;
    let messages = message.repeat(reads * BUSY_READ_BYTES / message.len());
    let mut inbox = Inbox::new(&messages[..], &connection, &outbox, false);
    let turns = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let other = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    while let InboxEvent::Message(_) = inbox.next(|| None).await {}
    other.abort();
    assert!(turns.load(std::sync::atomic::Ordering::Relaxed) >= reads);
}
/// Reader that yields the given bytes, then waits for ever.
struct Stalled<'b>(&'b [u8]);

impl AsyncRead for Stalled<'_> {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        if self.0.is_empty() {
            return std::task::Poll::Pending;
        }
        let (now, later) = self.0.split_at(self.0.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.0 = later;
        std::task::Poll::Ready(Ok(()))
    }
}

fn client(roles: &[&str]) -> ClientConnection {
    let id = ConnectionId::random().unwrap();
    ClientConnection::new(id, None, WireFormat::Json, Permissions::from_roles(roles.iter().copied()))
}

/// Beginning of a masked binary message of `len` bytes.
fn begun(len: u32) -> Vec<u8> {
    [b"\x82\xFF\0\0\0\0", &len.to_be_bytes()[..], b"\0\0\0\0", &[7; 100_000][..]].concat()
}

#[tokio::test(start_paused = true)]
async fn a_message_that_does_not_end_in_time_ends_the_connection() {
    let (budget, bytes) = (MemoryBudget::default(), begun(1_000_000));
    let connection = client(&["webpubsub.sendToGroup"]).with_budget(&budget);
    let outbox = Outbox::default();
    let started = Instant::now();
    let mut inbox = Inbox::new(Stalled(&bytes), &connection, &outbox, false);
    let end = inbox.next(|| None).await;
    assert!(matches!(end, InboxEvent::End(close, SocketEnd::Final) if close == Close::MESSAGE_TIMEOUT));
    assert_eq!(started.elapsed(), MESSAGE_TIMEOUT);
    assert!(budget.used() >= 100_000, "{}", budget.used());
    drop(inbox);
    assert_eq!(budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn pings_between_fragments_do_not_extend_the_time_of_a_message() {
    let (connection, outbox) = (client(&[]), Outbox::default());
    // The first fragment of a message, then a ping.
    let bytes = [b"\x01\x81\0\0\0\0x", &b"\x89\x80\0\0\0\0"[..]].concat();
    let mut inbox = Inbox::new(Stalled(&bytes), &connection, &outbox, false);
    let started = Instant::now();
    let end = inbox.next(|| None).await;
    assert!(matches!(end, InboxEvent::End(close, _) if close == Close::MESSAGE_TIMEOUT));
    assert_eq!(started.elapsed(), MESSAGE_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn only_clients_that_may_publish_send_long_messages() {
    let long = begun(100_000);
    let end = async |roles: &[&str], accepts_large_events| {
        let (connection, outbox) = (client(roles), Outbox::default());
        let mut inbox = Inbox::new(Stalled(&long), &connection, &outbox, accepts_large_events);
        inbox.next(|| None).await
    };
    let viewer = end(&["webpubsub.joinLeaveGroup"], false).await;
    assert!(matches!(viewer, InboxEvent::End(close, _) if close == Close::TOO_LARGE));
    let publisher = end(&["webpubsub.sendToGroup.logs"], false).await;
    assert!(matches!(publisher, InboxEvent::Message(MessageKind::Binary)));
    let sender_of_events = end(&[], true).await;
    assert!(matches!(sender_of_events, InboxEvent::Message(MessageKind::Binary)));
}

#[tokio::test(start_paused = true)]
async fn a_message_for_which_there_is_no_memory_is_refused() {
    let budget = MemoryBudget::new(crate::memory::MIN_MEMORY_LIMIT_BYTES);
    let connection = client(&["webpubsub.sendToGroup"]).with_budget(&budget);
    let outbox = Outbox::default();
    let _others = budget.charge(budget.limit() - 10_000);
    let bytes = begun(1_000_000);
    let mut inbox = Inbox::new(Stalled(&bytes), &connection, &outbox, false);
    let end = inbox.next(|| None).await;
    assert!(matches!(end, InboxEvent::End(close, _) if close == Close::OUT_OF_MEMORY));
}

#[tokio::test(start_paused = true)]
async fn violations_have_their_close_codes_before_the_message_ends() {
    let cases: [(&[u8], Close); 4] = [
        // A reserved opcode, and a continuation of nothing.
        (b"\x83\xFE\xFF\xFF\0\0\0\0", Close::INVALID_FRAME),
        (b"\x80\xFE\xFF\xFF\0\0\0\0", Close::INVALID_FRAME),
        // Text that is not UTF-8, in a fragment and in a part of a frame.
        (b"\x01\x81\0\0\0\0\xFF", Close::INVALID_UTF8),
        (b"\x81\xFE\xFF\xFF\0\0\0\0abc\xFF", Close::INVALID_UTF8),
    ];
    for (bytes, expected) in cases {
        let (connection, outbox) = (client(&["webpubsub.sendToGroup"]), Outbox::default());
        let mut inbox = Inbox::new(Stalled(bytes), &connection, &outbox, false);
        let end = inbox.next(|| None).await;
        assert!(matches!(end, InboxEvent::End(close, SocketEnd::Final) if close == expected), "{bytes:x?}");
    }
}
