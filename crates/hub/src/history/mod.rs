//! History: earlier messages of groups, for clients that come late.
//!
//! Group messages are stored in the order of their positions, in rings of bounded age and size, and read over HTTP by clients
//! that may join the group.
//!
//! ```text
//! Hub::publish ──► History::append ──► Ring (blocks of records, index by group) ──► history_endpoint
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | `ring` | messages of the groups with one retention |
//! | `block` | encoding of stored messages |
//! | `wall_clock` | times of day from a clock that never jumps |
//!
//! # Memory
//! Rings count in the [memory budget](crate::memory). When memory runs short, the oldest messages are dropped before any
//! client is disconnected.

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use webpubsub_protocol::{
    history::{HistoryEnd, HistoryHead, HistoryMessage},
    message::Response,
    pattern::Pattern,
};

use crate::memory::{MemoryBudget, Reclaim};
use block::{RecordFacts, StoredMessage};
pub(crate) use ring::RingCounts;
use ring::{GroupState, HubNumber, Ring, count_lines};
pub(crate) use ring::{GroupSummary, HistoryRange, RangeStart};
pub(crate) use wall_clock::WallClock;
use wall_clock::millis;

mod block;
mod ring;
mod wall_clock;

/// Default age of the oldest messages.
pub(crate) const DEFAULT_MAX_AGE: Duration = Duration::from_secs(15 * 60);
/// Default size of a ring, in bytes.
pub(crate) const DEFAULT_MAX_BYTES: usize = 32 * 1024 * 1024;
/// Minimum size of a ring, in bytes: some blocks, so that one long message does not replace everything.
pub const MIN_HISTORY_BYTES: usize = 1024 * 1024;
/// Maximum number of groups of a ring. A further one replaces the least recently used.
pub(crate) const MAX_GROUPS: usize = 100_000;

/// Memory of the budget for each response that is sent at a time, in bytes: at most a quarter of the budget is for those of readers
/// that do not read.
const MEMORY_PER_RESPONSE: usize = 1024 * 1024;
/// Part of the memory budget that the messages of all groups may take: half. With more, responses and connections would find no
/// memory. Rules with more in all get less, in proportion.
pub const HISTORY_SHARE: usize = 2;

/// Minimum number of responses that are sent at a time, however small the budget.
const MIN_RESPONSES: usize = 16;
/// Maximum number of responses that are sent at a time.
const MAX_RESPONSES: usize = 10_000;

/// Retention of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Age up to which messages are retained. Whole blocks are dropped, so that some stay longer.
    pub max_age: Duration,
    /// Memory for the messages of all groups with this retention, in bytes, their index included.
    pub max_bytes: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { max_age: DEFAULT_MAX_AGE, max_bytes: DEFAULT_MAX_BYTES }
    }
}

/// Retention of the groups whose names match a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRule {
    /// Pattern of the names; `None` matches every group.
    pub pattern: Option<Pattern>,
    /// Retention; `None` for no history.
    pub retention: Option<Retention>,
}

impl Default for HistoryRule {
    /// Retains the messages of all groups for the default time and size.
    fn default() -> Self {
        Self { pattern: None, retention: Some(Retention::default()) }
    }
}

/// History of all hubs of a service.
#[derive(Debug)]
pub(crate) struct History {
    rules: Vec<HistoryRule>,
    /// One for each rule with a retention.
    rings: Vec<Option<Mutex<Ring>>>,
    memory: MemoryBudget,
    clock: WallClock,
    run_id: Arc<str>,
    hubs: AtomicU32,
    responses: Arc<Semaphore>,
    /// Number of the permits of `responses`.
    max_responses: usize,
    /// Turns of responses to read and encode their next piece.
    turns: Arc<Semaphore>,
}

/// History of one hub.
#[derive(Debug, Clone)]
pub(crate) struct HubHistory {
    history: Arc<History>,
    hub: HubNumber,
}

impl History {
    /// Creates a history with rules in order of priority: the first that matches a group applies. Groups without a rule have
    /// no history.
    pub(crate) fn new(rules: Vec<HistoryRule>, memory: MemoryBudget, clock: WallClock) -> Arc<Self> {
        let (total, limit) = (total_bytes(&rules), (memory.limit() / HISTORY_SHARE) as u128);
        let share = |bytes: usize| match total > limit {
            true => usize::try_from(bytes as u128 * limit / total).unwrap_or(bytes),
            false => bytes,
        };
        let ring = |rule: &HistoryRule| {
            let retention = rule.retention?;
            let retention = Retention { max_bytes: share(retention.max_bytes), ..retention };
            Some(Mutex::new(Ring::new(retention, memory.clone())))
        };
        let rings = rules.iter().map(ring).collect();
        let run_id = new_run_id().into();
        let max_responses = (memory.limit() / MEMORY_PER_RESPONSE).clamp(MIN_RESPONSES, MAX_RESPONSES);
        let responses = Arc::new(Semaphore::new(max_responses));
        let turns = Arc::new(Semaphore::new(turns_at_a_time()));
        let hubs = AtomicU32::new(0);
        let history =
            Arc::new(Self { rules, rings, memory, clock, run_id, hubs, responses, max_responses, turns });
        let reclaim: Arc<dyn Reclaim> = Arc::<Self>::clone(&history);
        history.memory.set_reclaim(Arc::downgrade(&reclaim));
        history
    }

    /// Returns the id of this run of the service: positions of other runs have no meaning in it.
    pub(crate) fn run_id(&self) -> &Arc<str> {
        &self.run_id
    }

    /// Waits until no response is being sent. Requests are refused meanwhile.
    pub(crate) async fn responses_sent(&self) {
        let all = u32::try_from(self.max_responses).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        drop(self.responses.acquire_many(all).await);
    }

    /// Returns a place for one response, until it is dropped; `None` if all are taken.
    pub(crate) fn response_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.responses).try_acquire_owned().ok()
    }

    /// Returns the clock for the times of messages.
    pub(crate) fn clock(&self) -> &WallClock {
        &self.clock
    }

    /// Returns the history of a new hub.
    pub(crate) fn hub(self: &Arc<Self>) -> HubHistory {
        HubHistory { history: Arc::clone(self), hub: self.hubs.fetch_add(1, Ordering::Relaxed) }
    }

    fn ring_of(&self, group: &str) -> Option<&Mutex<Ring>> {
        let is_match =
            |rule: &HistoryRule| rule.pattern.as_ref().is_none_or(|pattern| pattern.matches(group));
        let index = self.rules.iter().position(is_match)?;
        self.rings.get(index)?.as_ref()
    }

    fn rings(&self) -> impl Iterator<Item = MutexGuard<'_, Ring>> {
        self.rings.iter().flatten().map(|ring| lock(ring))
    }

    /// Returns the counts of all rings, without what has expired at `now`.
    pub(crate) fn counts(&self, now: Instant) -> RingCounts {
        let now = self.clock.at(now).since_start_ms;
        let mut total = RingCounts::default();
        for mut ring in self.rings() {
            ring.drop_expired(now);
            let counts = ring.counts();
            total.messages += counts.messages;
            total.bytes += counts.bytes;
            total.groups += counts.groups;
            total.dropped_messages += counts.dropped_messages;
            total.forgotten_groups += counts.forgotten_groups;
        }
        total
    }
}

impl Reclaim for History {
    fn reclaim(&self, bytes: usize) {
        let mut left = bytes;
        for ring in self.rings.iter().flatten() {
            if let Ok(mut ring) = ring.try_lock() {
                left = left.saturating_sub(ring.shrink(left));
            }
        }
    }
}

impl HubHistory {
    /// Stores a group message at the position that `position` returns, and returns it; `None` for other messages, and for groups
    /// without a history.
    pub(crate) fn append(
        &self,
        message: &Response<'_>,
        expires_at: Option<Instant>,
        now: Instant,
        position: impl FnOnce() -> u64,
    ) -> Option<u64> {
        let Response::GroupMessage { group, .. } = message else { return None };
        let ring = self.history.ring_of(group)?;
        self.store(ring, (group, message), expires_at, now, position)
    }

    /// Stores a message of a group in its ring. Not a part of [`HubHistory::append`] for the compiler, so that messages of groups
    /// without a history do not pay for it.
    #[inline(never)]
    fn store(
        &self,
        ring: &Mutex<Ring>,
        (group, message): (&str, &Response<'_>),
        expires_at: Option<Instant>,
        now: Instant,
        position: impl FnOnce() -> u64,
    ) -> Option<u64> {
        let stored = StoredMessage::new(message)?;
        let clock = &self.history.clock;
        let lines = count_lines(message);
        let mut ring = lock(ring);
        let facts = RecordFacts {
            position: position(),
            group: 0,
            at: ring.time_at(now, clock),
            line: 0,
            expires_at_ms: expires_at.map(|time| clock.at(time).since_start_ms),
        };
        ring.append((self.hub, group), &stored, lines, facts);
        Some(facts.position)
    }

    /// Forgets the groups of the hub, which was removed.
    pub(crate) fn forget(&self) {
        self.history.rings().for_each(|mut ring| ring.forget_hub(self.hub));
    }

    /// Returns the history of all hubs.
    pub(crate) fn service(&self) -> &History {
        &self.history
    }

    /// Begins to read a group: returns its state, and the position before the first message of the range. `None` if the group
    /// has no history.
    pub(crate) fn begin(
        &self,
        group: &str,
        range: &HistoryRange,
        last_position: impl FnOnce() -> u64,
        now: Instant,
    ) -> Option<RangeReader> {
        let mut ring = self.history.ring_of(group).map(lock)?;
        let now = self.history.clock.at(now).since_start_ms;
        ring.drop_expired(now);
        // With the lock, every message of the group up to this position is in the ring.
        let end = last_position();
        let after = ring.start_of(self.hub, group, range);
        let before = range.before.unwrap_or(u64::MAX).min(end.saturating_add(1));
        let state = ring.state(self.hub, group);
        drop(ring);
        Some(RangeReader { history: self.clone(), group: group.into(), state, after, before, now, end })
    }

    /// Returns the start of a range at a time of day, in milliseconds since 1970.
    pub(crate) fn since_time(&self, unix_ms: u64, now: Instant) -> RangeStart {
        let clock = &self.history.clock;
        let age = Duration::from_millis(clock.unix_ms(now).saturating_sub(unix_ms));
        self.since_age(age, now)
    }

    /// Returns the start of a range at an age of messages.
    pub(crate) fn since_age(&self, age: Duration, now: Instant) -> RangeStart {
        RangeStart::Since(self.history.clock.at(now).since_start_ms.saturating_sub(millis(age)))
    }

    /// Calls `for_each` with the groups with a history whose names satisfy `is_match`, those with the newest messages first, at most
    /// `limit`.
    pub(crate) fn for_each_group(
        &self,
        is_match: impl Fn(&str) -> bool,
        (now, limit): (Instant, usize),
        for_each: impl FnMut(GroupSummary),
    ) {
        let now = self.history.clock.at(now).since_start_ms;
        let mut names = Vec::new();
        for mut ring in self.history.rings() {
            ring.drop_expired(now);
            names.extend(ring.groups_of(self.hub));
        }
        names.sort_unstable_by_key(|(last_at, _)| std::cmp::Reverse(*last_at));
        let matching = names.into_iter().filter(|(_, name)| is_match(name)).take(limit);
        // Publishers wait for one group at a time at most.
        let summaries = matching.filter_map(|(_, name)| {
            self.history.ring_of(&name).map(lock).and_then(|ring| ring.summary(self.hub, &name, now))
        });
        summaries.for_each(for_each);
    }
}

/// Reader of a range of messages, piece by piece, so that publishers never wait long for it.
#[derive(Debug)]
pub(crate) struct RangeReader {
    history: HubHistory,
    group: Arc<str>,
    state: GroupState,
    after: u64,
    before: u64,
    /// Time of the request since the start of the history, in milliseconds.
    now: u64,
    end: u64,
}

impl RangeReader {
    /// Returns the head of the response.
    pub(crate) fn head(&self) -> HistoryHead {
        let GroupState { oldest, next } = self.state;
        HistoryHead { run_id: self.history.history.run_id.to_string(), oldest, next }
    }

    /// Waits for the turn to read and encode the next piece, in order of arrival, until the returned permit is dropped: of many
    /// responses only a few take processor time at once, so that publishers do not wait for all of them.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.history.history.turns).acquire_owned().await.ok()
    }

    /// Returns the next messages, up to `max_bytes` of memory but at least one; empty at the end.
    pub(crate) fn next(&mut self, max_bytes: usize) -> Vec<HistoryMessage<'static>> {
        let Some(ring) = self.history.history.ring_of(&self.group).map(lock) else { return Vec::new() };
        let source = (self.history.hub, &*self.group);
        let messages = ring.read(source, (self.after, Some(self.before)), (self.now, max_bytes));
        drop(ring);
        let last = messages.last().map(|message| &message.message);
        if let Some(Response::GroupMessage { sequence: Some(sequence), .. }) = last {
            self.after = sequence.id;
        }
        messages
    }

    /// Returns the end of the response.
    pub(crate) fn end(&self) -> HistoryEnd {
        HistoryEnd { sequence_id: self.end }
    }
}

/// Returns the memory for the messages of all rules, in bytes.
fn total_bytes(rules: &[HistoryRule]) -> u128 {
    rules.iter().filter_map(|rule| rule.retention).map(|retention| retention.max_bytes as u128).sum()
}

fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of responses that read and encode a piece at a time: they leave half of the cores to live messages.
fn turns_at_a_time() -> usize {
    (std::thread::available_parallelism().map_or(1, NonZero::get) / 2).max(1)
}

/// Returns 64 random bits in hexadecimal digits.
fn new_run_id() -> String {
    let mut bytes = [0; 8];
    // Without randomness, connections cannot be created either.
    getrandom::fill(&mut bytes).unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(bytes))
}
