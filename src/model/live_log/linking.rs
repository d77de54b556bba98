//! Links to messages: the same lines in every page.

use super::LiveLog;
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
        let top = (!self.viewport.is_following())
            .then(|| self.lines().id_at(self.viewport.top_line()))
            .flatten()
            .and_then(|id| self.message_line(id));
        // Lines that are not there yet stay in the address.
        let (linked, top) = match &self.pending_link {
            Some(PendingLink::Linked(first, last)) => (Some((first.clone(), last.clone())), top),
            Some(PendingLink::Top(line)) => (linked, Some(line.clone())),
            None => (linked, top),
        };
        ViewLink { linked, numbers, top, query, mode: criteria.mode, levels: criteria.levels, columns }
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

    /// Shows the pending link if its lines are there, or loads them. Returns a message for the user if they cannot be had.
    pub(super) fn follow_pending_link(&mut self) {
        let Some(link) = self.pending_link.clone() else { return };
        if let Some(first) = self.id_of(link.first()) {
            self.pending_link = None;
            match &link {
                PendingLink::Linked(_, last) => {
                    let last = self.id_of(last).unwrap_or(first);
                    self.linked.request(self.store.number_of(first)..=self.store.number_of(last));
                    self.jump_to_linked();
                }
                PendingLink::Top(_) => {
                    let position = self.lines().position_of(first);
                    self.viewport.hold_at(position);
                }
            }
            self.revision += 1;
            return;
        }
        if self.store.is_empty() || self.is_loading() {
            return;
        }
        let is_of_this_run = self.histories.iter().any(|history| history.run_id() == link.first().run_id);
        if is_of_this_run && self.row_above() == TopRow::More && self.load_earlier() {
            return;
        }
        self.pending_link = None;
        if let PendingLink::Linked(..) = link {
            let reason = match is_of_this_run {
                true => "The linked line is no longer kept by the server",
                false => "The linked line is from before the server was restarted, and no longer there",
            };
            self.obstacle = Some(reason.to_owned());
        }
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
