//! First line of each group: earlier messages are those before it.

use webpubsub_client::HistoryRange;

use super::LiveLog;
use crate::model::{history::earlier_range, line_store::MessagePlace};

/// First line of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstLine {
    /// It has none among the lines that were looked at.
    Unknown,
    /// It was dropped since.
    Dropped,
    /// Its id and place.
    At(u64, MessagePlace),
}

/// First line of each source, for the lines from `first_id` to `next_id`.
#[derive(Debug)]
pub(super) struct FirstLines {
    first_id: u64,
    next_id: u64,
    lines: Vec<FirstLine>,
}

impl LiveLog {
    /// Returns the sources that have earlier messages, the place of their first line, and the range before it.
    pub(super) fn earlier_ranges(&mut self) -> Vec<(u16, MessagePlace, HistoryRange)> {
        let places = self.first_shown();
        let ranges = (0..).zip(&self.histories).zip(places);
        ranges
            .filter_map(|((source, history), place)| {
                let place = place?;
                // Of a message whose first lines were dropped, those are loaded again.
                let mut before = place.sequence_id?.saturating_add(u64::from(place.line > 0));
                let is_here = |(of, at, _): &&(u16, MessagePlace, u64)| (*of, *at) == (source, place);
                if let Some((.., from)) = self.loads.empty_from.iter().find(is_here) {
                    before = before.min(*from);
                }
                history.has_before(before).then(|| (source, place, earlier_range(before)))
            })
            .collect()
    }

    /// Returns the place of the first line of a source.
    pub(super) fn first_line_of(&mut self, source: u16) -> Option<MessagePlace> {
        self.first_shown().get(usize::from(source)).copied().flatten()
    }

    /// Returns the place of the first line of each group. Looks at lines once where it can: there can be many without a group, such as
    /// those of a file, and groups without a line.
    fn first_shown(&mut self) -> Vec<Option<MessagePlace>> {
        let (first_id, next_id) = (self.store.first_id(), self.store.next_id());
        let mut first =
            self.loads.first_shown.take().filter(|known| known.first_id <= first_id).unwrap_or_else(|| {
                let lines = vec![FirstLine::Unknown; self.histories.len()];
                FirstLines { first_id, next_id: first_id, lines }
            });
        let mut has_dropped = false;
        for line in &mut first.lines {
            if matches!(line, FirstLine::At(id, _) if *id < first_id) {
                (*line, has_dropped) = (FirstLine::Dropped, true);
            }
        }
        if has_dropped {
            self.find_first_lines(&mut first.lines, FirstLine::Dropped, first_id);
        }
        self.find_first_lines(&mut first.lines, FirstLine::Unknown, first.next_id);
        (first.first_id, first.next_id) = (first_id, next_id);
        for line in &mut first.lines {
            if *line == FirstLine::Dropped {
                *line = FirstLine::Unknown;
            }
        }
        let places = first.lines.iter().map(|line| match line {
            FirstLine::At(_, place) => Some(*place),
            FirstLine::Dropped | FirstLine::Unknown => None,
        });
        let places = places.collect();
        self.loads.first_shown = Some(first);
        places
    }

    /// Fills the first lines that are `wanted` from the lines from `id` on.
    fn find_first_lines(&self, first: &mut [FirstLine], wanted: FirstLine, id: u64) {
        let mut missing = first.iter().filter(|line| **line == wanted).count();
        let mut lines = self.store.lines_from(id).filter(|line| line.place.sequence_id.is_some());
        while missing > 0 {
            let Some(line) = lines.next() else { return };
            let group = usize::from(self.sources.group_of(line.source));
            if let Some(slot) = first.get_mut(group).filter(|slot| **slot == wanted) {
                *slot = FirstLine::At(line.id, line.place);
                missing -= 1;
            }
        }
    }
}
