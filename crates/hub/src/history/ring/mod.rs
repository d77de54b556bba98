//! Ring of messages: all groups of all hubs that have the same retention, oldest first out.

use std::{
    collections::VecDeque,
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use foldhash::quality::RandomState;
use hashbrown::{Equivalent, HashMap};
use webpubsub_protocol::{
    history::{HistoryMessage, HistoryPosition, MessageNumber},
    marks,
    message::Response,
    payload::Payload,
};

use super::{
    MAX_GROUPS, Retention,
    block::{BLOCK_BYTES, Block, Record, RecordFacts, StoredMessage},
};
use crate::memory::{MemoryBudget, SharedCharge};

/// Maximum number of expired blocks that keep their memory for the next ones.
const SPARE_BLOCKS: usize = 1;

/// Memory of a message that is read, beside its payload and names, in bytes: the message itself and its JSON members.
const READ_OVERHEAD: usize = 256;

/// Number of a hub in the history.
pub(super) type HubNumber = u32;

/// Messages of the groups with one retention.
#[derive(Debug)]
pub(super) struct Ring {
    retention: Retention,
    memory: MemoryBudget,
    blocks: VecDeque<ChargedBlock>,
    /// Number of the first block since the start; the index of a group has the numbers of blocks.
    first_block: u64,
    /// Memory of the blocks, in bytes.
    block_bytes: usize,
    spare: Vec<ChargedBlock>,
    groups: HashMap<GroupKey, u32, RandomState>,
    by_number: Vec<Option<GroupLog>>,
    free_numbers: Vec<u32>,
    /// Number of index entries of all groups.
    entries: usize,
    /// Length of the names of all groups, in bytes.
    name_bytes: usize,
    /// Ascends with every use of a group, to find the least recently used one.
    uses: u64,
    charge: IndexCharge,
    pub(super) counts: RingCounts,
}

/// Counts for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RingCounts {
    /// Messages that are retained.
    pub(crate) messages: usize,
    /// Memory, in bytes.
    pub(crate) bytes: usize,
    /// Groups with retained messages or counts.
    pub(crate) groups: usize,
    /// Messages that were dropped for their age or for newer ones.
    pub(crate) dropped_messages: u64,
    /// Groups that were forgotten for others.
    pub(crate) forgotten_groups: u64,
}

#[derive(Debug)]
struct ChargedBlock {
    block: Block,
    _charge: SharedCharge,
}

/// Charge for the index of all groups, adjusted in steps.
#[derive(Debug, Default)]
struct IndexCharge {
    bytes: usize,
    _charge: Option<SharedCharge>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct GroupKey {
    hub: HubNumber,
    name: Arc<str>,
}

impl Hash for GroupKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.hub, &*self.name).hash(state);
    }
}

#[derive(Hash)]
struct BorrowedKey<'a>(HubNumber, &'a str);

impl Equivalent<GroupKey> for BorrowedKey<'_> {
    fn equivalent(&self, key: &GroupKey) -> bool {
        self.0 == key.hub && *self.1 == *key.name
    }
}

/// Messages of one group.
#[derive(Debug)]
struct GroupLog {
    key: GroupKey,
    entries: VecDeque<Entry>,
    /// Number of the first entry's message in the group.
    first_number: u64,
    /// Number and line of the next message.
    next: MessageNumber,
    /// Size of all payloads so far, in bytes.
    bytes: u64,
    last_use: u64,
    /// Time of the last message.
    last_at: Duration,
}

/// Place of a message.
#[derive(Debug, Clone, Copy)]
struct Entry {
    position: u64,
    /// Size of the group's payloads up to this one, in bytes.
    bytes_before_next: u64,
    /// Number of the block.
    block: u32,
    offset: u32,
}

/// Start of a range of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeStart {
    /// The last messages, as many as given.
    Last(u64),
    /// The messages that were published at this time of the history or later.
    Since(Duration),
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
pub(super) struct GroupState {
    pub(super) oldest: Option<HistoryPosition>,
    pub(super) next: MessageNumber,
}

impl Ring {
    pub(super) fn new(retention: Retention, memory: MemoryBudget) -> Self {
        Self {
            retention,
            memory,
            blocks: VecDeque::new(),
            first_block: 0,
            block_bytes: 0,
            spare: Vec::new(),
            groups: HashMap::default(),
            by_number: Vec::new(),
            free_numbers: Vec::new(),
            entries: 0,
            name_bytes: 0,
            uses: 0,
            charge: IndexCharge::default(),
            counts: RingCounts::default(),
        }
    }

    /// Stores a message of `lines` lines at the position that `position` returns, and returns it.
    pub(super) fn append(
        &mut self,
        (hub, group): (HubNumber, &str),
        message: &StoredMessage<'_>,
        lines: u64,
        mut facts: RecordFacts,
        position: impl FnOnce() -> u64,
    ) -> u64 {
        let position = position();
        let number = self.group_number(hub, group);
        self.drop_expired(facts.age_base);
        let has_block = self.make_room(message.record_len());
        let Some(log) = self.log_mut(number) else { return position };
        log.last_at = facts.age_base;
        facts.group = number;
        facts.line = log.next.line;
        log.next.message += 1;
        log.next.line += lines;
        if !has_block {
            // The numbers of entries have no gaps.
            let dropped = log.entries.len();
            log.entries.clear();
            log.first_number = log.next.message;
            self.entries -= dropped;
            self.counts.messages -= dropped;
            self.counts.dropped_messages += dropped as u64 + 1;
            return position;
        }
        let block = self.first_block + self.blocks.len() as u64 - 1;
        let Some(last) = self.blocks.back_mut() else { return position };
        let offset = last.block.push(&facts, message);
        // Compared with wrapping: far fewer than 2^32 blocks are retained at a time. A block is far below 4 GiB.
        let (block, offset) = (block as u32, u32::try_from(offset).unwrap_or(u32::MAX));
        if let Some(log) = self.log_mut(number) {
            log.bytes += message.payload_len() as u64;
            log.entries.push_back(Entry { position, bytes_before_next: log.bytes, block, offset });
        }
        self.entries += 1;
        self.counts.messages += 1;
        self.charge_index();
        position
    }

    /// Ensures a block with capacity for a record of `len` bytes, within the retention and the memory budget. Returns
    /// `false` if the record is too large for them.
    fn make_room(&mut self, len: usize) -> bool {
        if self.blocks.back().is_some_and(|last| last.block.fits(len)) {
            return true;
        }
        let wanted = len.max(BLOCK_BYTES);
        if wanted > self.retention.max_bytes {
            return false;
        }
        while self.used_bytes() + wanted > self.retention.max_bytes || !self.memory.has_spare(wanted) {
            if !self.drop_oldest() {
                // Only the index is left.
                if self.index_bytes() + wanted > self.retention.max_bytes && self.groups.len() > 1 {
                    self.forget_least_recently_used();
                    continue;
                }
                return false;
            }
            if wanted == BLOCK_BYTES && !self.spare.is_empty() {
                break;
            }
        }
        let charged = match self.spare.pop().filter(|_| wanted == BLOCK_BYTES) {
            Some(spare) => spare,
            None => ChargedBlock { block: Block::new(len), _charge: self.memory.charge(wanted) },
        };
        self.block_bytes += charged.block.capacity();
        self.blocks.push_back(charged);
        true
    }

    /// Drops the blocks whose messages are all older than the retention.
    pub(super) fn drop_expired(&mut self, now: Duration) {
        let is_expired = |charged: &ChargedBlock, retention: &Retention| {
            now.saturating_sub(charged.block.last_at) > retention.max_age
        };
        while self.blocks.front().is_some_and(|oldest| is_expired(oldest, &self.retention)) {
            self.drop_oldest();
        }
    }

    /// Gives up to `bytes` of memory back, oldest messages first. Returns how many bytes.
    pub(super) fn shrink(&mut self, bytes: usize) -> usize {
        let before = self.used_bytes();
        self.spare.clear();
        while before - self.used_bytes() < bytes && self.drop_oldest() {
            self.spare.clear();
        }
        before - self.used_bytes()
    }

    /// Drops the oldest block, and its messages from their groups. Returns `false` if there is none.
    fn drop_oldest(&mut self) -> bool {
        let Some(mut oldest) = self.blocks.pop_front() else { return false };
        let block = self.first_block as u32;
        self.first_block += 1;
        self.block_bytes -= oldest.block.capacity();
        for record in oldest.block.records() {
            let log = self.by_number.get_mut(record.facts.group as usize).and_then(Option::as_mut);
            // The group may have been forgotten, and its number may belong to another one.
            let Some(log) = log else { continue };
            if log.entries.front().is_some_and(|entry| entry.block == block) {
                log.entries.pop_front();
                log.first_number += 1;
                self.entries -= 1;
                self.counts.messages -= 1;
                self.counts.dropped_messages += 1;
            }
            if log.entries.capacity() > 64 && log.entries.len() < log.entries.capacity() / 4 {
                log.entries.shrink_to(log.entries.len() * 2);
            }
        }
        if oldest.block.capacity() == BLOCK_BYTES && self.spare.len() < SPARE_BLOCKS {
            oldest.block.clear();
            self.spare.push(oldest);
        }
        self.charge_index();
        true
    }

    /// Returns the memory of blocks and index, in bytes.
    pub(super) fn used_bytes(&self) -> usize {
        self.block_bytes + self.spare.len() * BLOCK_BYTES + self.index_bytes()
    }

    fn index_bytes(&self) -> usize {
        const GROUP_BYTES: usize = size_of::<GroupLog>() + size_of::<GroupKey>() + 64;
        self.entries * size_of::<Entry>() + self.groups.len() * GROUP_BYTES + self.name_bytes
    }

    fn charge_index(&mut self) {
        let wanted = self.index_bytes().next_multiple_of(BLOCK_BYTES);
        if self.index_bytes() <= size_of::<GroupLog>() * 8 {
            self.charge = IndexCharge::default();
        } else if wanted != self.charge.bytes {
            self.charge = IndexCharge { bytes: wanted, _charge: Some(self.memory.charge(wanted)) };
        }
    }

    fn log_mut(&mut self, number: u32) -> Option<&mut GroupLog> {
        self.by_number.get_mut(number as usize)?.as_mut()
    }

    fn log(&self, hub: HubNumber, group: &str) -> Option<&GroupLog> {
        let number = self.groups.get(&BorrowedKey(hub, group))?;
        self.by_number.get(*number as usize)?.as_ref()
    }

    /// Returns the number of a group, which is created if need be.
    fn group_number(&mut self, hub: HubNumber, group: &str) -> u32 {
        self.uses += 1;
        let uses = self.uses;
        if let Some(number) = self.groups.get(&BorrowedKey(hub, group)).copied() {
            if let Some(log) = self.log_mut(number) {
                log.last_use = uses;
            }
            return number;
        }
        if self.groups.len() >= MAX_GROUPS {
            self.forget_least_recently_used();
        }
        let key = GroupKey { hub, name: group.into() };
        self.name_bytes += group.len();
        let log = GroupLog {
            key: key.clone(),
            entries: VecDeque::new(),
            first_number: 1,
            next: MessageNumber::default(),
            bytes: 0,
            last_use: uses,
            last_at: Duration::ZERO,
        };
        // There are at most `MAX_GROUPS` numbers.
        let number =
            self.free_numbers.pop().unwrap_or_else(|| u32::try_from(self.by_number.len()).unwrap_or(0));
        match self.by_number.get_mut(number as usize) {
            Some(slot) => *slot = Some(log),
            None => self.by_number.push(Some(log)),
        }
        self.groups.insert(key, number);
        number
    }

    /// Forgets an eighth of the groups, those that were not used for the longest time.
    fn forget_least_recently_used(&mut self) {
        let mut uses: Vec<(u64, u32)> = (0..)
            .zip(&self.by_number)
            .filter_map(|(number, log)| Some((log.as_ref()?.last_use, number)))
            .collect();
        let surplus = (uses.len() / 8).max(1);
        if surplus < uses.len() {
            uses.select_nth_unstable(surplus);
        }
        for (_, number) in uses.into_iter().take(surplus) {
            self.forget(number);
        }
    }

    /// Forgets the groups of a hub that was removed.
    pub(super) fn forget_hub(&mut self, hub: HubNumber) {
        let numbers: Vec<u32> =
            self.groups.iter().filter(|(key, _)| key.hub == hub).map(|(_, number)| *number).collect();
        for number in numbers {
            self.forget(number);
        }
        self.charge_index();
    }

    fn forget(&mut self, number: u32) {
        let Some(log) = self.by_number.get_mut(number as usize).and_then(Option::take) else { return };
        self.groups.remove(&log.key);
        self.name_bytes -= log.key.name.len();
        self.entries -= log.entries.len();
        self.counts.messages -= log.entries.len();
        self.counts.dropped_messages += log.entries.len() as u64;
        self.counts.forgotten_groups += 1;
        self.free_numbers.push(number);
    }

    /// Returns the counts.
    pub(super) fn counts(&self) -> RingCounts {
        RingCounts { bytes: self.used_bytes(), groups: self.groups.len(), ..self.counts }
    }

    /// Returns the state of a group.
    pub(super) fn state(&self, hub: HubNumber, group: &str) -> GroupState {
        let Some(log) = self.log(hub, group) else { return GroupState::default() };
        let oldest = log.entries.front().and_then(|entry| {
            let line = self.record(entry)?.facts.line;
            let number = MessageNumber { message: log.first_number, line };
            Some(HistoryPosition { sequence_id: entry.position, number })
        });
        GroupState { oldest, next: log.next }
    }

    /// Returns the position before the first message of a range, from which [`Ring::read`] starts.
    pub(super) fn start_of(&self, hub: HubNumber, group: &str, range: &HistoryRange) -> u64 {
        let Some(log) = self.log(hub, group) else { return 0 };
        let entries = &log.entries;
        let end = range
            .before
            .map_or(entries.len(), |before| entries.partition_point(|entry| entry.position < before));
        let first = match range.start {
            RangeStart::Last(count) => end.saturating_sub(usize::try_from(count).unwrap_or(usize::MAX)),
            RangeStart::After(position) => entries.partition_point(|entry| entry.position <= position),
            RangeStart::Since(time) => entries.partition_point(|entry| {
                self.record(entry).is_some_and(|record| record.facts.age_base < time)
            }),
        };
        // The newest that fit, but at least one.
        let total =
            end.checked_sub(1).and_then(|last| entries.get(last)).map_or(0, |last| last.bytes_before_next);
        let fitting_from = total.saturating_sub(range.max_bytes as u64);
        let start = entries.partition_point(|entry| entry.bytes_before_next <= fitting_from);
        let start = if total > range.max_bytes as u64 { start + 1 } else { 0 };
        let start = start.min(end.saturating_sub(1)).max(first);
        let before = start.checked_sub(1).and_then(|before| entries.get(before));
        match (before, range.start) {
            (Some(entry), _) => entry.position,
            (None, RangeStart::After(position)) => position,
            (None, _) => 0,
        }
    }

    /// Returns the messages behind `after` and before `before`, up to `max_bytes` of memory, but at least one.
    pub(super) fn read(
        &self,
        (hub, group): (HubNumber, &str),
        (after, before): (u64, Option<u64>),
        (now, max_bytes): (Duration, usize),
    ) -> Vec<HistoryMessage<'static>> {
        let Some(log) = self.log(hub, group) else { return Vec::new() };
        let first = log.entries.partition_point(|entry| entry.position <= after);
        let mut messages = Vec::new();
        let mut bytes = 0;
        for (entry, number) in log.entries.iter().zip(log.first_number..).skip(first) {
            if before.is_some_and(|before| entry.position >= before) || bytes >= max_bytes {
                break;
            }
            let Some(record) = self.record(entry) else { continue };
            if record.facts.expires_at.is_some_and(|expires_at| expires_at <= now) {
                continue;
            }
            bytes += record.payload_len() + group.len() + READ_OVERHEAD;
            messages.extend(self.message_at(log, entry, number));
        }
        messages
    }

    fn record(&self, entry: &Entry) -> Option<Record<'_>> {
        let index = entry.block.wrapping_sub(self.first_block as u32);
        self.blocks.get(index as usize)?.block.record(entry.offset as usize)
    }

    /// Returns the names of the groups of a hub, each with the time of its last message.
    pub(super) fn groups_of(&self, hub: HubNumber) -> Vec<(Duration, Arc<str>)> {
        let logs = self.by_number.iter().flatten().filter(|log| log.key.hub == hub);
        logs.map(|log| (log.last_at, Arc::clone(&log.key.name))).collect()
    }

    /// Returns a group, if it is known.
    pub(super) fn summary(&self, hub: HubNumber, group: &str, now: Duration) -> Option<GroupSummary> {
        let log = self.log(hub, group)?;
        let has_expired = |entry: &&Entry| {
            self.record(entry).and_then(|record| record.facts.expires_at).is_some_and(|at| at <= now)
        };
        let last = log.entries.back().filter(|entry| !has_expired(entry));
        Some(GroupSummary {
            name: Arc::clone(&log.key.name),
            next: log.next,
            last: last.and_then(|entry| self.message_at(log, entry, log.next.message - 1)),
        })
    }

    fn message_at(&self, log: &GroupLog, entry: &Entry, number: u64) -> Option<HistoryMessage<'static>> {
        let record = self.record(entry)?;
        let message = record.message(&log.key.name, entry.position)?;
        let RecordFacts { published_ms, line, .. } = record.facts;
        Some(HistoryMessage { message, published_ms, number: MessageNumber { message: number, line } })
    }
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

/// Returns the number of lines that a message adds to its group.
pub(super) fn count_lines(message: &Response<'_>) -> u64 {
    let Response::GroupMessage { payload: Payload::Text(text) | Payload::Json(text), .. } = message else {
        return 1;
    };
    marks::count_lines(text)
}

#[cfg(test)]
mod tests;
