//! Ring of messages: all groups of all hubs that have the same retention, oldest first out.
//!
//! | module | contents |
//! | --- | --- |
//! | `groups` | the groups, and in which blocks each has messages |
//! | `reading` | ranges of a group's messages |

use std::collections::VecDeque;

use tokio::time::Instant;
use webpubsub_protocol::{marks, message::Response, payload::Payload};

use super::{
    Retention,
    block::{BLOCK_BYTES, Block, RecordFacts, StoredMessage},
    wall_clock::{HistoryTime, WallClock, millis},
};
use crate::memory::{MemoryBudget, SharedCharge};
pub(super) use groups::HubNumber;
use groups::{GroupLog, Groups, Run};
pub(super) use reading::GroupState;
pub(crate) use reading::{GroupSummary, HistoryRange, RangeStart};

mod groups;
mod reading;

/// Size of an index that is not charged, in bytes: the groups of an idle service.
const FREE_INDEX_BYTES: usize = size_of::<GroupLog>() * 8;
/// Part of the retention that groups may take beside their messages: a quarter.
const GROUPS_SHARE: usize = 4;
/// Least time for which a group without messages is retained for its counts, in milliseconds: viewers that return within a day see how
/// much they have missed.
const MIN_GROUP_AGE_MS: u64 = 24 * 60 * 60 * 1_000;
/// Number of searches for groups to forget within that time.
const SWEEPS_PER_AGE: u64 = 8;
/// Step of the charge for the index, in bytes: few messages change it.
const INDEX_STEP_BYTES: usize = 16 * 1024;

/// Messages of the groups with one retention.
#[derive(Debug)]
pub(super) struct Ring {
    max_bytes: usize,
    max_age_ms: u64,
    memory: MemoryBudget,
    /// Complete blocks, oldest first.
    blocks: VecDeque<ChargedBlock>,
    /// Block of the next messages, the last one. Its memory stays the same, in the caches of the processor: written one by one to
    /// memory that was not used for long, messages would cost twice as much.
    open: ChargedBlock,
    /// Number of the first block since the start; runs have the numbers of blocks.
    first_block: u64,
    /// Memory of the blocks, in bytes, `open` included.
    block_bytes: usize,
    groups: Groups,
    charge: IndexCharge,
    /// Time from which on groups without messages are searched for again, in milliseconds since the start of the history.
    next_sweep_ms: u64,
    /// Time of the last message.
    last_time: Option<(Instant, HistoryTime)>,
    counts: RingCounts,
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

#[derive(Debug, Default)]
struct ChargedBlock {
    block: Block,
    _charge: Option<SharedCharge>,
}

/// Charge for the index of all groups, adjusted in steps.
#[derive(Debug, Default)]
struct IndexCharge {
    bytes: usize,
    _charge: Option<SharedCharge>,
}

impl Ring {
    pub(super) fn new(retention: Retention, memory: MemoryBudget) -> Self {
        Self {
            max_bytes: retention.max_bytes,
            max_age_ms: millis(retention.max_age),
            memory,
            blocks: VecDeque::new(),
            open: ChargedBlock::default(),
            first_block: 0,
            block_bytes: 0,
            groups: Groups::default(),
            charge: IndexCharge::default(),
            next_sweep_ms: 0,
            last_time: None,
            counts: RingCounts::default(),
        }
    }

    /// Returns `now` as a time of the history. Messages that were read from a socket at once have the same time.
    pub(super) fn time_at(&mut self, now: Instant, clock: &WallClock) -> HistoryTime {
        match self.last_time {
            Some((last, time)) if last == now => time,
            _ => self.last_time.insert((now, clock.at(now))).1,
        }
    }

    /// Stores a message of `lines` lines. Group and line of `facts` are added.
    pub(super) fn append(
        &mut self,
        (hub, group): (HubNumber, &str),
        message: &StoredMessage<'_>,
        lines: u64,
        mut facts: RecordFacts,
    ) {
        let now = facts.at.since_start_ms;
        self.drop_expired(now);
        facts.group = self.group_number(hub, group);
        let has_block = self.make_room(message.record_len());
        let open = self.first_block + self.blocks.len() as u64;
        let Some(log) = self.groups.log_mut(facts.group) else { return };
        facts.line = log.next.line;
        if !has_block {
            let dropped = log.drop_all();
            log.count(lines, now);
            self.count_dropped(dropped);
            self.counts.dropped_messages += 1;
            return;
        }
        let block = &mut self.open.block;
        let run = Run::begin(open, block.len(), &facts);
        let is_first = log.add(run, message.payload_len(), lines, now);
        block.push(&facts, message);
        self.counts.messages += 1;
        if is_first {
            block.groups.push(facts.group);
            self.groups.count_run();
            self.charge_index();
        }
    }

    /// Returns the number of a group, which is created if need be.
    fn group_number(&mut self, hub: HubNumber, group: &str) -> u32 {
        if let Some(number) = self.groups.use_number(hub, group) {
            return number;
        }
        if self.groups.is_full() {
            self.forget_least_recently_used();
        }
        self.groups.create(hub, group)
    }

    /// Ensures that the open block has capacity for a record of `len` bytes, within the retention and the memory budget. Returns
    /// `false` if the record is too large for them.
    fn make_room(&mut self, len: usize) -> bool {
        if self.open.block.fits(len) {
            return true;
        }
        self.complete_block();
        let capacity = len.max(BLOCK_BYTES);
        if self.open.block.fits(capacity) {
            return true;
        }
        self.replace_open(ChargedBlock::default());
        if capacity > self.max_bytes || !self.reserve(capacity) {
            return false;
        }
        let charge = Some(self.memory.charge(capacity));
        self.replace_open(ChargedBlock { block: Block::with_capacity(capacity), _charge: charge });
        true
    }

    /// Begins another block, if the open one has records.
    fn complete_block(&mut self) {
        let len = self.open.block.len();
        if self.open.block.capacity() > BLOCK_BYTES {
            // The memory of a long message is not copied.
            self.blocks.push_back(std::mem::take(&mut self.open));
        } else if self.reserve(len) && !self.open.block.is_empty() {
            let charge = Some(self.memory.charge(len));
            self.blocks.push_back(ChargedBlock { block: self.open.block.move_records(), _charge: charge });
            self.block_bytes += len;
        }
    }

    fn replace_open(&mut self, open: ChargedBlock) {
        self.block_bytes += open.block.capacity();
        self.block_bytes -= self.open.block.capacity();
        self.open = open;
    }

    /// Drops the oldest messages until `bytes` more are within the retention and the memory budget. Returns `false` if they cannot
    /// be.
    fn reserve(&mut self, bytes: usize) -> bool {
        while self.used_bytes() + bytes > self.max_bytes || !self.memory.has_spare(bytes) {
            // Groups that only their names are left of must not take the place of messages.
            let is_full_of_groups = self.groups.bytes_without_messages() > self.max_bytes / GROUPS_SHARE;
            if is_full_of_groups && self.groups.len() > 1 {
                self.forget_least_recently_used();
                self.charge_index();
            } else if !self.drop_oldest() {
                return false;
            }
        }
        true
    }

    /// Drops the blocks whose messages are all older than the retention, and forgets the groups that had no message for so long, at least
    /// for a day.
    pub(super) fn drop_expired(&mut self, now: u64) {
        let max_age_ms = self.max_age_ms;
        let is_expired = |block: &Block| now.saturating_sub(block.last_at_ms) > max_age_ms;
        while self.oldest().is_some_and(is_expired) {
            self.drop_oldest();
        }
        if now >= self.next_sweep_ms {
            let age_ms = max_age_ms.max(MIN_GROUP_AGE_MS);
            self.next_sweep_ms = now + age_ms / SWEEPS_PER_AGE;
            self.groups.remove_expired(now.saturating_sub(age_ms));
            self.charge_index();
        }
    }

    /// Gives up to `bytes` of memory back, oldest messages first. Returns how many bytes.
    pub(super) fn shrink(&mut self, bytes: usize) -> usize {
        let before = self.used_bytes();
        while before - self.used_bytes() < bytes && self.drop_oldest() {}
        before - self.used_bytes()
    }

    fn oldest(&self) -> Option<&Block> {
        let oldest = self.blocks.front().unwrap_or(&self.open);
        (!oldest.block.is_empty()).then_some(&oldest.block)
    }

    /// Drops the oldest block, and its messages from their groups. Returns `false` if there is none.
    fn drop_oldest(&mut self) -> bool {
        if self.oldest().is_none() {
            return false;
        }
        let oldest = self.blocks.pop_front().unwrap_or_else(|| std::mem::take(&mut self.open));
        let number = self.first_block;
        self.first_block += 1;
        self.block_bytes -= oldest.block.capacity();
        for group in &oldest.block.groups {
            let dropped = self.groups.drop_run(*group, number);
            self.counts.messages -= dropped;
            self.counts.dropped_messages += dropped as u64;
        }
        self.charge_index();
        true
    }

    fn forget_least_recently_used(&mut self) {
        for number in self.groups.least_recently_used() {
            self.forget(number);
        }
    }

    /// Forgets the groups of a hub that was removed.
    pub(super) fn forget_hub(&mut self, hub: HubNumber) {
        for number in self.groups.numbers_of(hub) {
            self.forget(number);
        }
        self.charge_index();
    }

    fn forget(&mut self, number: u32) {
        let Some(mut log) = self.groups.remove(number) else { return };
        self.count_dropped(log.drop_all());
        self.counts.forgotten_groups += 1;
    }

    /// Counts the messages of `(runs, messages)` of a group as dropped.
    fn count_dropped(&mut self, (runs, messages): (usize, usize)) {
        self.groups.count_dropped_runs(runs);
        self.counts.messages -= messages;
        self.counts.dropped_messages += messages as u64;
    }

    /// Returns the memory of blocks and index, in bytes.
    pub(super) fn used_bytes(&self) -> usize {
        self.block_bytes + self.index_bytes()
    }

    /// Returns the memory of the index, in bytes, in steps; 0 for a few groups.
    fn index_bytes(&self) -> usize {
        let bytes = self.groups.bytes();
        if bytes <= FREE_INDEX_BYTES { 0 } else { bytes.next_multiple_of(INDEX_STEP_BYTES) }
    }

    fn charge_index(&mut self) {
        let bytes = self.index_bytes();
        if bytes != self.charge.bytes {
            // Not both at once: clients would be evicted for it.
            self.charge = IndexCharge::default();
            let charge = (bytes > 0).then(|| self.memory.charge(bytes));
            self.charge = IndexCharge { bytes, _charge: charge };
        }
    }

    /// Returns the counts.
    pub(super) fn counts(&self) -> RingCounts {
        RingCounts { bytes: self.used_bytes(), groups: self.groups.len(), ..self.counts }
    }
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
