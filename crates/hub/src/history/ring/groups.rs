//! Groups of a ring, and in which blocks each has messages.
//!
//! The index has an entry for a group and block, not for each message: a message costs no memory beside its record, and a block is
//! dropped without reading its records.

use std::{
    collections::VecDeque,
    hash::{Hash, Hasher},
    sync::Arc,
};

use foldhash::quality::RandomState;
use hashbrown::{Equivalent, HashMap};
use webpubsub_protocol::history::MessageNumber;

use crate::history::{MAX_GROUPS, block::RecordFacts};

/// Number of a hub in the history.
pub(in crate::history) type HubNumber = u32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupKey {
    pub(super) hub: HubNumber,
    pub(super) name: Arc<str>,
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

/// Groups by name and by number.
#[derive(Debug, Default)]
pub(super) struct Groups {
    numbers: HashMap<GroupKey, u32, RandomState>,
    by_number: Vec<Option<GroupLog>>,
    free_numbers: Vec<u32>,
    /// Number of runs of all groups.
    runs: usize,
    /// Length of the names of all groups, in bytes.
    name_bytes: usize,
    /// Ascends with every use of a group, to find the least recently used one.
    uses: u64,
    /// Number of the group that was used last.
    last_number: u32,
}

/// Messages of one group.
#[derive(Debug)]
pub(super) struct GroupLog {
    pub(super) key: GroupKey,
    pub(super) number: u32,
    /// Where its messages are, oldest first. Their numbers have no gaps.
    pub(super) runs: VecDeque<Run>,
    /// Number and line of the next message.
    pub(super) next: MessageNumber,
    /// Size of all payloads so far, in bytes.
    pub(super) bytes: u64,
    last_use: u64,
    /// Time of the last message since the start of the history, in milliseconds.
    pub(super) last_at_ms: u64,
    /// Offset of the last message in its block, which is that of the last run.
    pub(super) last_offset: u32,
}

/// Messages of one group in one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Number of the block, compared with wrapping: far fewer than 2^32 blocks are retained at a time.
    pub(super) block: u32,
    /// Offset of the first message in the block.
    pub(super) offset: u32,
    /// Position of the first message.
    pub(super) position: u64,
    /// Number of the first message in the group.
    pub(super) number: u64,
    /// Size of the group's payloads before the run, in bytes.
    pub(super) bytes_before: u64,
}

impl Run {
    /// Begins a run with the message of `facts` at an offset of a block. Its group adds the rest.
    pub(super) fn begin(block: u64, offset: usize, facts: &RecordFacts) -> Self {
        // A block is far below 4 GiB.
        let (block, offset) = (block as u32, u32::try_from(offset).unwrap_or(u32::MAX));
        Self { block, offset, position: facts.position, number: 0, bytes_before: 0 }
    }
}

impl GroupLog {
    /// Adds the next message, which begins `run` unless its block has messages of the group already. Returns whether it does.
    pub(super) fn add(&mut self, run: Run, bytes: usize, lines: u64, at_ms: u64) -> bool {
        let is_first = self.runs.back().is_none_or(|last| last.block != run.block);
        if is_first {
            self.runs.push_back(Run { number: self.next.message, bytes_before: self.bytes, ..run });
        }
        self.bytes += bytes as u64;
        self.last_offset = run.offset;
        self.count(lines, at_ms);
        is_first
    }

    /// Counts a message, which is retained by [`GroupLog::add`] only.
    pub(super) fn count(&mut self, lines: u64, at_ms: u64) {
        self.next.message += 1;
        self.next.line += lines;
        self.last_at_ms = at_ms;
    }

    /// Returns the number of the first message that is retained; without one, that of the next message.
    pub(super) fn first_number(&self) -> u64 {
        self.runs.front().map_or(self.next.message, |run| run.number)
    }

    /// Drops all messages. Returns the numbers of runs and of messages.
    pub(super) fn drop_all(&mut self) -> (usize, usize) {
        let messages = self.next.message - self.first_number();
        let runs = self.runs.len();
        self.runs.clear();
        (runs, usize::try_from(messages).unwrap_or(usize::MAX))
    }

    /// Drops the run in a block. Returns the number of its messages; `None` if the group has none there.
    fn drop_run(&mut self, block: u32) -> Option<usize> {
        let run = *self.runs.front().filter(|run| run.block == block)?;
        self.runs.pop_front();
        if self.runs.capacity() > 64 && self.runs.len() < self.runs.capacity() / 4 {
            self.runs.shrink_to(self.runs.len() * 2);
        }
        usize::try_from(self.first_number() - run.number).ok()
    }
}

impl Groups {
    /// Returns the number of groups.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Returns whether a further group replaces others.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= MAX_GROUPS
    }

    /// Returns the memory of the index, in bytes.
    pub(super) fn bytes(&self) -> usize {
        // A block has the number of each group with a run.
        const RUN_BYTES: usize = size_of::<Run>() + size_of::<u32>();
        self.runs * RUN_BYTES + self.bytes_without_messages()
    }

    /// Returns the memory that the groups take without any message, in bytes.
    pub(super) fn bytes_without_messages(&self) -> usize {
        const GROUP_BYTES: usize = size_of::<GroupLog>() + size_of::<GroupKey>() + 64;
        self.len() * GROUP_BYTES + self.name_bytes
    }

    /// Counts a run that was added to a group.
    pub(super) fn count_run(&mut self) {
        self.runs += 1;
    }

    /// Counts runs that were dropped from a group.
    pub(super) fn count_dropped_runs(&mut self, runs: usize) {
        self.runs -= runs;
    }

    /// Returns the number of a group that is used now; `None` if it is not known.
    pub(super) fn use_number(&mut self, hub: HubNumber, name: &str) -> Option<u32> {
        self.uses += 1;
        // Most messages are of the group of the message before, and its hash need not be computed.
        if let Some(last) = self.by_number.get_mut(self.last_number as usize).and_then(Option::as_mut)
            && BorrowedKey(hub, name).equivalent(&last.key)
        {
            last.last_use = self.uses;
            return Some(last.number);
        }
        let number = *self.numbers.get(&BorrowedKey(hub, name))?;
        self.by_number.get_mut(number as usize)?.as_mut()?.last_use = self.uses;
        self.last_number = number;
        Some(number)
    }

    /// Creates a group, and returns its number.
    pub(super) fn create(&mut self, hub: HubNumber, name: &str) -> u32 {
        let key = GroupKey { hub, name: name.into() };
        // There are at most `MAX_GROUPS` numbers.
        let number =
            self.free_numbers.pop().unwrap_or_else(|| u32::try_from(self.by_number.len()).unwrap_or(0));
        let log = GroupLog {
            key: key.clone(),
            number,
            runs: VecDeque::new(),
            next: MessageNumber::default(),
            bytes: 0,
            last_use: self.uses,
            last_at_ms: 0,
            last_offset: 0,
        };
        match self.by_number.get_mut(number as usize) {
            Some(slot) => *slot = Some(log),
            None => self.by_number.push(Some(log)),
        }
        self.name_bytes += name.len();
        self.numbers.insert(key, number);
        number
    }

    /// Removes a group, whose number may be given to another one. The caller counts its runs.
    pub(super) fn remove(&mut self, number: u32) -> Option<GroupLog> {
        let log = self.by_number.get_mut(number as usize)?.take()?;
        self.numbers.remove(&log.key);
        self.name_bytes -= log.key.name.len();
        self.free_numbers.push(number);
        Some(log)
    }

    /// Returns a group.
    pub(super) fn log(&self, hub: HubNumber, name: &str) -> Option<&GroupLog> {
        let number = self.numbers.get(&BorrowedKey(hub, name))?;
        self.by_number.get(*number as usize)?.as_ref()
    }

    /// Returns the group with a number.
    pub(super) fn log_mut(&mut self, number: u32) -> Option<&mut GroupLog> {
        self.by_number.get_mut(number as usize)?.as_mut()
    }

    /// Returns the groups of a hub.
    pub(super) fn logs_of(&self, hub: HubNumber) -> impl Iterator<Item = &GroupLog> {
        self.by_number.iter().flatten().filter(move |log| log.key.hub == hub)
    }

    /// Returns the numbers of the groups of a hub.
    pub(super) fn numbers_of(&self, hub: HubNumber) -> Vec<u32> {
        self.logs_of(hub).map(|log| log.number).collect()
    }

    /// Drops the run of a group in a block that is dropped. Returns the number of its messages.
    ///
    /// The group may have been forgotten, and its number may belong to another one: then the block has no run of it.
    pub(super) fn drop_run(&mut self, number: u32, block: u64) -> usize {
        let dropped = self.log_mut(number).and_then(|log| log.drop_run(block as u32));
        self.runs -= usize::from(dropped.is_some());
        dropped.unwrap_or(0)
    }

    /// Removes the groups without messages whose last one was before a time.
    pub(super) fn remove_expired(&mut self, time_ms: u64) {
        let logs = self.by_number.iter().flatten();
        let is_expired = |log: &&GroupLog| log.runs.is_empty() && log.last_at_ms < time_ms;
        let expired: Vec<u32> = logs.filter(is_expired).map(|log| log.number).collect();
        for number in expired {
            self.remove(number);
        }
        if self.len() == 0 {
            // The memory of their tables too.
            *self = Self { uses: self.uses, ..Self::default() };
        }
    }

    /// Returns the numbers of an eighth of the groups: those that were not used for the longest time.
    pub(super) fn least_recently_used(&self) -> Vec<u32> {
        let logs = self.by_number.iter().flatten();
        let mut uses: Vec<(u64, u32)> = logs.map(|log| (log.last_use, log.number)).collect();
        let surplus = (uses.len() / 8).max(1);
        if surplus < uses.len() {
            uses.select_nth_unstable(surplus);
        }
        uses.into_iter().take(surplus).map(|(_, number)| number).collect()
    }
}
