//! Links to messages: the same lines in every page.

use super::{LiveLog, layout::MAX_VIEW_LINES};
use crate::model::{
    history::top_row::TopRow,
    line_store::{Line, MessagePlace},
    search::matcher::Query,
    view_link::{MessageLine, ViewLink},
};

/// Line of a message that the view is to show as soon as it is there.
#[derive(Debug, Clone)]
pub(super) enum PendingLink {
    /// The lines are linked, and scrolled into view.
    Linked(MessageLine, MessageLine),
    /// The line is at the top of the view.
    Top(MessageLine),
}

impl PendingLink {
    fn first(&self) -> &MessageLine {
        match self {
            Self::Linked(first, _) | Self::Top(first) => first,
        }
    }
}

impl LiveLog {
    /// Shows a view as soon as its lines are there. Search, filter and columns apply at once.
    pub fn show_view(&mut self, link: &ViewLink) {
        self.set_query(link.query.clone());
        self.set_filter_mode(link.mode);
        self.set_levels(link.levels);
        if let Some(top) = &link.top {
            self.pending_link = Some(PendingLink::Top(top.clone()));
        }
        if let Some((first, last)) = &link.linked {
            self.pending_link = Some(PendingLink::Linked(first.clone(), last.clone()));
        }
    }

    /// Returns the view as it is now, with these columns.
    #[must_use]
    pub fn view_link(&self, query: Query, columns: String) -> ViewLink {
        let criteria = self.filter.criteria();
        let numbers = self.linked.numbers().cloned();
        let linked = numbers.as_ref().and_then(|numbers| {
            let line = |number| self.message_line(self.store.id_of_number(number)?);
            Some((line(*numbers.start())?, line(*numbers.end())?))
        });
        let numbers = numbers.filter(|_| linked.is_none());
        let top = if self.viewport.is_following() { None } else { self.top_message_line() };
        // Lines that are not there yet stay in the address.
        let (linked, top) = match &self.pending_link {
            Some(PendingLink::Linked(first, last)) => (Some((first.clone(), last.clone())), top),
            Some(PendingLink::Top(line)) => (linked, Some(line.clone())),
            None => (linked, top),
        };
        let (mode, context, levels) = (criteria.mode, criteria.context, criteria.levels);
        ViewLink { linked, numbers, top, query, mode, context, levels, columns }
    }

    /// Returns the first line in view that belongs to a message.
    fn top_message_line(&self) -> Option<MessageLine> {
        let top = self.viewport.top_line();
        let ids = (top..top + MAX_VIEW_LINES).map_while(|position| self.lines().id_at(position));
        ids.filter_map(|id| self.message_line(id)).next()
    }

    /// Returns the message and the run of a line; `None` for lines without one, such as notices.
    fn message_line(&self, id: u64) -> Option<MessageLine> {
        let line = self.store.line(id)?;
        let run_id = self.run_of(&line)?.to_owned();
        Some(MessageLine { run_id, sequence_id: line.place.sequence_id?, line: line.place.line })
    }

    fn run_of(&self, line: &Line<'_>) -> Option<&str> {
        let history = self.histories.get(usize::from(self.sources.group_of(line.source)))?;
        Some(history.run_id()).filter(|run| !run.is_empty())
    }

    /// Shows the pending link if its lines are there, or loads them. Leaves a message for the user if they cannot be had.
    pub(super) fn follow_pending_link(&mut self) {
        let Some(link) = self.pending_link.clone() else { return };
        // Lines that are appended meanwhile can take the place of the linked one.
        if self.store.is_empty() || self.is_loading_newer() {
            return;
        }
        if let Some(first) = self.id_of(link.first()) {
            return self.show_link(&link, first);
        }
        if self.is_loading() || !self.are_histories_known() {
            return;
        }
        let obstacle = if !self.has_run(&link.first().run_id) {
            "The linked line is from before the server was restarted, and no longer there"
        } else if self.precedes_first_lines(link.first()) {
            // A page that is full makes room for earlier lines only while it does not follow the end.
            self.viewport.pause();
            match self.row_above() {
                // The row offers to try again.
                TopRow::Loading | TopRow::ToStart(_) | TopRow::Failed(_) => return,
                TopRow::More if self.load_earlier() => return,
                TopRow::More | TopRow::Full => {
                    "The linked line is on the server, but the page holds as many lines as it can"
                }
                TopRow::Gone(_) | TopRow::Empty | TopRow::Unavailable => {
                    if matches!(link, PendingLink::Top(_)) {
                        self.viewport.to_start();
                    }
                    "The linked line is no longer kept by the server"
                }
            }
        } else if let Some(next) = self.next_of_run(link.first()) {
            // An unfinished line was replaced since, for instance.
            return self.show_link(&link, next);
        } else {
            "The linked line is no longer there"
        };
        self.pending_link = None;
        if let PendingLink::Linked(..) = link {
            self.obstacle = Some(obstacle.to_owned());
        }
    }

    fn show_link(&mut self, link: &PendingLink, first: u64) {
        self.pending_link = None;
        self.revision += 1;
        match link {
            PendingLink::Linked(_, last) => {
                let last = self.id_of(last).unwrap_or(first);
                self.linked.request(self.store.number_of(first)..=self.store.number_of(last));
                self.jump_to_linked();
            }
            PendingLink::Top(_) => {
                let position = self.lines().position_of(first);
                self.viewport.hold_at(position);
                // Its position is not known before the filter has tested all lines.
                self.pending_top = self.is_filtered().then_some(first);
            }
        }
    }

    /// Whether each group is known to have a history, or none, or one that cannot be loaded.
    fn are_histories_known(&self) -> bool {
        self.histories.iter().all(|history| {
            history.first().is_some() || history.is_unavailable() || history.failure().is_some()
        })
    }

    fn has_run(&self, run_id: &str) -> bool {
        self.histories.iter().any(|history| history.run_id() == run_id)
    }

    /// Whether a line can be among the earlier ones of a group.
    fn precedes_first_lines(&mut self, line: &MessageLine) -> bool {
        let sources: Vec<u16> = (0..)
            .zip(&self.histories)
            .filter(|(_, history)| history.run_id() == line.run_id)
            .map(|(source, _)| source)
            .collect();
        let place = (Some(line.sequence_id), line.line);
        let firsts = sources.into_iter().filter_map(|source| self.first_line_of(source));
        firsts.collect::<Vec<_>>().iter().any(|first| (first.sequence_id, first.line) > place)
    }

    /// Returns the line that follows another one of the same run, if that one has no line.
    fn next_of_run(&self, line: &MessageLine) -> Option<u64> {
        let place = (Some(line.sequence_id), line.line);
        let is_behind = |other: &Line<'_>| {
            (other.place.sequence_id, other.place.line) >= place && self.run_of(other) == Some(&line.run_id)
        };
        self.store.lines_from(0).find(is_behind).map(|next| next.id)
    }

    fn id_of(&self, line: &MessageLine) -> Option<u64> {
        let place = MessagePlace { sequence_id: Some(line.sequence_id), line: line.line };
        let mut found = self.store.lines_at(place).filter(|found| self.run_of(found) == Some(&line.run_id));
        found.next().map(|line| line.id)
    }

    /// Takes the message for the user about a link that cannot be followed.
    pub fn take_obstacle(&mut self) -> Option<String> {
        self.obstacle.take()
    }
}
