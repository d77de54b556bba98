//! Tests of [`LiveLog`](super::LiveLog): its components joined.

use webpubsub_client::{ClientEvent, Disconnect};
use webpubsub_protocol::{message::Metadata, name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::LiveLog;
use crate::model::{
    line_store::{LineKind, StoreLimits},
    local_time::LocalTime,
    search::work::Work,
    selection::{Selection, TextPosition},
    source::Source,
};

mod earlier;
mod jumps;
mod layout;
mod receiving;
mod rows;
mod searching;
mod selecting;

/// 14:03:11 in UTC on some day.
const LOST: LocalTime = LocalTime { unix_ms: 1_700_057_000_000.0 - 9_000.0, offset_minutes: 0 };
const RESTORED: LocalTime = LocalTime { unix_ms: LOST.unix_ms + 4_000.0, ..LOST };

fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

fn source(name: &str, connection: usize) -> Source {
    Source::new(name.to_owned(), connection, group(name))
}

/// Creates a log of one source, `stream`.
fn log_with(limits: StoreLimits) -> LiveLog {
    LiveLog::new(vec![source("stream", 0)], limits)
}

fn log_after(events: &[ClientEvent]) -> LiveLog {
    let mut log = log_with(StoreLimits::default());
    for event in events {
        log.handle_event(0, event, LOST);
    }
    log
}

/// Creates a log whose viewport is ten rows high.
fn log_of(limits: StoreLimits, lines: &str) -> LiveLog {
    let mut log = log_with(limits);
    log.viewport.resize(200.0, 20.0);
    push(&mut log, lines);
    log
}

/// Appends lines, one each second, and lays out.
fn push(log: &mut LiveLog, lines: &str) {
    for line in lines.split('\n') {
        let now = f64::from(u32::try_from(log.store.next_id()).unwrap()) * 1000.0;
        log.store.push_message(LineKind::Group, line, now);
    }
    log.lay_out(true);
}

fn numbered(lines: std::ops::RangeInclusive<u32>) -> String {
    lines.map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n")
}

fn position(line: u64, byte: usize) -> TextPosition {
    TextPosition { line, byte }
}

fn select_caret(log: &mut LiveLog, line: u64) {
    log.select(Some(Selection::at(position(line, 0))));
}

fn connected() -> ClientEvent {
    ClientEvent::Connected {
        connection_id: "c1".into(),
        user_id: None,
        subprotocol: Subprotocol::ReliableJson,
        history: None,
    }
}

fn joined() -> ClientEvent {
    ClientEvent::Joined { group: group("stream") }
}

fn dropped() -> ClientEvent {
    ClientEvent::Disconnected { reason: Disconnect::Dropped { code: 1006, reason: String::new() } }
}

fn recovering() -> ClientEvent {
    ClientEvent::Recovering { reason: Disconnect::Dropped { code: 1006, reason: String::new() } }
}

fn message(text: &'static str) -> ClientEvent {
    message_to("stream", text)
}

fn message_to(group: &str, text: &'static str) -> ClientEvent {
    let payload = Payload::Text(text.into());
    let metadata = Metadata::new();
    ClientEvent::GroupMessage {
        group: group.into(),
        from_user_id: None,
        payload,
        metadata,
        stream: None,
        sequence_id: None,
    }
}

fn stored_lines(log: &LiveLog) -> Vec<(LineKind, &str)> {
    let ids = log.store.first_id()..log.store.next_id();
    ids.filter_map(|id| log.store.line(id)).map(|line| (line.kind, line.text)).collect()
}
