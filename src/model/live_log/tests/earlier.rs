//! Earlier messages, put before the first line.

use webpubsub_client::history::MessageNumber;

use super::*;
use crate::model::{
    line_store::{MessagePlace, Origin},
    live_log::loaded_message::LoadedMessage,
};

const STREAM: Origin = Origin { kind: LineKind::Group, source: 0 };

fn earlier(sequence_id: u64, text: &str) -> LoadedMessage {
    LoadedMessage {
        source: 0,
        sequence_id,
        payload: Payload::Text(text.to_owned().into()),
        published_ms: 0.0,
        number: MessageNumber { message: sequence_id, line: 1 },
    }
}

fn texts(log: &LiveLog) -> Vec<String> {
    log.store.lines_from(0).map(|line| line.text.to_owned()).collect()
}

fn at(sequence_id: u64) -> MessagePlace {
    MessagePlace { sequence_id: Some(sequence_id), line: 0 }
}

#[test]
fn earlier_messages_come_before_the_first_line() {
    let mut log = log_with(StoreLimits::default());
    log.store.reserve_earlier_ids();
    log.append_text(STREAM, "two", Some(2), LOST);
    log.prepend_loaded(0, vec![earlier(1, "one")], at(2), LOST);
    assert_eq!(texts(&log), ["one", "two"]);
}

#[test]
fn earlier_messages_of_a_line_that_was_dropped_meanwhile_are_not_shown() {
    let mut log = log_with(StoreLimits { lines: 2, ..StoreLimits::default() });
    log.store.reserve_earlier_ids();
    log.append_text(STREAM, "two", Some(2), LOST);
    // The messages before the second one are requested; then the page is full.
    for number in 3..=9 {
        log.append_text(STREAM, &number.to_string(), Some(number), LOST);
    }
    let held = texts(&log);
    log.prepend_loaded(0, vec![earlier(1, "one")], at(2), LOST);
    assert_eq!(texts(&log), held, "lines 2 to 7 would be missing after the first one");
}

#[test]
fn states_of_an_unfinished_line_before_the_first_line_are_not_shown() {
    let mut log = log_with(StoreLimits::default());
    log.store.reserve_earlier_ids();
    log.append_text(STREAM, "\u{1b}]7717;k3f9\u{7}100 %\nnext", Some(4), LOST);
    let state = |sequence_id, text| earlier(sequence_id, &format!("\u{1b}]7717;k3f9+\u{7}{text}"));
    log.prepend_loaded(0, vec![earlier(1, "one"), state(2, "10 %"), state(3, "20 %")], at(4), LOST);
    assert_eq!(texts(&log), ["one", "100 %", "next"]);
}

#[test]
fn a_cleared_log_stays_empty_when_earlier_messages_arrive() {
    let mut log = log_with(StoreLimits::default());
    log.store.reserve_earlier_ids();
    log.append_text(STREAM, "two", Some(2), LOST);
    log.clear();
    log.prepend_loaded(0, vec![earlier(1, "one")], at(2), LOST);
    assert_eq!(texts(&log), [""; 0]);
}
