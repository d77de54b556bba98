//! Places in the log that the reader comes back to: bookmarks, lines that an address names, a time.

use std::ops::RangeInclusive;

use super::LiveLog;
use crate::model::{
    destination::Destination,
    line_store::{Line, LineKind},
    selection::{Selection, TextPlace},
};

/// Most bookmarks; a further one takes the place of the oldest.
pub const MAX_BOOKMARKS: usize = 1_000;

/// What a row is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowPlace {
    /// The line with the current hit.
    pub is_current: bool,
    /// A bookmark.
    pub is_bookmarked: bool,
    /// One of the lines that the page's address names.
    pub is_linked: bool,
}

impl LiveLog {
    /// What the row of a line is to the reader.
    #[must_use]
    pub fn place_of(&self, line: &Line<'_>) -> RowPlace {
        let linked = self.linked.as_ref().filter(|_| line.kind != LineKind::Notice);
        RowPlace {
            is_current: self.finding.current() == Some(line.id),
            is_bookmarked: self.bookmarks.binary_search(&line.id).is_ok(),
            is_linked: linked.is_some_and(|linked| linked.contains(&self.number_of(line.id))),
        }
    }

    /// The number that the reader knows a line by.
    pub(super) fn number_of(&self, id: u64) -> u64 {
        self.store.received_before(id) + 1
    }

    /// The line that the reader is at: where he last was with a selection, a search or a jump, or else the topmost.
    #[must_use]
    pub fn current_line(&self) -> Option<u64> {
        let head = self.selection.map(|selection| selection.head.line);
        let here = head.filter(|id| self.store.line(*id).is_some());
        here.or_else(|| self.line_at(self.viewport.top_line()).map(|line| line.id))
    }

    /// Shows a line, or the next one shown after it, and makes it the current one.
    pub(super) fn go_to(&mut self, id: u64) {
        self.revision += 1;
        self.selection = Some(Selection::at(TextPlace { line: id, byte: 0 }));
        self.wanted_top = None;
        let position = self.position_of(id);
        self.viewport.reveal(position);
    }

    /// Marks the current line, or no longer.
    pub fn toggle_bookmark(&mut self) {
        let Some(id) = self.current_line() else { return };
        match self.bookmarks.binary_search(&id) {
            Ok(at) => drop(self.bookmarks.remove(at)),
            Err(at) => {
                self.bookmarks.insert(at, id);
                if self.bookmarks.len() > MAX_BOOKMARKS {
                    self.bookmarks.remove(0);
                }
            }
        }
        self.revision += 1;
    }

    /// Goes to the next bookmark, or to the one before; from the last one to the first. Whether there is one.
    pub fn step_bookmark(&mut self, is_forward: bool) -> bool {
        let here = self.current_line().unwrap_or_default();
        let target = if is_forward {
            self.bookmarks.iter().find(|id| **id > here).or(self.bookmarks.first())
        } else {
            self.bookmarks.iter().rev().find(|id| **id < here).or(self.bookmarks.last())
        };
        let Some(id) = target.copied() else { return false };
        self.go_to(id);
        true
    }

    /// Bookmarks of lines that are no longer held are none.
    pub(super) fn forget_dropped(&mut self) {
        let first = self.store.first_id();
        let dropped = self.bookmarks.partition_point(|id| *id < first);
        self.bookmarks.drain(..dropped);
    }

    /// Names the lines selected, or the current one, for the page's address.
    pub fn link_selected(&mut self) -> Option<RangeInclusive<u64>> {
        let current = self.current_line()?;
        let (start, end) = self.selection.map_or((current, current), |selection| {
            let (start, end) = selection.ends();
            (start.line, end.line)
        });
        self.link(start.max(self.store.first_id()), end)
    }

    /// Names the line `id` for the page's address; with those from the line named before, when `is_range`.
    pub fn link_line(&mut self, id: u64, is_range: bool) -> Option<RangeInclusive<u64>> {
        let begun = self.linked.as_ref().filter(|_| is_range).map(|linked| *linked.start());
        let start = begun.and_then(|number| self.store.id_of_number(number)).unwrap_or(id);
        self.selection = Some(Selection::at(TextPlace { line: id, byte: 0 }));
        self.link(start.min(id), start.max(id))
    }

    fn link(&mut self, first: u64, last: u64) -> Option<RangeInclusive<u64>> {
        // A row of the page's own has no number: the next line's is meant.
        let received = self.store.counts().received;
        let number = |id| self.number_of(id).min(received);
        let lines = number(first)..=number(last);
        self.revision += 1;
        self.linked = (received > 0).then_some(lines);
        self.awaits_linked = false;
        self.linked.clone()
    }

    /// Goes to a line or a time. Says what is in the way, if something is.
    pub fn go_to_destination(&mut self, destination: Destination) -> Option<String> {
        match destination {
            Destination::Lines(lines) => {
                let first = *lines.start();
                self.linked = Some(lines);
                self.awaits_linked = true;
                self.revision += 1;
                let counts = self.store.counts();
                if first > counts.received {
                    return Some(format!("line {first} has not come yet: the view goes there when it does"));
                }
                self.go_to_linked();
                let is_gone = self.store.id_of_number(first).is_none_or(|id| id < self.store.first_id());
                is_gone.then(|| format!("line {first} is gone: this page keeps the newest lines"))
            }
            Destination::Time(unix_ms) => match self.line_at(self.position_at(unix_ms)).map(|line| line.id) {
                Some(id) => {
                    self.go_to(id);
                    None
                }
                None => Some("no line has come since then".to_owned()),
            },
        }
    }

    /// Goes to the lines that are named, once the first of them is there.
    pub(super) fn go_to_linked(&mut self) {
        let Some(first) = self.linked.as_ref().filter(|_| self.awaits_linked).map(|lines| *lines.start())
        else {
            return;
        };
        if let Some(id) = self.store.id_of_number(first) {
            self.awaits_linked = false;
            self.go_to(id.max(self.store.first_id()));
        }
    }

    /// The position of the first line shown that came at `unix_ms` or later. Lines come in the order of their arrival.
    fn position_at(&self, unix_ms: f64) -> u64 {
        let (mut from, mut to) = self.positions();
        while from < to {
            let middle = from + (to - from) / 2;
            if self.line_at(middle).is_some_and(|line| line.arrived_ms < unix_ms) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }
}
