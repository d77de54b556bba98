//! Layout of the rows in view.

use std::ops::Range;

use super::{EDGE_PX, MAX_CONTENT_PX, Mode, Viewport};

/// Rows above and below the viewport that are rendered during a flood.
pub(super) const FLOOD_OVERSCAN_ROWS: f64 = 4.0;

/// Rows to render, and their place in the content.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Positions of the lines that need a row.
    pub rows: Range<u64>,
    /// Top of the first of these rows, from the top of the content.
    pub rows_top_px: f64,
    /// Height of the content.
    pub content_px: f64,
    /// Top of the row above the first line, if there is one.
    pub top_row_px: Option<f64>,
    /// Scroll position to set, if it is another than now.
    pub scroll_to_px: Option<f64>,
}

impl Viewport {
    /// Lays out the rows to render now. `is_idle` is false while the user scrolls.
    pub fn lay_out(&mut self, is_idle: bool) -> Layout {
        if is_idle || self.is_following() || self.wrap.is_some() || self.content_height() > MAX_CONTENT_PX {
            self.origin = self.first;
        }
        self.replace_dropped_anchor();
        self.content_px = self.content_height();
        let end_px = (self.content_px - self.view_px).max(0.0);
        if end_px == 0.0 {
            self.see_all();
        }
        let top_px = match self.mode {
            Mode::Following => end_px,
            Mode::Holding { anchor, offset_px, .. } => (self.top_of(anchor) + offset_px).clamp(0.0, end_px),
        };
        let rows = self.rows_around(top_px);
        Layout {
            rows_top_px: self.top_of(rows.start),
            rows,
            content_px: self.content_px,
            top_row_px: self.has_top_row().then(|| self.top_of(self.first) - self.row_px),
            scroll_to_px: (!self.is_at(top_px)).then_some(top_px),
        }
    }

    /// Anchors the viewport at the row that reports dropped lines, if the anchor is among them.
    fn replace_dropped_anchor(&mut self) {
        let (first, lead_px) = (self.first, self.lead_px());
        if let Mode::Holding { anchor, offset_px, .. } = &mut self.mode
            && *anchor < first
        {
            (*anchor, *offset_px) = (first, -lead_px);
        }
    }

    /// Handles that all lines fit into the viewport: it follows, unless the user paused.
    fn see_all(&mut self) {
        match &mut self.mode {
            Mode::Holding { unseen, .. } if self.is_paused => *unseen = self.next,
            mode => *mode = Mode::Following,
        }
    }

    /// Returns the lines in view, with half a viewport more on both sides for the time between a scroll and the next frame.
    ///
    /// While a flood is followed, such rows would be replaced before they come into view: a few suffice for the first turn
    /// of a wheel.
    fn rows_around(&self, top_px: f64) -> Range<u64> {
        let max_overscan_px = if self.is_flooded && self.is_following() {
            FLOOD_OVERSCAN_ROWS * self.row_px
        } else {
            f64::INFINITY
        };
        let overscan_px = (self.view_px / 2.0).min(max_overscan_px);
        let (from, _) = self.line_at(top_px - overscan_px);
        let (to, _) = self.line_at(top_px + self.view_px + overscan_px);
        let from = from.clamp(self.first, self.next);
        from..to.saturating_add(1).clamp(from, self.next)
    }

    /// Returns the height of what is above the first line.
    pub(super) fn lead_px(&self) -> f64 {
        if self.has_top_row() { EDGE_PX + self.row_px } else { EDGE_PX }
    }

    pub(super) fn content_height(&self) -> f64 {
        self.top_of(self.next) + EDGE_PX
    }

    pub(super) fn top_of(&self, id: u64) -> f64 {
        let rows = match &self.wrap {
            Some(wrap) => wrap.rows_before(id),
            None => id.saturating_sub(self.origin),
        };
        self.lead_px() + rows as f64 * self.row_px
    }

    /// Returns the line at a height of the content, and the distance from its top. Outside of all lines, the nearest one.
    pub(super) fn line_at(&self, px: f64) -> (u64, f64) {
        let rows = ((px - self.lead_px()) / self.row_px).floor().max(0.0);
        // The cast saturates; there are far fewer rows than either type holds.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rows = rows as u64;
        let id = match &self.wrap {
            Some(wrap) => wrap.line_at(rows).0,
            None => self.origin.saturating_add(rows),
        };
        let id = id.min(self.next.saturating_sub(1)).max(self.origin);
        (id, px - self.top_of(id))
    }
}
