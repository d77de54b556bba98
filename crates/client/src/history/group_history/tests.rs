use webpubsub_protocol::payload::Payload;

use super::*;
use crate::negotiate::{Answer, read_answer};

/// Returns an access in the run `run`.
fn access(run: &str) -> HistoryAccess {
    let body = r#"{"url":"ws://h/client/hubs/s?access_token=t","history":"http://h/history/hubs/s"}"#;
    let answer =
        Answer { status: 200, content_type: "application/json", retry_after: None, body: Some(body) };
    read_answer("http://h/negotiate", answer).unwrap().history_access(run.to_owned()).unwrap()
}

fn first() -> HistoryRange {
    HistoryStart::Last(100).into()
}

fn number(message: u64) -> MessageNumber {
    MessageNumber { message, line: 10 * message }
}

fn head(run: &str, oldest: Option<(u64, u64)>, next: u64) -> HistoryHead {
    let oldest =
        oldest.map(|(sequence_id, message)| HistoryPosition { sequence_id, number: number(message) });
    HistoryHead { run_id: run.to_owned(), oldest, next: number(next) }
}

fn held(sequence_id: u64) -> HeldMessage<()> {
    HeldMessage { sequence_id: Some(sequence_id), payload: Payload::Text("x".into()), arrived: () }
}

fn ids(messages: &[HeldMessage<()>]) -> Vec<u64> {
    messages.iter().filter_map(|message| message.sequence_id).collect()
}

fn connected(run: &str) -> GroupHistory<()> {
    let mut history = GroupHistory::default();
    history.connected(Some(&access(run)));
    history
}

#[test]
fn messages_that_arrive_while_earlier_ones_load_follow_them_once() {
    let mut history = connected("r");
    assert!(matches!(history.begin(first()).unwrap().start, HistoryStart::Last(100)));
    assert_eq!(history.begin(first()), None, "it is loading already");
    assert_eq!(history.disposition(Some(100)), Disposition::Hold);
    [7, 8, 9].into_iter().for_each(|id| history.hold(held(id)));
    history.head_loaded(&head("r", Some((5, 1)), 3));
    assert!(history.message_loaded(5, number(1)) && history.message_loaded(8, number(2)));
    let (follow, further) = history.caught_up(8);
    assert_eq!((ids(&follow), further), (vec![9], None));
    assert_eq!((history.disposition(Some(100)), history.take_missing()), (Disposition::Append, None));
}

#[test]
fn after_an_interruption_the_missed_messages_are_loaded_and_what_is_gone_is_counted() {
    let mut history = connected("r");
    history.begin(first());
    history.head_loaded(&head("r", Some((5, 1)), 2));
    history.message_loaded(5, number(1));
    history.caught_up(5);
    history.appended(Some(6));
    history.connected(Some(&access("r")));
    assert_eq!(history.begin(first()), Some(HistoryStart::After(6).into()));
    // Message 2 was shown; 3 and 4 are no longer kept.
    history.head_loaded(&head("r", Some((20, 5)), 6));
    assert_eq!(history.take_missing(), Some(Missing::Count(2)));
    assert!(history.message_loaded(20, number(5)) && !history.message_loaded(20, number(5)));
    history.caught_up(20);
    history.begin(first());
    history.head_loaded(&head("r", Some((20, 5)), 6));
    assert_eq!(history.take_missing(), None);
    history.caught_up(20);
    history.begin(first());
    history.head_loaded(&head("r", None, 9));
    assert_eq!(history.take_missing(), Some(Missing::Count(3)), "nothing is kept");
}

#[test]
fn positions_of_another_run_are_not_those_of_this_one() {
    let mut history = connected("old");
    history.begin(first());
    history.head_loaded(&head("old", Some((500, 1)), 2));
    history.message_loaded(500, number(1));
    history.caught_up(500);
    history.connected(Some(&access("new")));
    assert!(matches!(history.begin(first()).unwrap().start, HistoryStart::After(0)));
    history.hold(held(3));
    history.head_loaded(&head("new", Some((1, 1)), 3));
    assert_eq!(history.take_missing(), Some(Missing::Restart));
    assert!(history.message_loaded(1, number(1)) && history.message_loaded(2, number(2)));
    assert_eq!(ids(&history.caught_up(2).0), [3]);
}

#[test]
fn messages_that_cannot_be_held_are_loaded_again() {
    let mut history = connected("r");
    history.begin(first());
    history.head_loaded(&head("r", None, 1));
    for id in 1..=5 {
        let payload = Payload::Text("x".repeat(1024 * 1024).into());
        history.hold(HeldMessage { payload, ..held(id) });
    }
    let (follow, further) = history.caught_up(2);
    assert_eq!((ids(&follow), further), (vec![], Some(HistoryStart::After(2).into())));
    history.hold(held(6));
    history.head_loaded(&head("r", Some((1, 1)), 6));
    (3..=5).for_each(|id| assert!(history.message_loaded(id, number(id))));
    assert_eq!(ids(&history.caught_up(5).0), [6]);
}

#[test]
fn a_history_that_fails_holds_nothing_back() {
    let mut history = connected("r");
    history.begin(first());
    history.hold(held(4));
    assert_eq!(ids(&history.failed("no reason".into())), [4]);
    assert_eq!((history.disposition(Some(100)), history.failure()), (Disposition::Append, Some("no reason")));
    history.begin(first());
    assert_eq!(history.failure(), None);
    history.connected(None);
    assert!(history.is_unavailable() && history.begin(first()).is_none());
    assert_eq!(history.disposition(Some(100)), Disposition::Append);
}

#[test]
fn earlier_messages_are_asked_for_while_the_service_has_some() {
    let mut history = connected("r");
    history.begin(first());
    history.head_loaded(&head("r", Some((5, 3)), 9));
    history.message_loaded(8, number(6));
    assert!(history.has_before(8));
    assert_eq!(history.lines_gone(), 59);
    history.earlier_loaded(number(3));
    assert_eq!((history.has_before(5), history.lines_gone()), (false, 29));
}

#[test]
fn messages_that_the_service_dropped_while_it_sent_the_response_are_counted() {
    let mut history = connected("r");
    history.begin(first());
    history.head_loaded(&head("r", Some((5, 1)), 9));
    assert!(history.message_loaded(5, number(1)) && history.take_missing().is_none());
    assert!(history.message_loaded(20, number(4)));
    assert_eq!(history.take_missing(), Some(Missing::Count(2)));
    history.caught_up(30);
    assert_eq!(history.take_missing(), Some(Missing::Count(4)), "messages 5 to 8");
    history.appended(Some(31));
    history.begin(first());
    history.head_loaded(&head("r", Some((31, 9)), 10));
    assert_eq!(history.take_missing(), None, "the live message was number 9");
}

#[test]
fn messages_that_this_client_did_not_get_live_are_not_missing() {
    let mut history = connected("r");
    history.begin(first());
    history.head_loaded(&head("r", Some((5, 1)), 2));
    history.message_loaded(5, number(1));
    history.caught_up(5);
    // The client sent messages 2 and 3 without an echo, and got message 4.
    history.appended(Some(8));
    history.connected(Some(&access("r")));
    history.begin(first());
    history.head_loaded(&head("r", Some((5, 1)), 6));
    assert!(history.message_loaded(9, number(5)));
    history.caught_up(9);
    assert_eq!(history.take_missing(), None);
}

#[test]
fn messages_that_are_held_no_more_are_loaded_again_and_counted_if_they_are_gone() {
    let mut history = connected("r");
    history.begin(first());
    history.head_loaded(&head("r", Some((5, 1)), 4));
    for (sequence_id, message) in [(5, 1), (8, 2), (12, 3)] {
        assert!(history.message_loaded(sequence_id, number(message)));
    }
    history.caught_up(12);
    history.dropped_from(8, 2);
    assert_eq!(history.begin(first()), Some(HistoryStart::After(7).into()));
    history.head_loaded(&head("r", Some((12, 3)), 9));
    assert_eq!(history.take_missing(), Some(Missing::Count(1)), "message 2 is no longer kept");
    assert!(history.message_loaded(12, number(3)));
}

#[test]
fn a_live_message_that_arrives_after_the_response_that_contains_it_is_shown_once() {
    let mut history = connected("r");
    assert_eq!(history.disposition(Some(4)), Disposition::Hold, "the group may be joined already");
    history.hold(held(4));
    history.begin(first());
    history.head_loaded(&head("r", Some((3, 1)), 4));
    for (sequence_id, message) in [(3, 1), (4, 2), (5, 3)] {
        assert!(history.message_loaded(sequence_id, number(message)));
    }
    assert_eq!(ids(&history.caught_up(6).0), [0; 0]);
    assert_eq!(history.disposition(Some(5)), Disposition::Skip);
    assert_eq!(history.disposition(Some(7)), Disposition::Append);
    // Ids of another run are others.
    history.connected(Some(&access("new")));
    assert_eq!(history.begin(first()), Some(HistoryStart::After(0).into()), "everything is new");
    history.head_loaded(&head("new", Some((1, 1)), 3));
    assert_eq!(history.take_missing(), Some(Missing::Restart));
    assert!(history.message_loaded(1, number(1)) && history.message_loaded(2, number(2)));
    history.caught_up(2);
    assert_eq!(history.disposition(Some(3)), Disposition::Append);
}
