//! Which lines are visible, and whether the view follows the end.
//!
//! The truth is a line and a pixel offset, never a scroll position: lines are dropped above and appended below while
//! the reader reads. All heights are CSS pixels; every row is equally high, and a line takes one, or as many as a
//! [`WrapIndex`] says.
//!
//! The scroller's content is a column of rows. Its first row is the line `origin`, which lags behind the oldest line
//! held while the reader scrolls: moving rows under a moving scroll bar makes browsers jerk, so that is put off until
//! [`Viewport::lay_out`] is told that the bar is at rest. Once lines have been dropped, one more row says so. Above
//! and below all rows there is an [`EDGE_PX`].

use std::ops::Range;

use super::wrap_index::WrapIndex;

/// Highest content that every browser lays out at every zoom: Chromium stops at 33,554,428 px divided by the device's
/// pixel ratio, Firefox at about 17,900,000 px.
pub const MAX_CONTENT_PX: f64 = 6_000_000.0;
/// So near to the end the view counts as being at the end. Zoom and fractions of pixels make equality useless.
pub const END_TOLERANCE_PX: f64 = 8.0;
/// Rows above the view that are there while lines pour in.
const FLOOD_OVERSCAN_ROWS: f64 = 4.0;
/// Space above the first and below the last row.
pub const EDGE_PX: f64 = 8.0;

/// Who moved the scroll bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrollCause {
    /// The reader: wheel, touch, key, or the bar itself.
    Reader,
    /// The reader, dragging a selection: leaves the end, but never returns to it.
    Selection,
    /// Nobody known: the browser's own find, a layout change, an extension.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Following,
    Reading {
        /// The line at the top of the view.
        anchor: u64,
        /// How far the view's top is below the anchor's top. Negative above it.
        offset_px: f64,
        /// The first line that the reader has not had on screen since he left the end.
        unseen: u64,
    },
}

/// What to put on screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Lines that need a row.
    pub rows: Range<u64>,
    /// Where the first of these rows is, from the content's top.
    pub rows_top_px: f64,
    /// Height of the content.
    pub content_px: f64,
    /// Where the row that speaks of dropped lines is, if there is one.
    pub dropped_top_px: Option<f64>,
    /// Where the scroll bar must be moved to, if it is not there.
    pub scroll_to_px: Option<f64>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Viewport {
    row_px: f64,
    view_px: f64,
    first: u64,
    next: u64,
    origin: u64,
    mode: Mode,
    /// Whether the view is held on purpose, which counts even where nothing can be scrolled yet.
    is_paused: bool,
    /// Where the scroll bar was last seen or put.
    scroll_px: f64,
    /// Height of the content as last laid out: what the scroll bar's position refers to.
    content_px: f64,
    /// Rows of each line, when long lines are wrapped.
    wrap: Option<WrapIndex>,
    is_flooded: bool,
}

impl Viewport {
    /// A view on nothing, at the end of it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            row_px: 20.0,
            view_px: 0.0,
            first: 0,
            next: 0,
            origin: 0,
            mode: Mode::Following,
            is_paused: false,
            scroll_px: 0.0,
            content_px: 0.0,
            wrap: None,
            is_flooded: false,
        }
    }

    /// Whether lines pour in; see [`Self::set_flooded`].
    #[must_use]
    pub fn is_flooded(&self) -> bool {
        self.is_flooded
    }

    /// Takes whether lines pour in, so that those in view are gone in the next frame.
    pub fn set_flooded(&mut self, is_flooded: bool) {
        self.is_flooded = is_flooded;
    }

    /// Takes the size of the view and of a row. The line at the top stays there.
    pub fn resize(&mut self, view_px: f64, row_px: f64) {
        let row_px = row_px.max(1.0);
        if let Mode::Reading { offset_px, .. } = &mut self.mode {
            *offset_px *= row_px / self.row_px;
        }
        self.view_px = view_px.max(0.0);
        self.row_px = row_px;
    }

    /// Height of a row.
    #[must_use]
    pub fn row_px(&self) -> f64 {
        self.row_px
    }

    /// Lines by which a page of the view is turned: one less than are in view, at least one.
    #[must_use]
    pub fn page_lines(&self) -> u64 {
        // A few thousand rows at most.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rows = (self.view_px / self.row_px) as u64;
        rows.saturating_sub(1).max(1)
    }

    /// Wraps long lines into rows of so many columns, or does not. The lines must be counted anew: see
    /// [`Self::uncounted`].
    pub fn set_wrap(&mut self, row_columns: Option<u32>) {
        self.wrap = row_columns.map(|columns| WrapIndex::new(columns, self.first));
    }

    /// Columns of a row, when long lines are wrapped.
    #[must_use]
    pub fn row_columns(&self) -> Option<u32> {
        self.wrap.as_ref().map(WrapIndex::row_columns)
    }

    /// Lines whose columns are to be told by [`Self::count_line`], in order.
    #[must_use]
    pub fn uncounted(&self) -> Range<u64> {
        self.wrap.as_ref().map_or(0..0, |wrap| wrap.next().max(self.first)..self.next)
    }

    /// The next of the lines that were not counted has so many columns.
    pub fn count_line(&mut self, columns: u32) {
        if let Some(wrap) = &mut self.wrap {
            wrap.append(columns);
        }
    }

    /// A line takes so many rows in truth. Whether that changes the layout.
    pub fn measured(&mut self, line: u64, rows: u32) -> bool {
        self.wrap.as_mut().is_some_and(|wrap| wrap.set(line, rows))
    }

    /// Takes the ids of the lines held. Neither ever decreases.
    pub fn lines_changed(&mut self, first: u64, next: u64) {
        self.first = self.first.max(first);
        self.next = self.next.max(next).max(self.first);
        if let Some(wrap) = &mut self.wrap {
            wrap.drop_to(self.first);
        }
    }

    /// Whether the newest line stays in view.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.mode == Mode::Following
    }

    /// The first line that came after the reader left the end and that he has not had on screen.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        match self.mode {
            Mode::Following => self.next,
            Mode::Reading { unseen, .. } => unseen.clamp(self.first, self.next),
        }
    }

    /// Goes to the end and stays there.
    pub fn follow(&mut self) {
        self.mode = Mode::Following;
        self.is_paused = false;
    }

    /// Stays where it is until told to follow, however little there is to see.
    pub fn pause(&mut self) {
        self.hold();
        self.is_paused = true;
    }

    /// The reader moves up: the view stays where it is from now on. Where nothing can be scrolled, nothing changes.
    pub fn leave_end(&mut self) {
        if self.content_height() > self.view_px {
            self.hold();
        }
    }

    /// The line at the top stays there, even where nothing can be scrolled yet.
    pub fn hold(&mut self) {
        if self.is_following() {
            let (anchor, offset_px) = self.line_at(self.scroll_px);
            self.mode = Mode::Reading { anchor, offset_px, unseen: self.next };
        }
    }

    /// The reader moves down by something that may not move the scroll bar: at the end, that resumes following.
    pub fn press_on_down(&mut self) {
        if self.is_at_end(self.scroll_px) {
            self.follow();
        }
    }

    /// The reader asks for the oldest line.
    pub fn to_start(&mut self) {
        self.leave_end();
        if let Mode::Reading { unseen, .. } = self.mode {
            self.mode = Mode::Reading { anchor: self.first, offset_px: -self.lead_px(), unseen };
        }
    }

    /// The lines have other numbers now: another choice of them is shown. Whoever reads sees `anchor` at the top, or what
    /// comes first.
    pub fn renumber(&mut self, first: u64, next: u64, anchor: Option<u64>) {
        (self.first, self.next, self.origin) = (first, next.max(first), first);
        self.set_wrap(self.row_columns());
        if let Mode::Reading { offset_px, .. } = self.mode {
            let anchor = anchor.unwrap_or(first).clamp(first, self.next);
            self.mode = Mode::Reading { anchor, offset_px, unseen: self.next };
        }
    }

    /// The line at the top of the view.
    #[must_use]
    pub fn top_line(&self) -> u64 {
        match self.mode {
            Mode::Following => self.line_at((self.content_height() - self.view_px).max(0.0)).0,
            Mode::Reading { anchor, .. } => anchor,
        }
    }

    /// Shows this line, a third of the view below its top, unless it is in view already.
    pub fn reveal(&mut self, line: u64) {
        let top_px = self.top_of(line);
        let seen_from = match self.mode {
            Mode::Following => (self.content_height() - self.view_px).max(0.0),
            Mode::Reading { anchor, offset_px, .. } => self.top_of(anchor) + offset_px,
        };
        let unseen = self.unseen();
        let is_in_view = top_px >= seen_from && top_px + self.row_px <= seen_from + self.view_px;
        if is_in_view {
            return self.leave_end();
        }
        self.mode = Mode::Reading { anchor: line, offset_px: -self.view_px / 3.0, unseen };
    }

    /// Whether a scroll event with this position tells nothing new: it comes from our own writing.
    #[must_use]
    pub fn is_at(&self, top_px: f64) -> bool {
        (top_px - self.scroll_px).abs() < 1.0
    }

    /// The scroll bar moved to `top_px`.
    pub fn scrolled(&mut self, top_px: f64, cause: ScrollCause) {
        let down = top_px > self.scroll_px;
        let at_end = self.is_at_end(top_px);
        match self.mode {
            // Not asked for: the next layout goes back to the end.
            Mode::Following if down || cause == ScrollCause::Unknown => {}
            Mode::Following => {
                self.scroll_px = top_px;
                self.leave_end();
            }
            Mode::Reading { .. } if down && at_end && cause == ScrollCause::Reader => self.follow(),
            Mode::Reading { unseen, .. } => {
                let (anchor, offset_px) = self.line_at(top_px);
                let (last, _) = self.line_at(top_px + self.view_px);
                self.mode = Mode::Reading { anchor, offset_px, unseen: unseen.max(last.min(self.next)) };
            }
        }
        self.scroll_px = top_px;
    }

    /// The scroll bar was put where [`Layout::scroll_to_px`] says, and now is at `top_px`: browsers round.
    pub fn placed(&mut self, top_px: f64) {
        self.scroll_px = top_px;
    }

    /// Lays out what is to be seen now. `at_rest` says that the reader is not scrolling at this moment.
    pub fn lay_out(&mut self, at_rest: bool) -> Layout {
        if at_rest || self.is_following() || self.wrap.is_some() || self.content_height() > MAX_CONTENT_PX {
            self.origin = self.first;
        }
        let lead_px = self.lead_px();
        if let Mode::Reading { anchor, offset_px, .. } = &mut self.mode
            && *anchor < self.first
        {
            // The line being read is gone; the row that says so takes its place.
            (*anchor, *offset_px) = (self.first, -lead_px);
        }
        let content_px = self.content_height();
        let end_px = (content_px - self.view_px).max(0.0);
        if end_px == 0.0 {
            match &mut self.mode {
                // All of it is in view.
                Mode::Reading { unseen, .. } if self.is_paused => *unseen = self.next,
                mode => *mode = Mode::Following,
            }
        }
        let top_px = match self.mode {
            Mode::Following => end_px,
            Mode::Reading { anchor, offset_px, .. } => (self.top_of(anchor) + offset_px).clamp(0.0, end_px),
        };
        self.content_px = content_px;

        // Half a view more on both sides, for the time between a scroll and the next frame. In a flood of which the end is
        // followed, those would be rows that nobody ever sees: a few do for the first turn of a wheel.
        let few_px = if self.is_flooded && self.is_following() {
            FLOOD_OVERSCAN_ROWS * self.row_px
        } else {
            f64::INFINITY
        };
        let overscan_px = (self.view_px / 2.0).min(few_px);
        let (from, _) = self.line_at(top_px - overscan_px);
        let (to, _) = self.line_at(top_px + self.view_px + overscan_px);
        let from = from.clamp(self.first, self.next);
        let to = to.saturating_add(1).clamp(from, self.next);
        Layout {
            rows: from..to,
            rows_top_px: self.top_of(from),
            content_px,
            dropped_top_px: (self.first > 0).then(|| self.top_of(self.first) - self.row_px),
            scroll_to_px: (!self.is_at(top_px)).then_some(top_px),
        }
    }

    /// Whether a layout at rest would differ: dropped lines have left a space that is still to be taken up.
    #[must_use]
    pub fn is_lagging(&self) -> bool {
        self.origin < self.first
    }

    /// Height of what is above the first line.
    fn lead_px(&self) -> f64 {
        if self.first > 0 { EDGE_PX + self.row_px } else { EDGE_PX }
    }

    fn content_height(&self) -> f64 {
        self.top_of(self.next) + EDGE_PX
    }

    /// Whether the end of the content, as it was last laid out, is in view at this scroll position.
    fn is_at_end(&self, top_px: f64) -> bool {
        top_px + self.view_px >= self.content_px - END_TOLERANCE_PX
    }

    fn top_of(&self, id: u64) -> f64 {
        let rows = match &self.wrap {
            Some(wrap) => wrap.rows_before(id),
            None => id.saturating_sub(self.origin),
        };
        self.lead_px() + rows as f64 * self.row_px
    }

    /// The line at a height of the content, and how far below its top. Above and below all lines: the nearest one.
    fn line_at(&self, px: f64) -> (u64, f64) {
        let rows = ((px - self.lead_px()) / self.row_px).floor().max(0.0);
        // A float becomes an integer by saturating; there are far fewer rows than either holds.
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

impl Default for Viewport {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[path = "viewport_tests.rs"]
mod tests;
