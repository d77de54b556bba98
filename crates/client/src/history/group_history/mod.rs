//! Messages of a group in order: earlier ones, missed ones, and live ones.
//!
//! A client that has joined a group loads what came before, and holds the messages that arrive meanwhile. When the response has
//! ended, those that it contains are dropped, and the others follow. After an interruption, it loads what was missed in the same
//! way. So every message is shown once, in order.

use super::{
    HistoryAccess, HistoryHead, HistoryPosition, HistoryRange, HistoryStart, MessageNumber,
    held::{HeldMessage, HeldMessages},
};

/// Message that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ShownMessage {
    sequence_id: u64,
    /// Number of the message in its group, if known.
    number: Option<u64>,
    /// Whether the number is from the history. Live messages are only counted, and a client does not get those that it sent without
    /// an echo, or that were sent to others alone.
    is_exact: bool,
}

/// Messages that cannot be shown any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// As many as given.
    Count(u64),
    /// The server was restarted: it knows nothing of the messages before.
    Restart,
}

/// Order of the messages of one group: a state machine without I/O. `T` is what is known of the arrival of a held message.
#[derive(Debug)]
pub struct GroupHistory<T> {
    access: Option<HistoryAccess>,
    /// Whether it is known if the service has a history.
    is_known: bool,
    /// Run of the service that `last` belongs to.
    run_id: String,
    last: Option<ShownMessage>,
    /// Number of the first message that was loaded or received, and of its first line.
    first: Option<MessageNumber>,
    /// Oldest message that the service keeps, as far as known.
    oldest: Option<HistoryPosition>,
    /// Messages that arrive before what came before them is loaded: from the connection on.
    held: Option<HeldMessages<T>>,
    is_loading: bool,
    /// Sequence id up to which responses had every message: a live message can arrive after the response that contains it.
    covered_to: u64,
    missing: Option<Missing>,
    /// Number of the message behind those that are loading.
    expected_next: u64,
    failure: Option<String>,
}

/// Treatment of a message that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It comes next.
    Append,
    /// It waits: pass it to [`GroupHistory::hold`].
    Hold,
    /// It was shown before.
    Skip,
}

impl<T> Default for GroupHistory<T> {
    /// Creates the history of a group that was not joined yet.
    fn default() -> Self {
        Self {
            access: None,
            is_known: false,
            run_id: String::new(),
            last: None,
            first: None,
            oldest: None,
            held: None,
            is_loading: false,
            covered_to: 0,
            missing: None,
            expected_next: 0,
            failure: None,
        }
    }
}

impl<T> GroupHistory<T> {
    /// Sets the access to the history of a new connection; `None` if the service has none.
    pub fn connected(&mut self, access: Option<&HistoryAccess>) {
        if access.is_none_or(|access| access.run_id() != self.run_id) {
            self.covered_to = 0;
        }
        self.access = access.cloned();
        self.is_known = true;
        self.is_loading = false;
        // The history has those that were held before. A message can arrive before the group is known to be joined.
        self.held = access.map(|_| HeldMessages::default());
    }

    /// Returns the access.
    #[must_use]
    pub fn access(&self) -> Option<&HistoryAccess> {
        self.access.as_ref()
    }

    /// Returns the run of the service that the shown messages belong to; empty if none was loaded.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Sets an access with a new token.
    pub fn renew(&mut self, access: HistoryAccess) {
        self.access = Some(access);
    }

    /// Whether the service is known to have no history.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.is_known && self.access.is_none()
    }

    /// Begins to load what came before the next message: `first` if none was shown yet, or else what was missed since, which is
    /// everything in another run of the service. Returns the range; `None` without a history, or if it is loading already.
    pub fn begin(&mut self, first: HistoryRange) -> Option<HistoryRange> {
        let access = self.access.as_ref()?;
        if std::mem::replace(&mut self.is_loading, true) {
            return None;
        }
        self.held.get_or_insert_default();
        self.failure = None;
        Some(match self.last {
            Some(last) if access.run_id() == self.run_id => HistoryStart::After(last.sequence_id).into(),
            Some(_) => HistoryStart::After(0).into(),
            None => first,
        })
    }

    /// Returns what to do with a message that has arrived.
    #[must_use]
    pub fn disposition(&self, sequence_id: Option<u64>) -> Disposition {
        if self.held.is_some() {
            Disposition::Hold
        } else if sequence_id.is_some_and(|id| id <= self.covered_to) {
            Disposition::Skip
        } else {
            Disposition::Append
        }
    }

    /// Holds a message until what comes before it has been loaded.
    pub fn hold(&mut self, message: HeldMessage<T>) {
        if let Some(held) = &mut self.held {
            held.push(message);
        }
    }

    /// Counts a live message that is appended.
    pub fn appended(&mut self, sequence_id: Option<u64>) {
        let Some(sequence_id) = sequence_id else { return };
        let number = self.last.and_then(|last| last.number).map(|number| number.saturating_add(1));
        self.last = Some(ShownMessage { sequence_id, number, is_exact: false });
    }

    /// Handles the head of a response.
    pub fn head_loaded(&mut self, head: &HistoryHead) {
        self.oldest = head.oldest;
        let is_same_run = head.run_id == self.run_id;
        if !is_same_run && self.last.take().is_some() {
            self.missing = Some(Missing::Restart);
            // Numbers count from the start of the service.
            self.first = None;
        }
        self.run_id.clone_from(&head.run_id);
        self.count_missing_before(head.oldest.map_or(head.next.message, |oldest| oldest.number.message));
        self.expected_next = head.next.message;
        self.first.get_or_insert(head.next);
    }

    /// Counts the messages between the last one of the response and the one with this number: the service dropped them while it sent
    /// the response.
    fn count_dropped_before(&mut self, next: u64) {
        if self.last.is_some_and(|last| last.is_exact) {
            self.count_missing_before(next);
        }
    }

    /// Counts the messages between the last one that was shown and the one with this number.
    fn count_missing_before(&mut self, next: u64) {
        let Some(ShownMessage { number: Some(number), .. }) = &mut self.last else { return };
        let count = next.saturating_sub(number.saturating_add(1));
        if count > 0 {
            *number = next - 1;
            self.missing = Some(match self.missing {
                Some(Missing::Restart) => Missing::Restart,
                Some(Missing::Count(before)) => Missing::Count(before.saturating_add(count)),
                None => Missing::Count(count),
            });
        }
    }

    /// Handles a message of a response that catches up, which is appended. Returns `false` if it was shown before. Messages can be
    /// missing before it: see [`Self::take_missing`].
    pub fn message_loaded(&mut self, sequence_id: u64, number: MessageNumber) -> bool {
        if self.last.is_some_and(|last| sequence_id <= last.sequence_id) {
            return false;
        }
        if self.last.is_none() {
            self.first = Some(number);
        }
        self.count_dropped_before(number.message);
        self.last = Some(ShownMessage { sequence_id, number: Some(number.message), is_exact: true });
        true
    }

    /// Handles the end of a response that has every message up to `end`, except those in [`Self::take_missing`]. Returns the held messages behind it, which are appended,
    /// and a further range if not all of them could be held.
    pub fn caught_up(&mut self, end: u64) -> (Vec<HeldMessage<T>>, Option<HistoryRange>) {
        let Some(mut held) = self.held.take() else { return (Vec::new(), None) };
        self.count_dropped_before(self.expected_next);
        if held.has_overflowed() {
            self.held = Some(HeldMessages::default());
            let after = self.last.map_or(end, |last| last.sequence_id.max(end));
            self.covered_to = after;
            if self.last.is_none() {
                self.last = Some(ShownMessage { sequence_id: end, number: None, is_exact: false });
            }
            return (Vec::new(), Some(HistoryStart::After(after).into()));
        }
        let shown = self.last.map_or(end, |last| last.sequence_id.max(end));
        (self.covered_to, self.is_loading) = (shown, false);
        (held.take_behind(shown), None)
    }

    /// Handles a response that failed. Returns the held messages, which are appended.
    pub fn failed(&mut self, reason: String) -> Vec<HeldMessage<T>> {
        self.failure = Some(reason);
        let shown = self.last.map_or(0, |last| last.sequence_id);
        (self.covered_to, self.is_loading) = (shown, false);
        self.held.take().map_or_else(Vec::new, |mut held| held.take_behind(shown))
    }

    /// Handles that messages which were shown are held no more: `messages` of them, from the one with this sequence id to the last.
    /// [`Self::begin`] loads them again.
    pub fn dropped_from(&mut self, sequence_id: u64, messages: u64) {
        if let Some(last) = &mut self.last {
            last.sequence_id = sequence_id.saturating_sub(1);
            self.covered_to = last.sequence_id;
            last.number = last.number.and_then(|number| number.checked_sub(messages));
        }
    }

    /// Returns the messages that are missing before those that were loaded.
    pub fn take_missing(&mut self) -> Option<Missing> {
        self.missing.take()
    }

    /// Whether the service has messages before the one with this sequence id.
    #[must_use]
    pub fn has_before(&self, sequence_id: u64) -> bool {
        self.access.is_some() && self.oldest.is_some_and(|oldest| oldest.sequence_id < sequence_id)
    }

    /// Handles the head of a response with earlier messages.
    pub fn earlier_head_loaded(&mut self, head: &HistoryHead) {
        // After a restart, the positions before have no meaning.
        self.oldest = if head.run_id == self.run_id { head.oldest } else { None };
    }

    /// Handles earlier messages that are put before the others; `first` is the number of the first one.
    pub fn earlier_loaded(&mut self, first: MessageNumber) {
        self.first = Some(first);
    }

    /// Whether the first message that was loaded is the oldest that the service had then.
    #[must_use]
    pub fn begins_with_oldest(&self) -> bool {
        self.oldest.is_some_and(|oldest| self.first == Some(oldest.number))
    }

    /// Returns the number of lines before the first one that the service does not keep any more.
    #[must_use]
    pub fn lines_gone(&self) -> u64 {
        self.first.map_or(0, |first| first.line.saturating_sub(1))
    }

    /// Returns the number of lines before the oldest one that the service keeps, as far as known.
    #[must_use]
    pub fn lines_not_kept(&self) -> u64 {
        self.oldest.map_or_else(|| self.lines_gone(), |oldest| oldest.number.line.saturating_sub(1))
    }

    /// Returns the number of the first message, and of its first line.
    #[must_use]
    pub fn first(&self) -> Option<MessageNumber> {
        self.first
    }

    /// Sets the reason why the history could not be loaded; `None` before another attempt.
    pub fn set_failure(&mut self, reason: Option<String>) {
        self.failure = reason;
    }

    /// Returns the reason why the history could not be loaded.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

#[cfg(test)]
mod tests;
