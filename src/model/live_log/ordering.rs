//! Order of loaded and live messages: what has arrived waits until what came before it is loaded.

use webpubsub_client::{
    HistoryAccess, HistoryFailure,
    history::{Disposition, HeldMessage, Missing},
};

use super::{
    LiveLog,
    loaded_message::{LoadedMessage, rest_of_lines},
    loading::LoadKind,
};
use crate::model::{
    history::first_range,
    line_store::{LineKind, Origin},
    local_time::LocalTime,
    payload_text::payload_text,
};

impl LiveLog {
    /// Sets the access of a connection to the history of its groups; `None` if the service has none.
    pub(super) fn history_connected(&mut self, connection: usize, access: Option<&HistoryAccess>) {
        if access.is_some() {
            self.store.reserve_earlier_ids();
        }
        for source in self.sources_of(connection) {
            self.loads.active.retain(|load| load.source != source);
            if let Some(history) = self.histories.get_mut(usize::from(source)) {
                history.connected(access);
            }
        }
        self.loads.first_shown = None;
    }

    /// Begins to load what the sources of a connection have missed. Returns whether any of them does.
    pub(super) fn catch_up(&mut self, connection: usize, group: Option<&str>) -> bool {
        let mut has_begun = false;
        for source in self.sources_of(connection) {
            let is_meant = self
                .sources
                .as_slice()
                .get(usize::from(source))
                .is_some_and(|source| group.is_none_or(|group| source.group.as_str() == group));
            let count = self.histories.len();
            let Some(history) = self.histories.get_mut(usize::from(source)).filter(|_| is_meant) else {
                continue;
            };
            let is_first = history.first().is_none();
            if let Some(range) = history.begin(first_range(count)) {
                let kind =
                    if is_first && count > 1 { LoadKind::First(Vec::new()) } else { LoadKind::CatchUp };
                self.start_load(source, range, kind);
                has_begun = true;
            }
        }
        has_begun
    }

    fn sources_of(&self, connection: usize) -> Vec<u16> {
        let sources = (0..).zip(self.sources.as_slice());
        sources.filter(|(_, source)| source.connection == connection).map(|(number, _)| number).collect()
    }

    /// Loads the messages of all sources behind those that are held.
    pub(super) fn load_newer(&mut self) {
        let count = self.histories.len();
        for source in 0..u16::try_from(count).unwrap_or(u16::MAX) {
            let history = self.histories.get_mut(usize::from(source));
            if let Some(range) = history.and_then(|history| history.begin(first_range(count))) {
                self.start_load(source, range, LoadKind::CatchUp);
            }
        }
    }

    /// Returns what to do with a message of a source.
    pub(super) fn disposition(&self, source: u16, sequence_id: Option<u64>) -> Disposition {
        let history = self.histories.get(usize::from(source));
        history.map_or(Disposition::Append, |history| history.disposition(sequence_id))
    }

    pub(super) fn hold_message(&mut self, source: u16, message: HeldMessage<LocalTime>) {
        if let Some(history) = self.histories.get_mut(usize::from(source)) {
            history.hold(message);
        }
    }

    pub(super) fn append_loaded(&mut self, message: &LoadedMessage, now: LocalTime) {
        self.start_numbers();
        let origin = Origin { kind: LineKind::Group, source: message.source };
        let at = LocalTime { unix_ms: message.published_ms, ..now };
        let text = payload_text(&message.payload);
        let held = self.lines_held_of(message.source, message.sequence_id);
        self.append_text(origin, rest_of_lines(&text, held), Some(message.sequence_id), at);
    }

    /// Numbers the lines from the beginning of the groups.
    pub(super) fn start_numbers(&mut self) {
        if self.store.counts().received == 0 {
            self.store
                .start_numbers_at(1 + self.histories.iter().map(|history| history.lines_gone()).sum::<u64>());
        }
    }

    /// Appends the first messages of all sources in order of time, then what has arrived since.
    pub(super) fn append_first(&mut self, now: LocalTime) {
        let mut messages = std::mem::take(&mut self.loads.first);
        messages.sort_by(|one, other| one.published_ms.total_cmp(&other.published_ms));
        for message in &messages {
            self.append_loaded(message, now);
        }
        self.new_from = self.store.next_id();
        for (source, end) in std::mem::take(&mut self.loads.first_ends) {
            self.follow_loaded(source, end, now);
        }
    }

    /// Appends the messages that have arrived while those before them were loading.
    pub(super) fn follow_loaded(&mut self, source: u16, end: u64, now: LocalTime) {
        let Some(history) = self.histories.get_mut(usize::from(source)) else { return };
        let (messages, further) = history.caught_up(end);
        if let Some(missing) = history.take_missing() {
            self.report_missing(source, missing, now);
        }
        self.append_held(source, messages);
        if let Some(range) = further {
            return self.start_load(source, range, LoadKind::CatchUp);
        }
        self.sources.filled(self.connection_of(source), now);
    }

    fn append_held(&mut self, source: u16, messages: Vec<HeldMessage<LocalTime>>) {
        let origin = Origin { kind: LineKind::Group, source };
        for message in messages {
            self.append_live(origin, &message.payload, message.sequence_id, message.arrived);
        }
    }

    pub(super) fn load_failed(&mut self, source: u16, failure: &HistoryFailure, now: LocalTime) {
        let Some(history) = self.histories.get_mut(usize::from(source)) else { return };
        let messages = history.failed(failure.to_string());
        let connection = self.connection_of(source);
        match self.sources.not_filled(connection, now) {
            Some(notice) => self.append_notice(connection, &notice, now),
            None => self.append_notice(connection, &format!("Earlier lines are incomplete: {failure}"), now),
        }
        self.append_held(source, messages);
    }

    pub(super) fn report_missing(&mut self, source: u16, missing: Missing, now: LocalTime) {
        let connection = self.connection_of(source);
        let notice = self.sources.missing_before(connection, missing, now);
        self.append_notice(connection, &notice, now);
    }

    fn connection_of(&self, source: u16) -> usize {
        self.sources.as_slice().get(usize::from(source)).map_or(0, |source| source.connection)
    }
}
