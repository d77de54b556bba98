//! Messages before the first line: loaded when the user scrolls up, and put before the others.

use webpubsub_protocol::marks::is_unfinished_line;

use super::{
    LiveLog,
    loaded_message::{LoadedMessage, first_lines},
    loading::LoadKind,
};
use crate::model::{
    history::{EARLIER_BYTES, top_row::TopRow},
    line_store::{LineKind, MessagePlace, Origin},
    local_time::LocalTime,
    payload_text::payload_text,
};

impl LiveLog {
    /// Loads earlier messages of the source whose first line is the newest of all first lines. Returns whether it does: not while
    /// other messages are loading, which can take the place of that line.
    pub fn load_earlier(&mut self) -> bool {
        if self.is_loading() || !self.has_room_for_earlier() {
            return false;
        }
        let candidates = self.earlier_ranges();
        let newest = candidates.into_iter().max_by_key(|(_, place, _)| place.sequence_id);
        let Some((source, held_from, range)) = newest else { return false };
        if let Some(history) = self.histories.get_mut(usize::from(source)) {
            history.set_failure(None);
        }
        self.start_load(source, range, LoadKind::Earlier { messages: Vec::new(), held_from });
        true
    }

    /// Loads earlier messages if the view is near the first line. Returns whether it does.
    pub(super) fn load_earlier_near_top(&mut self) -> bool {
        self.viewport.is_near_start() && self.row_above() == TopRow::More && self.load_earlier()
    }

    /// Whether earlier lines fit, perhaps in place of the newest.
    fn has_room_for_earlier(&self) -> bool {
        self.store.has_room_for(bytes(EARLIER_BYTES)) || self.can_drop_newest()
    }

    /// Puts loaded messages before the first line of their source. Drops them if it is not at `held_from` any more: then lines
    /// between them and the new first line are missing.
    pub(super) fn prepend_loaded(
        &mut self,
        source: u16,
        mut messages: Vec<LoadedMessage>,
        held_from: MessagePlace,
        now: LocalTime,
    ) {
        // Messages that the service dropped while it sent the response would be missing in the middle.
        let is_gap = |pair: &[LoadedMessage]| matches!(pair, [one, next] if one.number.message + 1 < next.number.message);
        if let Some(last_gap) = messages.windows(2).rposition(is_gap) {
            messages.drain(..=last_gap);
        }
        let Some(first) = messages.first().map(|message| message.number) else { return };
        // The first line that is held replaces states of it that end here.
        let is_replaced = |message: &LoadedMessage| is_unfinished_line(&payload_text(&message.payload));
        while held_from.line == 0 && messages.len() > 1 && messages.last().is_some_and(is_replaced) {
            messages.pop();
        }
        if self.first_line_of(source) != Some(held_from) {
            self.revision += 1;
            return;
        }
        let earlier = self.store_for_earlier();
        let later = std::mem::replace(&mut self.store, earlier);
        for message in &messages {
            let origin = Origin { kind: LineKind::Group, source };
            let at = LocalTime { unix_ms: message.published_ms, ..now };
            let text = payload_text(&message.payload);
            let is_partly_held = held_from.sequence_id == Some(message.sequence_id);
            let text = if is_partly_held { first_lines(&text, held_from.line) } else { &text };
            if !is_partly_held || held_from.line > 0 {
                self.append_text(origin, text, Some(message.sequence_id), at);
            }
        }
        let earlier = std::mem::replace(&mut self.store, later);
        let top = self.pending_top.or_else(|| self.lines().id_at(self.viewport.top_line()));
        if earlier.is_empty() {
            let from = messages.first().map_or(0, |message| message.sequence_id);
            self.loads.empty_from.retain(|(of, ..)| *of != source);
            self.loads.empty_from.push((source, held_from, from));
            self.revision += 1;
        }
        if self.make_room_for(&earlier) && self.store.prepend(earlier) > 0 {
            if let Some(history) = self.histories.get_mut(usize::from(source)) {
                history.earlier_loaded(first);
            }
            self.lines_were_prepended(top);
        }
    }

    fn lines_were_prepended(&mut self, top: Option<u64>) {
        self.search.restart();
        self.records.restart();
        self.filter.restart(self.search.matcher());
        self.revision += 1;
        let positions = self.lines().positions();
        if self.is_filtered() {
            self.pending_top = top;
            self.viewport.renumber(positions.start, positions.end, None);
        } else {
            self.viewport.prepended(positions.start, positions.end);
        }
    }

    /// Scrolls to the first line again while the user waits for it, until there are no earlier ones to load.
    pub(super) fn continue_to_start(&mut self) {
        if self.viewport.is_seeking_start() {
            self.pending_top = None;
            if matches!(self.top_row, TopRow::ToStart(_)) {
                self.viewport.seek_start();
            } else {
                self.viewport.to_start();
            }
        }
    }

    /// Returns the content of the row above the first line.
    pub fn top_row(&mut self) -> TopRow {
        match self.row_above() {
            TopRow::More | TopRow::Loading if self.viewport.is_seeking_start() => {
                TopRow::ToStart(self.lines_to_load())
            }
            row => row,
        }
    }

    /// Returns the count of lines before the first one that the service keeps.
    fn lines_to_load(&self) -> u64 {
        let not_kept: u64 = self.histories.iter().map(|history| history.lines_not_kept()).sum();
        self.store.number_of(self.store.first_id()).saturating_sub(1 + not_kept)
    }

    /// Returns whether there are earlier lines, and whether they can be loaded.
    pub(super) fn row_above(&mut self) -> TopRow {
        let dropped = self.store.counts().dropped;
        if self.loads.active.iter().any(|load| {
            !matches!(load.kind, LoadKind::CatchUp) || load.range.before.is_none() && self.store.is_empty()
        }) {
            return TopRow::Loading;
        }
        let has_room = self.has_room_for_earlier();
        let with_earlier: Vec<u16> = self.earlier_ranges().into_iter().map(|(source, ..)| source).collect();
        let rows = (0..).zip(&self.histories).map(|(source, history)| {
            if let Some(reason) = history.failure() {
                TopRow::Failed(reason.to_owned())
            } else if with_earlier.contains(&source) {
                if has_room { TopRow::More } else { TopRow::Full }
            } else if history.is_unavailable() && dropped == 0 {
                TopRow::Unavailable
            } else {
                TopRow::from_gone(history.lines_gone())
            }
        });
        let row = rows.fold(TopRow::Empty, TopRow::or);
        match row {
            TopRow::Empty | TopRow::Unavailable => TopRow::from_gone(dropped).or(row),
            row => row,
        }
    }
}

fn bytes(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
