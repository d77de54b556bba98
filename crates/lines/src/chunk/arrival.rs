//! Time, author and place in the messages, stored once for lines that arrived together.

use crate::line_store::{MessagePlace, Origin};

/// Author, time and place of a line that arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) origin: Origin,
    pub(crate) arrived_ms: f64,
    pub(crate) place: MessagePlace,
}

/// Lines that arrived together: those of a message, or of messages of one line each that follow each other in the same
/// millisecond.
pub(super) struct Arrival {
    /// The first of them, counted in the chunk.
    pub(super) first: u16,
    pub(super) origin: Origin,
    pub(super) arrived_ms: f64,
    /// Place of the first of them.
    pub(super) place: MessagePlace,
    /// Whether each line is a message.
    pub(super) is_run: bool,
}

impl Arrival {
    /// Returns the place of its line with this number, from 0.
    pub(super) fn place_of(&self, line: usize) -> MessagePlace {
        let MessagePlace { sequence_id, line: first } = self.place;
        match sequence_id {
            Some(id) if self.is_run => MessagePlace { sequence_id: Some(id + line as u64), line: 0 },
            // A message has far fewer than 2^32 lines.
            _ => MessagePlace { sequence_id, line: first + u32::try_from(line).unwrap_or(u32::MAX - first) },
        }
    }

    /// Returns the number that a line at `place` would have among these, from 0; `None` if it cannot be one of them.
    pub(super) fn line_at(&self, place: MessagePlace) -> Option<usize> {
        let (first, wanted) = (self.place.sequence_id?, place.sequence_id?);
        let line = if self.is_run {
            wanted.checked_sub(first).filter(|_| place.line == 0)?
        } else {
            u64::from(place.line.checked_sub(self.place.line).filter(|_| wanted == first)?)
        };
        usize::try_from(line).ok()
    }

    /// Adds the line at `place` behind `lines` lines. Returns whether it belongs to these.
    pub(super) fn extend(&mut self, lines: usize, place: MessagePlace) -> bool {
        if self.place.sequence_id.is_none() && place.sequence_id.is_none() {
            return true;
        }
        let is_of_message = !self.is_run && self.place_of(lines) == place;
        let is_next_message = lines == 1 || self.is_run;
        let next = self.place.sequence_id.map(|id| id + lines as u64);
        if is_of_message {
            return true;
        }
        let extends_run =
            is_next_message && self.place.line == 0 && place == MessagePlace { sequence_id: next, line: 0 };
        self.is_run |= extends_run;
        extends_run
    }
}
