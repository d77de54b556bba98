//! Newest messages that are not held: a page that is full drops them while the user reads earlier ones, and loads them when the
//! user returns to the end.

use std::collections::HashSet;

use webpubsub_protocol::payload::Payload;

use super::LiveLog;
use crate::model::{
    line_store::{LineStore, MessagePlace},
    payload_text::payload_text,
};

/// Messages that the page does not hold because the user reads earlier ones.
#[derive(Debug, Default)]
pub(super) struct Newer {
    lines: u64,
    /// Message of which only the first lines are held.
    cut: Option<CutMessage>,
}

/// Message of which only the first lines are held.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutMessage {
    source: u16,
    sequence_id: u64,
    lines: u32,
}

impl Newer {
    /// Returns the count of lines, as far as they are known.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Counts the lines of a message that has arrived.
    pub(super) fn count(&mut self, payload: &Payload<'_>) {
        let text = payload_text(payload);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        self.lines += 1 + text.matches('\n').count() as u64;
    }
}

/// Lines of a source that were dropped.
#[derive(Debug, Default)]
struct DroppedLines {
    /// Place of the oldest.
    oldest: Option<MessagePlace>,
    /// Sequence ids of their messages.
    messages: HashSet<u64>,
}

impl LiveLog {
    /// Returns a store for earlier lines, as many as fit.
    pub(super) fn store_for_earlier(&self) -> LineStore {
        if self.can_drop_newest() {
            self.store.for_lines_in_place_of_newest()
        } else {
            self.store.for_earlier_lines()
        }
    }

    /// Whether earlier lines may take the place of the newest: not while the user is at the end.
    pub(super) fn can_drop_newest(&self) -> bool {
        !self.viewport.is_following() && !self.is_loading_newer() && self.store.can_make_room()
    }

    /// Drops the newest lines if `earlier` does not fit otherwise. Returns whether it fits then.
    pub(super) fn make_room_for(&mut self, earlier: &LineStore) -> bool {
        if self.store.fits(earlier) {
            return true;
        }
        if !self.can_drop_newest() {
            return false;
        }
        let mut dropped: Vec<DroppedLines> = self.histories.iter().map(|_| DroppedLines::default()).collect();
        let mut lines = 0;
        let sources = &self.sources;
        self.store.make_room(earlier, |line| {
            lines += 1;
            let group = usize::from(sources.group_of(line.source));
            if let (Some(id), Some(dropped)) = (line.place.sequence_id, dropped.get_mut(group)) {
                dropped.oldest = Some(line.place);
                dropped.messages.insert(id);
            }
        });
        let newer = self.newer.get_or_insert_default();
        newer.lines += lines;
        newer.cut = None;
        for ((source, history), dropped) in (0..).zip(&mut self.histories).zip(dropped) {
            let Some(MessagePlace { sequence_id: Some(sequence_id), line: lines }) = dropped.oldest else {
                continue;
            };
            history.dropped_from(sequence_id, dropped.messages.len() as u64);
            if lines > 0 {
                newer.cut = Some(CutMessage { source, sequence_id, lines });
            }
        }
        self.loads.first_shown = None;
        let next_id = self.store.next_id();
        self.selection = self.selection.filter(|selection| selection.ends().1.line < next_id);
        true
    }

    /// Loads what was dropped or not taken if the user is at the end.
    pub(super) fn load_newer_at_end(&mut self) {
        if self.viewport.is_following() {
            self.load_dropped();
        }
    }

    /// Loads what was dropped or not taken.
    pub(super) fn load_dropped(&mut self) {
        if let Some(newer) = self.newer.take() {
            self.cut = newer.cut;
            self.load_newer();
        }
    }

    /// Returns how many lines at the beginning of a message are held: the others were dropped with the newest.
    pub(super) fn lines_held_of(&mut self, source: u16, sequence_id: u64) -> u32 {
        let of_message = |cut: &mut CutMessage| (cut.source, cut.sequence_id) == (source, sequence_id);
        self.cut.take_if(of_message).map_or(0, |cut| cut.lines)
    }
}
