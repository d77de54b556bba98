use std::time::Duration;

use proptest::prelude::*;
use webpubsub_protocol::{
    history::{HistoryMessage, MessageNumber},
    message::{Metadata, Sequence},
};

use super::*;
use crate::history::MAX_GROUPS;

const HUB: HubNumber = 3;

fn message(group: &str, text: &str) -> Response<'static> {
    Response::GroupMessage {
        group: group.to_owned().into(),
        from_user_id: None,
        payload: Payload::Text(text.to_owned().into()),
        sequence: None,
        metadata: Metadata::new(),
        stream: None,
    }
}

fn seconds(seconds: u64) -> u64 {
    seconds * 1_000
}

/// Ring of one hub, with positions that ascend by one.
struct TestRing {
    ring: Ring,
    position: u64,
}

impl TestRing {
    fn new(max_age_ms: u64, max_bytes: usize) -> Self {
        let retention = Retention { max_age: Duration::from_millis(max_age_ms), max_bytes };
        Self { ring: Ring::new(retention, MemoryBudget::default()), position: 0 }
    }

    fn append(&mut self, group: &str, text: &str, at_ms: u64) {
        self.append_with_expiry(group, text, at_ms, None);
    }

    fn append_with_expiry(&mut self, group: &str, text: &str, at_ms: u64, expires_at_ms: Option<u64>) {
        let message = message(group, text);
        let stored = StoredMessage::new(&message).unwrap();
        self.position += 1;
        let at = HistoryTime { since_start_ms: at_ms, unix_ms: 7 };
        let facts = RecordFacts { position: self.position, group: 0, at, line: 0, expires_at_ms };
        self.ring.append((HUB, group), &stored, count_lines(&message), facts);
    }

    /// Returns position, number, line and text of the messages in a range.
    fn read(&self, group: &str, range: &HistoryRange, now: u64) -> Vec<(u64, u64, u64, String)> {
        let after = self.ring.start_of(HUB, group, range);
        let messages = self.ring.read((HUB, group), (after, range.before), (now, usize::MAX));
        messages.into_iter().map(flat).collect()
    }

    fn positions(&self, group: &str, range: &HistoryRange) -> Vec<u64> {
        self.read(group, range, 0).into_iter().map(|message| message.0).collect()
    }
}

fn flat(message: HistoryMessage<'static>) -> (u64, u64, u64, String) {
    let HistoryMessage { message, number, .. } = message;
    let Response::GroupMessage { payload: Payload::Text(text), sequence: Some(Sequence { id, .. }), .. } =
        message
    else {
        panic!("another message: {message:?}")
    };
    (id, number.message, number.line, text.into_owned())
}

fn from(start: RangeStart) -> HistoryRange {
    HistoryRange { start, before: None, max_bytes: usize::MAX }
}

#[test]
fn a_range_starts_at_a_count_a_position_or_a_time() {
    let mut ring = TestRing::new(seconds(60), 1 << 20);
    for second in 1..=5 {
        ring.append("g", "one\ntwo\n", seconds(second));
        ring.append("other", "x", seconds(second));
    }
    // Positions of `g`: 1, 3, 5, 7, 9.
    assert_eq!(ring.positions("g", &from(RangeStart::Last(2))), [7, 9]);
    assert_eq!(ring.positions("g", &from(RangeStart::Last(9))), [1, 3, 5, 7, 9]);
    assert_eq!(ring.positions("g", &from(RangeStart::After(4))), [5, 7, 9]);
    assert_eq!(ring.positions("g", &from(RangeStart::After(9))), [0_u64; 0]);
    assert_eq!(ring.positions("g", &from(RangeStart::Since(seconds(4)))), [7, 9]);
    let before = HistoryRange { before: Some(7), ..from(RangeStart::Last(2)) };
    assert_eq!(ring.positions("g", &before), [3, 5]);
    assert_eq!(ring.positions("unknown", &from(RangeStart::Last(2))), [0_u64; 0]);
    let small = HistoryRange { max_bytes: 17, ..from(RangeStart::Last(9)) };
    assert_eq!(ring.positions("g", &small), [7, 9], "the newest that fit");
    let smallest = HistoryRange { max_bytes: 1, ..from(RangeStart::Last(9)) };
    assert_eq!(ring.positions("g", &smallest), [9], "at least one");
    let message = ring.read("g", &from(RangeStart::Last(1)), 0);
    assert_eq!(message, [(9, 5, 9, "one\ntwo\n".to_owned())], "five messages of two lines");
    let state = ring.ring.state(HUB, "g");
    assert_eq!(state.next, MessageNumber { message: 6, line: 11 });
    assert_eq!(state.oldest.unwrap().sequence_id, 1);
}

#[test]
fn other_hubs_have_groups_of_their_own() {
    let mut ring = TestRing::new(seconds(60), 1 << 20);
    ring.append("g", "x", seconds(1));
    assert_eq!(ring.ring.state(HUB + 1, "g"), GroupState::default());
    ring.ring.forget_hub(HUB);
    assert_eq!(ring.ring.state(HUB, "g"), GroupState::default());
    assert_eq!((ring.ring.counts().groups, ring.ring.counts().messages), (0, 0));
}

#[test]
fn messages_beyond_the_age_or_the_size_are_dropped_and_counted() {
    let mut ring = TestRing::new(seconds(60), 1 << 20);
    let text = "x".repeat(1000);
    for second in 0..5_000 {
        ring.append("g", &text, second);
    }
    let counts = ring.ring.counts();
    assert!(counts.bytes <= 1 << 20 && counts.messages > 800, "{counts:?}");
    assert_eq!(counts.dropped_messages + counts.messages as u64, 5_000);
    let oldest = ring.ring.state(HUB, "g").oldest.unwrap();
    assert_eq!(oldest.number.message, counts.dropped_messages + 1);
    assert_eq!(oldest.sequence_id, counts.dropped_messages + 1);
    ring.ring.drop_expired(seconds(66));
    assert_eq!((ring.ring.counts().messages, ring.ring.counts().dropped_messages), (0, 5_000));
    assert_eq!(ring.ring.state(HUB, "g").next.message, 5_001, "the count goes on");
}

#[test]
fn a_message_that_does_not_fit_the_ring_is_counted_as_dropped() {
    let mut ring = TestRing::new(seconds(60), 1 << 20);
    ring.append("g", "before", seconds(1));
    ring.append("g", &"x".repeat(2 << 20), seconds(1));
    ring.append("g", "behind", seconds(1));
    let read = ring.read("g", &from(RangeStart::Last(9)), 0);
    assert_eq!(read, [(3, 3, 3, "behind".to_owned())]);
}

#[test]
fn expired_messages_are_not_read() {
    let mut ring = TestRing::new(seconds(60), 1 << 20);
    ring.append_with_expiry("g", "short", seconds(1), Some(seconds(3)));
    ring.append("g", "long", seconds(1));
    let texts = |now| {
        let read = ring.read("g", &from(RangeStart::Last(9)), seconds(now));
        read.into_iter().map(|message| message.3).collect::<Vec<_>>()
    };
    assert_eq!((texts(2), texts(3)), (vec!["short".to_owned(), "long".into()], vec!["long".to_owned()]));
}

#[test]
fn the_least_recently_used_groups_are_forgotten() {
    let mut ring = TestRing::new(seconds(60), 64 << 20);
    ring.append("kept", "first", seconds(1));
    for number in 0..MAX_GROUPS - 1 {
        ring.append(&number.to_string(), "x", seconds(1));
    }
    ring.append("kept", "second", seconds(1));
    ring.append("one more", "x", seconds(1));
    let counts = ring.ring.counts();
    assert_eq!(counts.forgotten_groups, MAX_GROUPS as u64 / 8);
    assert_eq!(counts.groups, MAX_GROUPS - MAX_GROUPS / 8 + 1);
    assert_eq!(ring.positions("kept", &from(RangeStart::Last(9))).len(), 2);
    assert_eq!(ring.ring.state(HUB, "0"), GroupState::default());
    // A number that is used again has the messages of the new group only.
    assert_eq!(ring.positions("one more", &from(RangeStart::Last(9))).len(), 1);
    ring.ring.drop_expired(seconds(1_000));
    assert_eq!(ring.ring.counts().messages, 0);
}

#[test]
fn groups_take_at_most_a_quarter_and_those_with_messages_stay() {
    let mut ring = TestRing::new(seconds(60), 1 << 20);
    let name = "n".repeat(1_000);
    for number in 0..5_000 {
        ring.append(&format!("{name}{number}"), "x", seconds(1));
    }
    let text = "x".repeat(1_000);
    for _ in 0..2_000 {
        ring.append("g", &text, seconds(1));
    }
    let read = ring.positions("g", &from(RangeStart::Last(2_000))).len();
    assert!(read > 600, "{read} messages are left");
    // Short messages of many groups have a large index, which the oldest block gives back.
    let mut ring = TestRing::new(seconds(60), 1 << 20);
    for number in 0..100_000 {
        ring.append(&(number % 400).to_string(), "x", seconds(1));
    }
    assert_eq!(ring.ring.counts().forgotten_groups, 0);
}

#[test]
fn memory_is_charged_and_given_back_oldest_first() {
    let budget = MemoryBudget::new(32 << 20);
    let retention = Retention { max_age: Duration::from_secs(60), max_bytes: 8 << 20 };
    let mut ring = TestRing { ring: Ring::new(retention, budget.clone()), position: 0 };
    let text = "x".repeat(10_000);
    for _ in 0..2_000 {
        ring.append("g", &text, seconds(1));
    }
    let used = budget.used();
    assert!(used > 7 << 20 && used <= 8 << 20, "{used} bytes are charged");
    let before = ring.ring.state(HUB, "g").oldest.unwrap().sequence_id;
    assert!(ring.ring.shrink(2 << 20) >= 2 << 20);
    assert!(budget.used() <= used - (2 << 20));
    assert!(ring.ring.state(HUB, "g").oldest.unwrap().sequence_id > before);
    ring.ring.shrink(usize::MAX);
    assert_eq!(budget.used(), 0);
    // Where memory is short, the ring replaces its oldest messages, and takes no more.
    let _others = budget.charge(27 << 20);
    for _ in 0..2_000 {
        ring.append("g", &text, seconds(1));
    }
    assert!(budget.used() <= 28 << 20, "{} bytes are charged", budget.used());
    assert!(!ring.positions("g", &from(RangeStart::Last(9))).is_empty());
}

#[test]
fn groups_without_messages_are_forgotten_after_a_day_or_the_age_of_the_history() {
    let day = MIN_GROUP_AGE_MS;
    for (age, forgotten_after) in [(seconds(60), day), (2 * day, 2 * day)] {
        let mut ring = TestRing::new(age, 16 << 20);
        for group in 0..5_000 {
            ring.append(&group.to_string(), "x", 0);
        }
        ring.append("later", "x", seconds(10));
        ring.ring.drop_expired(forgotten_after);
        assert!(age == forgotten_after || ring.ring.counts().messages == 0);
        let counts = ring.ring.counts();
        assert!(counts.groups == 5_001 && counts.bytes > 0, "the counts of messages go on");
        ring.ring.drop_expired(forgotten_after * 2);
        let counts = ring.ring.counts();
        assert_eq!((counts.groups, counts.bytes, counts.forgotten_groups), (0, 0, 0));
        assert_eq!(ring.ring.state(HUB, "later").next.message, 1);
    }
}

proptest! {
    /// The newest messages of each group are there, complete and in order, and the index never disagrees with the blocks.
    #[test]
    fn the_ring_holds_a_suffix_of_every_group(
        steps in prop::collection::vec((0..4_u8, 0..60_000_usize, 0..5_u64), 1..200), piece in 1..200_000_usize,
    ) {
        let mut ring = TestRing::new(seconds(30), 1 << 20);
        let mut published: Vec<Vec<(u64, usize)>> = vec![Vec::new(); 4];
        let mut now = 0;
        for (group, len, pause) in steps {
            now += seconds(pause);
            ring.append(&group.to_string(), &"y".repeat(len), now);
            published[usize::from(group)].push((ring.position, len));
            prop_assert!(ring.ring.counts().bytes <= 1 << 20);
        }
        ring.ring.drop_expired(now);
        for (group, published) in published.iter().enumerate() {
            let group = group.to_string();
            let state = ring.ring.state(HUB, &group);
            prop_assert_eq!(state.next.message, published.len() as u64 + 1);
            let mut read = Vec::new();
            let mut after = 0;
            loop {
                let messages = ring.ring.read((HUB, &group), (after, None), (now, piece));
                if messages.is_empty() {
                    break;
                }
                read.extend(messages.into_iter().map(flat).map(|(position, _, _, text)| (position, text.len())));
                after = read.last().unwrap().0;
            }
            let dropped = published.len() - read.len();
            prop_assert_eq!(&published[dropped..], &read[..]);
            prop_assert_eq!(state.oldest.map(|oldest| oldest.number.message), (!read.is_empty()).then_some(dropped as u64 + 1));
        }
    }

    /// A range has the messages that a search through all of them finds.
    #[test]
    fn ranges_are_those_of_a_plain_search(
        steps in prop::collection::vec((0..3_u8, 0..20_000_usize, 0..5_u64), 1..150),
        start in prop_oneof![
            (0..60_u64).prop_map(RangeStart::Last),
            (0..160_u64).prop_map(RangeStart::After),
            (0..400_u64).prop_map(|second| RangeStart::Since(seconds(second))),
        ],
        before in prop::option::of(0..160_u64),
        max_bytes in prop_oneof![Just(usize::MAX), 0..200_000_usize],
    ) {
        let mut ring = TestRing::new(seconds(10_000), 1 << 20);
        let mut published = Vec::new();
        let mut now = 0;
        for (group, len, pause) in steps {
            now += seconds(pause);
            ring.append(&group.to_string(), &"y".repeat(len), now);
            if group == 0 {
                published.push((ring.position, len, now));
            }
        }
        let retained = ring.positions("0", &from(RangeStart::After(0))).len();
        published.drain(..published.len() - retained);
        published.retain(|(position, ..)| before.is_none_or(|before| *position < before));
        let first = match start {
            RangeStart::Last(count) => published.len().saturating_sub(usize::try_from(count).unwrap()),
            RangeStart::After(after) => published.partition_point(|(position, ..)| *position <= after),
            RangeStart::Since(time) => published.partition_point(|(.., at)| *at < time),
        };
        let mut expected = published.split_off(first);
        while expected.len() > 1 && expected.iter().map(|(_, len, _)| len).sum::<usize>() > max_bytes {
            expected.remove(0);
        }
        let read = ring.positions("0", &HistoryRange { start, before, max_bytes });
        prop_assert_eq!(read, expected.into_iter().map(|(position, ..)| position).collect::<Vec<_>>());
    }
}
