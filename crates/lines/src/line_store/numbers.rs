//! Numbers of lines, as users see them: notices have none of their own.

use super::LineStore;

impl LineStore {
    /// Returns the number of a line that users see: lines count up from the first one that was appended, and earlier ones
    /// down from it; a notice has the number of the line behind it. At least 1.
    #[must_use]
    pub fn number_of(&self, id: u64) -> u64 {
        let (base, first_number) = self.numbered_from;
        let notices = self.notice_ids.partition_point(|notice| *notice < id) as u64;
        let lines = id.cast_signed() - base.cast_signed() - notices.cast_signed() - self.dropped_notices;
        lines.saturating_add(first_number.cast_signed()).max(1).cast_unsigned()
    }

    /// Sets the number of the first line. Does nothing once there is a line.
    pub fn start_numbers_at(&mut self, number: u64) {
        if self.received == 0 {
            self.numbered_from.1 = number.max(1);
        }
    }

    /// The id of the line with this number. `None` for lines to come, and for those before the first one that was ever held.
    #[must_use]
    pub fn id_of_number(&self, number: u64) -> Option<u64> {
        let (mut from, mut to) = (self.lowest_id, self.next_id);
        if number < self.number_of(from) {
            return None;
        }
        while from < to {
            let middle = from + (to - from) / 2;
            if self.number_of(middle + 1) > number {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        (from < self.next_id).then_some(from)
    }
}
