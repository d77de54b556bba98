//! Ranges of a group's messages.

use std::sync::Arc;

use webpubsub_protocol::history::{HistoryMessage, HistoryPosition, MessageNumber};

use super::{
    Ring,
    groups::{GroupLog, HubNumber, Run},
};
use crate::history::block::{Block, Record, RecordFacts};

/// Memory of a message that is read, beside its payload and names, in bytes: the message itself and its JSON members.
const READ_OVERHEAD: usize = 256;

/// Start of a range of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeStart {
    /// The last messages, as many as given.
    Last(u64),
    /// The messages that were published at this time of the history or later, in milliseconds.
    Since(u64),
    /// The messages behind this position.
    After(u64),
}

/// Messages to read, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HistoryRange {
    pub(crate) start: RangeStart,
    /// Position that they must be before.
    pub(crate) before: Option<u64>,
    /// Maximum size of their payloads, in bytes: the newest are preferred.
    pub(crate) max_bytes: usize,
}

/// State of a group for the head of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::history) struct GroupState {
    pub(in crate::history) oldest: Option<HistoryPosition>,
    pub(in crate::history) next: MessageNumber,
}

/// Group with a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupSummary {
    pub(crate) name: Arc<str>,
    /// Number and line that its next message will have.
    pub(crate) next: MessageNumber,
    /// Last message that is retained.
    pub(crate) last: Option<HistoryMessage<'static>>,
}

/// Message in a group, with what precedes it.
struct Place {
    number: u64,
    position: u64,
    /// Time since the start of the history, in milliseconds.
    at_ms: u64,
    /// Size of the group's payloads before the message, in bytes.
    bytes_before: u64,
}

impl Ring {
    /// Returns the state of a group.
    pub(in crate::history) fn state(&self, hub: HubNumber, group: &str) -> GroupState {
        let Some(log) = self.groups.log(hub, group) else { return GroupState::default() };
        let oldest = self.records(log, 0).next().map(|(number, record)| HistoryPosition {
            sequence_id: record.facts.position,
            number: MessageNumber { message: number, line: record.facts.line },
        });
        GroupState { oldest, next: log.next }
    }

    /// Returns the position before the first message of a range, from which [`Ring::read`] starts.
    pub(in crate::history) fn start_of(&self, hub: HubNumber, group: &str, range: &HistoryRange) -> u64 {
        let Some(log) = self.groups.log(hub, group) else { return 0 };
        let end =
            self.partition_point(log, |place| range.before.is_none_or(|before| place.position < before));
        let (end, total) = end.map_or((log.next.message, log.bytes), |end| (end.number, end.bytes_before));
        let number_of = |place: Option<Place>| place.map_or(log.next.message, |place| place.number);
        let first = match range.start {
            RangeStart::Last(count) => end.saturating_sub(count),
            RangeStart::After(position) => {
                number_of(self.partition_point(log, |place| place.position <= position))
            }
            RangeStart::Since(time) => number_of(self.partition_point(log, |place| place.at_ms < time)),
        };
        // The newest that fit, but at least one.
        let fitting_from = total.saturating_sub(range.max_bytes as u64);
        let fitting = number_of(self.partition_point(log, |place| place.bytes_before < fitting_from));
        let start = fitting.min(end.saturating_sub(1)).max(first);
        let before = start.checked_sub(1).and_then(|number| self.position_of(log, number));
        match (before, range.start) {
            (Some(before), _) => before,
            (None, RangeStart::After(position)) => position,
            (None, _) => 0,
        }
    }

    /// Returns the messages behind `after` and before `before`, up to `max_bytes` of memory, but at least one.
    pub(in crate::history) fn read(
        &self,
        (hub, group): (HubNumber, &str),
        (after, before): (u64, Option<u64>),
        (now, max_bytes): (u64, usize),
    ) -> Vec<HistoryMessage<'static>> {
        let Some(log) = self.groups.log(hub, group) else { return Vec::new() };
        let first = log.runs.partition_point(|run| run.position <= after).saturating_sub(1);
        let behind = self.records(log, first).skip_while(|(_, record)| record.facts.position <= after);
        let range = behind
            .take_while(|(_, record)| before.is_none_or(|before| record.facts.position < before))
            .filter(|(_, record)| !has_expired(record, now));
        let mut messages = Vec::new();
        let mut bytes = 0;
        for (number, record) in range {
            bytes += record.payload_len() + group.len() + READ_OVERHEAD;
            messages.extend(message_of(log, number, &record));
            if bytes >= max_bytes {
                break;
            }
        }
        messages
    }

    /// Returns the names of the groups of a hub, each with the time of its last message.
    pub(in crate::history) fn groups_of(&self, hub: HubNumber) -> Vec<(u64, Arc<str>)> {
        self.groups.logs_of(hub).map(|log| (log.last_at_ms, Arc::clone(&log.key.name))).collect()
    }

    /// Returns a group, if it is known.
    pub(in crate::history) fn summary(&self, hub: HubNumber, group: &str, now: u64) -> Option<GroupSummary> {
        let log = self.groups.log(hub, group)?;
        let block = log.runs.back().and_then(|run| self.block_of(run));
        let last = block.and_then(|block| block.records_from(log.last_offset as usize).next());
        let last = last.filter(|record| !has_expired(record, now));
        Some(GroupSummary {
            name: Arc::clone(&log.key.name),
            next: log.next,
            last: last.and_then(|record| message_of(log, log.next.message - 1, &record)),
        })
    }

    /// Returns the messages of a group from a run on, each with its number.
    fn records<'a>(&'a self, log: &'a GroupLog, first_run: usize) -> impl Iterator<Item = (u64, Record<'a>)> {
        log.runs.range(first_run.min(log.runs.len())..).flat_map(|run| {
            let of_group = self.records_of_run(log, run);
            (run.number..).zip(of_group)
        })
    }

    fn records_of_run<'a>(&'a self, log: &GroupLog, run: &Run) -> impl Iterator<Item = Record<'a>> {
        let group = log.number;
        let records =
            self.block_of(run).into_iter().flat_map(|block| block.records_from(run.offset as usize));
        records.filter(move |record| record.facts.group == group)
    }

    fn block_of(&self, run: &Run) -> Option<&Block> {
        let index = run.block.wrapping_sub(self.first_block as u32) as usize;
        let is_open = index == self.blocks.len();
        let charged = if is_open { Some(&self.open) } else { self.blocks.get(index) };
        Some(&charged?.block)
    }

    /// Returns the first message of a group for which `is_before` is `false`, which it must be for all behind it; `None` if it is
    /// `true` for all.
    fn partition_point(&self, log: &GroupLog, is_before: impl Fn(&Place) -> bool) -> Option<Place> {
        let first_of = |run: &Run| {
            let first = self.records_of_run(log, run).next();
            let at_ms = first.map_or(u64::MAX, |record| record.facts.at.since_start_ms);
            Place { number: run.number, position: run.position, at_ms, bytes_before: run.bytes_before }
        };
        let behind = log.runs.partition_point(|run| is_before(&first_of(run)));
        let within = behind.checked_sub(1).and_then(|index| log.runs.get(index)).and_then(|run| {
            let mut bytes_before = run.bytes_before;
            let mut places = (run.number..).zip(self.records_of_run(log, run)).map(|(number, record)| {
                let RecordFacts { position, at, .. } = record.facts;
                let place = Place { number, position, at_ms: at.since_start_ms, bytes_before };
                bytes_before += record.payload_len() as u64;
                place
            });
            places.find(|place| !is_before(place))
        });
        within.or_else(|| log.runs.get(behind).map(first_of))
    }

    /// Returns the position of the message with a number, if it is retained.
    fn position_of(&self, log: &GroupLog, number: u64) -> Option<u64> {
        let run = log.runs.partition_point(|run| run.number <= number).checked_sub(1)?;
        let mut records = self.records(log, run);
        records.find(|(at, _)| *at == number).map(|(_, record)| record.facts.position)
    }
}

fn has_expired(record: &Record<'_>, now: u64) -> bool {
    record.facts.expires_at_ms.is_some_and(|expires_at| expires_at <= now)
}

fn message_of(log: &GroupLog, number: u64, record: &Record<'_>) -> Option<HistoryMessage<'static>> {
    let RecordFacts { at, line, .. } = record.facts;
    let message = record.message(&log.key.name)?;
    Some(HistoryMessage {
        message,
        published_ms: at.unix_ms,
        number: MessageNumber { message: number, line },
    })
}
