//! Events of the clients, and lines that the page itself adds.

use webpubsub_client::{
    ClientEvent,
    history::{Disposition, HeldMessage},
};
use webpubsub_protocol::{
    marks::{Mark, Part, parts},
    payload::Payload,
};

use super::LiveLog;
use crate::model::{
    duration::duration_text,
    line_store::{LineKind, Origin},
    local_time::LocalTime,
    payload_text::payload_text,
    source::Source,
};

impl LiveLog {
    /// Handles an event of a connection. Messages only append their lines, so that a flood of them stays cheap.
    pub fn handle_event(&mut self, connection: usize, event: &ClientEvent, now: LocalTime) {
        match event {
            ClientEvent::GroupMessage { group, payload, sequence_id, .. } => {
                let origin = self.sources.origin(LineKind::Group, connection, Some(group));
                if let Some(newer) = &mut self.newer {
                    return newer.count(payload);
                }
                match self.disposition(origin.source, *sequence_id) {
                    Disposition::Skip => {}
                    Disposition::Append => self.append_live(origin, payload, *sequence_id, now),
                    Disposition::Hold => {
                        let (payload, sequence_id) = (payload.clone(), *sequence_id);
                        self.hold_message(origin.source, HeldMessage { sequence_id, payload, arrived: now });
                    }
                }
            }
            ClientEvent::ServerMessage { payload, .. } => {
                let origin = self.sources.origin(LineKind::Server, connection, None);
                self.append_live(origin, payload, None, now);
            }
            event => {
                match event {
                    ClientEvent::Connected { history, .. } => {
                        self.history_connected(connection, history.as_ref());
                    }
                    ClientEvent::Joined { group }
                        if self.newer.is_some() || self.catch_up(connection, Some(group.as_str())) =>
                    {
                        self.sources.filling(connection);
                    }
                    // The messages that are missing within a connection are loaded, too.
                    ClientEvent::Gap { messages: Some(_) }
                        if self.newer.is_some() || self.catch_up(connection, None) =>
                    {
                        self.sources.filling(connection);
                        return;
                    }
                    _ => {}
                }
                if let Some(notice) = self.sources.handle_event(connection, event, now) {
                    self.append_notice(connection, &notice, now);
                }
            }
        }
    }

    /// Appends a notice about missing lines.
    pub(super) fn append_notice(&mut self, connection: usize, notice: &str, now: LocalTime) {
        let origin = self.sources.origin(LineKind::Notice, connection, None);
        self.store.close_lines();
        self.store.begin_message(None);
        self.store.push_message(origin, notice, now.unix_ms);
    }

    /// Appends a message that has just arrived.
    pub(super) fn append_live(
        &mut self,
        origin: Origin,
        payload: &Payload<'_>,
        sequence_id: Option<u64>,
        now: LocalTime,
    ) {
        let connection =
            self.sources.as_slice().get(usize::from(origin.source)).map(|source| source.connection);
        if let Some(connection) = connection
            && let Some(notice) = self.sources.message_received(connection, now)
        {
            self.append_notice(connection, &notice, now);
        }
        if origin.kind == LineKind::Group {
            self.start_numbers();
            if let Some(history) = self.histories.get_mut(usize::from(origin.source)) {
                history.appended(sequence_id);
            }
        }
        self.append_text(origin, &payload_text(payload), sequence_id, now);
    }

    /// Appends the text of a message.
    pub(super) fn append_text(
        &mut self,
        origin: Origin,
        text: &str,
        sequence_id: Option<u64>,
        now: LocalTime,
    ) {
        self.store.begin_message(sequence_id);
        for part in parts(text) {
            self.append_part(origin, part, now);
        }
    }

    fn append_part(&mut self, group: Origin, part: Part<'_>, now: LocalTime) {
        if let Some(Mark::CommandEnd { publisher, exit_code, seconds }) = part.mark {
            self.store.close_lines_of(publisher);
            let notice = Origin { kind: LineKind::Notice, ..group };
            self.store.push_message(notice, &end_text(exit_code, seconds), now.unix_ms);
        }
        let Some(text) = part.text else { return };
        match part.mark {
            Some(Mark::Source { publisher, name, is_unfinished }) => {
                let origin = self.sources.origin_of_mark(group, name);
                // Several names can share a source.
                let writer = format!("{publisher};{name}");
                self.store.push_marked(origin, &writer, text, is_unfinished, now.unix_ms);
            }
            Some(Mark::CommandStart { .. } | Mark::CommandEnd { .. }) | None => {
                self.sources.count_own_lines(group);
                self.store.push_message(group, text, now.unix_ms);
            }
        }
    }

    /// Appends text as if it had been received in a message to the first source.
    pub fn append(&mut self, text: &str, now: LocalTime) {
        self.store.begin_message(None);
        self.store.push_message(LineKind::Group, text, now.unix_ms);
    }

    /// Appends a line of a file.
    pub fn append_file_line(&mut self, line: &str, unix_ms: f64) {
        self.store.begin_message(None);
        self.store.push_message(LineKind::File, line, unix_ms);
    }

    /// Appends a notice of the page.
    pub fn add_notice(&mut self, text: &str, now: LocalTime) {
        self.store.push_message(LineKind::Notice, text, now.unix_ms);
    }

    /// Removes all lines. They count as dropped: numbers of later lines are not affected. [`Self::undo_clear`] restores them until
    /// [`Self::forget_cleared`].
    ///
    /// Lines removed before that can still be restored stay restorable, together with these. Returns how many lines are.
    pub fn clear(&mut self) -> u64 {
        self.selection = None;
        if let Some((lines, bookmarks)) = self.cleared.take()
            && self.store.restore(lines)
        {
            self.bookmarks.add(&bookmarks);
        }
        let held = self.store.counts().held;
        self.cleared = Some((self.store.clear(), self.bookmarks.clone()));
        self.revision += 1;
        held
    }

    /// Restores the lines removed last, with their bookmarks. Returns whether they are back: too many may have been received since.
    pub fn undo_clear(&mut self) -> bool {
        let Some((lines, bookmarks)) = self.cleared.take() else { return false };
        if !self.store.restore(lines) {
            return false;
        }
        self.bookmarks.add(&bookmarks);
        self.search.restart();
        self.records.restart();
        self.filter.restart(self.search.matcher());
        let positions = self.lines().positions();
        self.viewport.renumber(positions.start, positions.end, None);
        self.revision += 1;
        true
    }

    /// Frees the memory of the lines removed last.
    pub fn forget_cleared(&mut self) {
        if let Some((mut lines, _)) = self.cleared.take() {
            self.store.interpret_cleared(&mut lines, usize::MAX);
        }
    }

    /// Returns the sources.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        self.sources.as_slice()
    }

    /// Returns the count of connections that the sources share.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.sources.connections()
    }

    /// Returns the connections that wait to retry or have given up.
    #[must_use]
    pub fn waiting_connections(&self, unix_ms: f64) -> Vec<usize> {
        self.sources.waiting_connections(unix_ms)
    }
}

/// Returns the notice about the end of a command.
fn end_text(exit_code: Option<u8>, seconds: Option<f64>) -> String {
    let code = exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
    let duration =
        seconds.map(|seconds| format!(", {}", duration_text(seconds * 1_000.0))).unwrap_or_default();
    format!("ended{code}{duration}")
}
