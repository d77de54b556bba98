//! Interpretation of lines: their levels, which count in the chunk and in the timeline.

use super::{Chunk, LineLevel};
use crate::{
    level::{Level, level_of},
    line_store::LineKind,
    timeline::Timeline,
};

impl Chunk {
    /// Interprets lines in order until `budget` bytes are spent. Returns the bytes of the lines that it looked at.
    pub(crate) fn interpret(&mut self, budget: usize, timeline: &mut Timeline) -> usize {
        let mut bytes = 0;
        while bytes < budget && !self.is_interpreted() {
            bytes += self.interpret_at(self.interpreted, timeline);
            self.interpreted += 1;
        }
        bytes
    }

    /// Interprets one line, before its content is replaced.
    pub(crate) fn interpret_line(&mut self, id: u64, timeline: &mut Timeline) {
        if let Some(index) = id.checked_sub(self.first_id).and_then(|index| usize::try_from(index).ok()) {
            self.interpret_at(index, timeline);
        }
    }

    /// Interprets the line with this number, unless it was before. Returns its bytes.
    fn interpret_at(&mut self, index: usize, timeline: &mut Timeline) -> usize {
        let bytes = self.bytes_of(index);
        let bytes = bytes.start as usize..bytes.end as usize;
        if self.records.get(index).is_none_or(|record| record.level != LineLevel::Unknown) {
            return bytes.len();
        }
        let arrival = self.arrival_of(index);
        let kind = arrival.map_or(LineKind::Notice, |arrival| arrival.origin.kind);
        let text = self.text.get(bytes.clone()).unwrap_or_default();
        let level =
            if kind == LineKind::Notice { None } else { level_of(text.strip_suffix('\n').unwrap_or(text)) };
        if self.is_timed
            && kind.is_published()
            && let (Some(level), Some(arrival)) = (level, arrival)
        {
            timeline.add_level(level, arrival.arrived_ms);
        }
        if let Some(count) = level.and_then(|level| self.levels.get_mut(level as usize)) {
            *count += 1;
        }
        if let Some(record) = self.records.get_mut(index) {
            record.level = LineLevel::Known(level);
        }
        bytes.len()
    }

    /// Whether all lines were interpreted.
    pub(crate) fn is_interpreted(&self) -> bool {
        self.interpreted >= self.records.len()
    }

    /// Id of the first line that was not interpreted in order.
    pub(crate) fn interpreted_id(&self) -> u64 {
        self.first_id + self.interpreted as u64
    }

    /// Whether the timeline counts some of the lines.
    pub(crate) fn is_in_timeline(&self) -> bool {
        self.is_timed && self.arrivals.iter().any(|arrival| arrival.origin.kind.is_published())
    }

    /// Takes the lines out of the timeline, before they are interpreted: it does not count them.
    pub(crate) fn leave_timeline(&mut self) {
        self.is_timed = false;
    }

    /// Returns how many of the lines that were interpreted have this level.
    pub(crate) fn level_count(&self, level: Level) -> u64 {
        self.levels.get(level as usize).copied().unwrap_or_default()
    }
}
