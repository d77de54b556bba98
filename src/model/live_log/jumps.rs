//! Jumps within the log: bookmarks, linked lines, and destinations that the user enters.

use std::ops::RangeInclusive;

use super::{LiveLog, newer::Newer};
use crate::model::{
    destination::Destination, grouped_number::grouped, navigation::Direction, selection::Selection,
    visible_lines::VisibleLines,
};

impl LiveLog {
    /// Returns the current line: that of the caret, which searches and jumps move, or else the first line in view.
    pub(super) fn current_line(&self) -> Option<u64> {
        let caret = self.selection.map(|selection| selection.head.line);
        let held = caret.filter(|id| self.store.line(*id).is_some());
        held.or_else(|| self.lines().id_at(self.viewport.top_line()))
    }

    /// Scrolls to a line, or to the next visible one after it, and makes it the current one.
    pub(super) fn jump_to(&mut self, id: u64) {
        self.revision += 1;
        self.selection = Some(Selection::at_line(id));
        self.pending_top = None;
        let position = self.lines().position_of(id);
        self.viewport.reveal(position);
    }

    /// Bookmarks the current line, or removes its bookmark.
    pub fn toggle_bookmark(&mut self) {
        if let Some(id) = self.current_line() {
            self.bookmarks.toggle(id);
            self.revision += 1;
        }
    }

    /// Goes to the next or the previous bookmark, and around at both ends. Returns whether there is one.
    pub fn step_bookmark(&mut self, direction: Direction) -> bool {
        let current = self.current_line().unwrap_or_default();
        let next = self.bookmarks.next(current, direction);
        if let Some(id) = next {
            self.jump_to(id);
        }
        next.is_some()
    }

    /// Links to the selected lines, or to the current one. Returns their numbers; `None` without lines.
    pub fn link_selection(&mut self) -> Option<RangeInclusive<u64>> {
        let current = self.current_line()?;
        let (first, last) = self.selection.map_or((current, current), |selection| {
            let (start, end) = selection.ends();
            (start.line, end.line)
        });
        self.link(first.max(self.store.first_id()), last)
    }

    /// Links to a line; if `extends`, to all lines from the first linked one to it. Returns their numbers.
    pub fn link_line(&mut self, id: u64, extends: bool) -> Option<RangeInclusive<u64>> {
        let linked = self.linked.first().filter(|_| extends);
        let anchor = linked.and_then(|number| self.store.id_of_number(number)).unwrap_or(id);
        self.selection = Some(Selection::at_line(id));
        self.link(anchor.min(id), anchor.max(id))
    }

    fn link(&mut self, first: u64, last: u64) -> Option<RangeInclusive<u64>> {
        let received = self.store.counts().received;
        // A notice has no number of its own: the next line's stands for it.
        let number = |id| self.lines().number_of(id).min(received);
        let numbers = (received > 0).then(|| number(first)..=number(last));
        self.revision += 1;
        self.linked.set(numbers.clone());
        numbers
    }

    /// Goes to a destination. Returns a message for the user if it cannot be reached now.
    pub fn go_to(&mut self, destination: Destination) -> Option<String> {
        // The filter has not tested lines of this frame yet.
        self.advance_search();
        match destination {
            Destination::Lines(numbers) => self.go_to_lines(numbers),
            Destination::Time(unix_ms) => self.go_to_time(unix_ms),
        }
    }

    /// Follows the newest line. A line that the view was to go to is not waited for any more.
    pub fn follow(&mut self) {
        self.stop_waiting();
        self.viewport.follow();
    }

    /// Scrolls to the first line, and loads the lines before it. A line that the view was to go to is not waited for any more.
    pub fn seek_start(&mut self) {
        self.stop_waiting();
        self.viewport.seek_start();
    }

    fn stop_waiting(&mut self) {
        self.pending_link = None;
        self.linked.stop_waiting();
    }

    fn go_to_lines(&mut self, numbers: RangeInclusive<u64>) -> Option<String> {
        let first = *numbers.start();
        self.pending_link = None;
        self.linked.request(numbers);
        self.revision += 1;
        let newest = self.store.number_of(self.store.next_id()).saturating_sub(1);
        if first > newest {
            let dropped = self.newer.as_ref().map_or(0, Newer::lines);
            if dropped > 0 {
                self.viewport.pause();
                self.load_dropped();
            }
            let is_to_come = first > newest + dropped;
            return is_to_come.then(|| {
                format!("Line {first} has not been received yet; the view will go there when it is")
            });
        }
        if self.loads_awaited_line() {
            return None;
        }
        self.jump_to_linked();
        let is_held = self.store.id_of_number(first).is_some_and(|id| id >= self.store.first_id());
        let obstacle = self.obstacle.take();
        if is_held { obstacle } else { Some(format!("Line {first} is no longer in this page")) }
    }

    fn go_to_time(&mut self, unix_ms: f64) -> Option<String> {
        let lines = self.lines();
        match lines.id_at(lines.position_since(unix_ms)) {
            Some(id) => {
                self.jump_to(id);
                None
            }
            None if VisibleLines::all(&self.store).position_since(unix_ms) < self.store.next_id() => {
                Some("The filter hides all lines since then".to_owned())
            }
            None => Some("No line has been received since then".to_owned()),
        }
    }

    /// Whether the line that the viewport is to scroll to is among the earlier ones, which are then loaded.
    fn loads_awaited_line(&mut self) -> bool {
        let first_held = self.store.number_of(self.store.first_id());
        if self.store.is_empty() || self.linked.awaited().is_none_or(|number| number >= first_held) {
            return false;
        }
        if !self.is_loading() && self.earlier_ranges().is_empty() {
            return false;
        }
        // A page that is full makes room for earlier lines only while it does not follow the end.
        self.viewport.pause();
        self.is_loading() || self.load_earlier()
    }

    /// Scrolls to the linked lines once the first of them is there, or to the nearest visible line if the filter hides it.
    pub(super) fn jump_to_linked(&mut self) {
        // Lines that are appended meanwhile can take the place of the linked one.
        if self.is_loading_newer() || self.loads_awaited_line() {
            return;
        }
        let Some(target) = self.linked.target(&self.store).filter(|id| self.is_nearest_known(*id)) else {
            return;
        };
        let number = self.linked.awaited().unwrap_or_default();
        self.linked.take_target(&self.store);
        let nearest = self.lines().nearest_to(target);
        if nearest != Some(target) {
            let consequence = if nearest.is_some() {
                "the view is at the nearest visible line"
            } else {
                "no line is visible"
            };
            self.obstacle = Some(format!("The filter hides line {}: {consequence}", grouped(number)));
        }
        self.jump_to(nearest.unwrap_or(target));
    }

    /// Whether the filter has tested enough lines to know the visible one that is nearest to a line.
    fn is_nearest_known(&self, id: u64) -> bool {
        let lines = self.lines();
        !self.is_searching || lines.contains(id) || lines.id_at(lines.position_of(id)).is_some()
    }
}
