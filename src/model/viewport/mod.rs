//! The viewport: lines in view, and following the end.
//!
//! The viewport's position is a line and an offset in pixels, not a scroll position: lines are dropped above and appended
//! below while the user reads. All heights are CSS pixels. Rows have equal height; a line takes one row, or as many as the
//! `WrapIndex` has for it.
//!
//! The scroller's content is a column of rows. Its first row is the line `origin`, which lags behind the oldest line held while
//! the user scrolls: browsers jerk when rows move under a moving scroll bar, so that waits until [`Viewport::lay_out`] gets
//! `is_idle`. Once lines have been dropped, one more row at the top reports it. An [`EDGE_PX`] lies above and below all rows.

mod layout;
mod wrap_index;

pub use self::layout::Layout;

use self::wrap_index::WrapIndex;

/// Maximum height of the content that every browser lays out at every zoom level: Chromium stops at 33,554,428 px divided by
/// the device pixel ratio, Firefox at about 17,900,000 px.
pub const MAX_CONTENT_PX: f64 = 6_000_000.0;
/// Distance from the end within which the viewport counts as being at the end. Zoom and fractional pixels rule equality out.
pub const END_TOLERANCE_PX: f64 = 8.0;
/// Space above the first and below the last row.
pub const EDGE_PX: f64 = 8.0;

/// Cause of a scroll event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrollCause {
    /// The user scrolled: by wheel, touch, key, or the scroll bar.
    User,
    /// The user dragged a selection: it stops following, but never resumes it.
    Selection,
    /// Unknown: the browser's own find, a layout change, an extension.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// The last line stays in view.
    Following,
    /// The anchor stays where it is.
    Holding {
        /// Line at the top of the viewport.
        anchor: u64,
        /// Distance of the viewport's top from the anchor's top; negative above it.
        offset_px: f64,
        /// First line that was not in view since the viewport left the end.
        unseen: u64,
    },
}

/// Lines in view, and following the end. See the [module](self).
#[derive(Debug)]
pub struct Viewport {
    row_px: f64,
    view_px: f64,
    first: u64,
    next: u64,
    origin: u64,
    mode: Mode,
    /// Whether the user paused, which counts even while all lines fit into the viewport.
    is_paused: bool,
    /// Scroll position as last read or written.
    scroll_px: f64,
    /// Height of the content as last laid out, to which the scroll position refers.
    content_px: f64,
    /// Rows of each line, while some lines take more than one.
    wrap: Option<WrapIndex>,
    is_flooded: bool,
    /// Whether there is a row above the first line; `None` shows it once lines were dropped.
    has_top_row: Option<bool>,
    /// Whether the viewport scrolls to the first line again when earlier ones are put before it.
    is_seeking_start: bool,
}

impl Viewport {
    /// Creates a viewport without lines that follows the end.
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
            has_top_row: None,
            is_seeking_start: false,
        }
    }

    /// Whether lines arrive in a flood; see [`Self::set_flooded`].
    #[must_use]
    pub fn is_flooded(&self) -> bool {
        self.is_flooded
    }

    /// Sets whether lines arrive so fast that those in view are replaced in the next frame.
    pub fn set_flooded(&mut self, is_flooded: bool) {
        self.is_flooded = is_flooded;
    }

    /// Sets the heights of the viewport and of a row. The line at the top stays there.
    pub fn resize(&mut self, view_px: f64, row_px: f64) {
        let row_px = row_px.max(1.0);
        if let Mode::Holding { offset_px, .. } = &mut self.mode {
            *offset_px *= row_px / self.row_px;
        }
        self.view_px = view_px.max(0.0);
        self.row_px = row_px;
    }

    /// Returns the height of a row.
    #[must_use]
    pub fn row_px(&self) -> f64 {
        self.row_px
    }

    /// Returns the count of lines to scroll by a page: one less than fit into the viewport, at least one.
    #[must_use]
    pub fn page_lines(&self) -> u64 {
        // A few thousand rows at most.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rows = (self.view_px / self.row_px) as u64;
        rows.saturating_sub(1).max(1)
    }

    /// Wraps long lines into rows of `row_columns`, or does not wrap. All lines must be counted again: see
    /// [`Self::uncounted`].
    pub fn set_wrap(&mut self, row_columns: Option<u32>) {
        self.wrap = row_columns.map(|columns| WrapIndex::new(columns, self.first));
    }

    /// Returns the width of a row in columns, while lines wrap.
    #[must_use]
    pub fn row_columns(&self) -> Option<u32> {
        self.wrap.as_ref().map(WrapIndex::row_columns)
    }

    /// Returns the lines whose width is to be reported to [`Self::count_line`], in order.
    #[must_use]
    pub fn uncounted(&self) -> std::ops::Range<u64> {
        self.wrap.as_ref().map_or(0..0, |wrap| wrap.next().max(self.first)..self.next)
    }

    /// Sets the width of the next line that was not counted, in columns.
    pub fn count_line(&mut self, columns: u32) {
        if let Some(wrap) = &mut self.wrap {
            wrap.append(columns);
        }
    }

    /// Sets the measured count of a line's rows. Returns whether the layout changes.
    pub fn measured(&mut self, line: u64, rows: u32) -> bool {
        self.wrap.as_mut().is_some_and(|wrap| wrap.set(line, rows))
    }

    /// Sets the range of lines held. Neither end ever decreases.
    pub fn lines_changed(&mut self, first: u64, next: u64) {
        self.first = self.first.max(first);
        self.next = self.next.max(next).max(self.first);
        if let Some(wrap) = &mut self.wrap {
            wrap.drop_to(self.first);
        }
    }

    /// Sets whether there is a row above the first line.
    pub fn set_top_row(&mut self, is_shown: bool) {
        self.has_top_row = Some(is_shown);
    }

    pub(super) fn has_top_row(&self) -> bool {
        self.has_top_row.unwrap_or(self.first > 0)
    }

    /// Handles lines that were put before the first one, perhaps in place of the newest: those in view stay there.
    pub fn prepended(&mut self, first: u64, next: u64) {
        (self.first, self.next, self.origin) = (first, next, first);
        self.set_wrap(self.row_columns());
    }

    /// Whether the viewport is held within two of its heights of the first line, or shows all lines.
    #[must_use]
    pub fn is_near_start(&self) -> bool {
        match self.mode {
            Mode::Following => self.view_px > 0.0 && self.content_height() <= self.view_px,
            Mode::Holding { anchor, offset_px, .. } => {
                self.top_of(anchor) - self.top_of(self.first) + offset_px < 2.0 * self.view_px
            }
        }
    }

    /// Whether the last line stays in view.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.mode == Mode::Following
    }

    /// Returns the first line that arrived after the viewport left the end and that was not in view since.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        match self.mode {
            Mode::Following => self.next,
            Mode::Holding { unseen, .. } => unseen.clamp(self.first, self.next),
        }
    }

    /// Scrolls to the end and follows it.
    pub fn follow(&mut self) {
        self.is_seeking_start = false;
        self.mode = Mode::Following;
        self.is_paused = false;
    }

    /// Stops following until [`Self::follow`], even while all lines fit into the viewport.
    pub fn pause(&mut self) {
        self.is_seeking_start = false;
        self.hold();
        self.is_paused = true;
    }

    /// Stops following because the user moves up. Does nothing while all lines fit into the viewport.
    pub fn leave_end(&mut self) {
        self.is_seeking_start = false;
        if self.content_height() > self.view_px {
            self.hold();
        }
    }

    /// Keeps the line at the top there, even while all lines fit into the viewport.
    pub fn hold(&mut self) {
        if self.is_following() {
            let (anchor, offset_px) = self.line_at(self.scroll_px);
            self.mode = Mode::Holding { anchor, offset_px, unseen: self.next };
        }
    }

    /// Resumes following if the user moves down at the end, where no scroll event is raised.
    pub fn press_on_down(&mut self) {
        self.is_seeking_start = false;
        if self.is_at_end(self.scroll_px) {
            self.follow();
        }
    }

    /// Scrolls to the oldest line, and again when earlier ones are put before it, until the user goes elsewhere or
    /// [`Self::stop_seeking`].
    pub fn seek_start(&mut self) {
        self.to_start();
        self.is_seeking_start = true;
    }

    /// Whether the viewport scrolls to the first line again when earlier ones are put before it.
    #[must_use]
    pub fn is_seeking_start(&self) -> bool {
        self.is_seeking_start
    }

    /// Ends [`Self::seek_start`]. The view stays where it is.
    pub fn stop_seeking(&mut self) {
        self.is_seeking_start = false;
    }

    /// Scrolls to the oldest line.
    pub fn to_start(&mut self) {
        self.leave_end();
        if let Mode::Holding { unseen, .. } = self.mode {
            self.mode = Mode::Holding { anchor: self.first, offset_px: -self.lead_px(), unseen };
        }
    }

    /// Replaces the lines, after the filter changed: positions have a new meaning. Unless it follows, the viewport then has
    /// `anchor` at the top, or the first line.
    pub fn renumber(&mut self, first: u64, next: u64, anchor: Option<u64>) {
        (self.first, self.next, self.origin) = (first, next.max(first), first);
        self.set_wrap(self.row_columns());
        if let Mode::Holding { offset_px, .. } = self.mode {
            let anchor = anchor.unwrap_or(first).clamp(first, self.next);
            self.mode = Mode::Holding { anchor, offset_px, unseen: self.next };
        }
    }

    /// Returns the line at the top of the viewport.
    #[must_use]
    pub fn top_line(&self) -> u64 {
        match self.mode {
            Mode::Following => self.line_at((self.content_height() - self.view_px).max(0.0)).0,
            Mode::Holding { anchor, .. } => anchor,
        }
    }

    /// Scrolls a line to the top of the viewport, and holds it there.
    pub fn hold_at(&mut self, line: u64) {
        self.is_seeking_start = false;
        let unseen = self.unseen();
        self.mode = Mode::Holding { anchor: line, offset_px: 0.0, unseen };
    }

    /// Scrolls by some pixels, down or up, without following the end.
    pub fn scroll_by(&mut self, px: f64) {
        self.hold();
        if let Mode::Holding { offset_px, .. } = &mut self.mode {
            *offset_px += px;
        }
    }

    /// Scrolls a line to a third of the viewport's height, unless it is in view already.
    pub fn reveal(&mut self, line: u64) {
        self.is_seeking_start = false;
        let top_px = self.top_of(line);
        let view_top_px = match self.mode {
            Mode::Following => (self.content_height() - self.view_px).max(0.0),
            Mode::Holding { anchor, offset_px, .. } => self.top_of(anchor) + offset_px,
        };
        let unseen = self.unseen();
        let is_in_view = top_px >= view_top_px && top_px + self.row_px <= view_top_px + self.view_px;
        if is_in_view {
            return self.leave_end();
        }
        self.mode = Mode::Holding { anchor: line, offset_px: -self.view_px / 3.0, unseen };
    }

    /// Whether a scroll event with this position is the echo of our own write.
    #[must_use]
    pub fn is_at(&self, top_px: f64) -> bool {
        (top_px - self.scroll_px).abs() < 1.0
    }

    /// Handles a scroll event: the scroll bar moved to `top_px`.
    pub fn scrolled(&mut self, top_px: f64, cause: ScrollCause) {
        let is_down = top_px > self.scroll_px;
        // The browser itself scrolls up, step by step, after the key that seeks the start.
        self.is_seeking_start &= !is_down;
        let is_at_end = self.is_at_end(top_px);
        match self.mode {
            // The next layout scrolls back to the end.
            Mode::Following if is_down || cause == ScrollCause::Unknown => {}
            Mode::Following => {
                self.scroll_px = top_px;
                self.leave_end();
            }
            Mode::Holding { .. } if is_down && is_at_end && cause == ScrollCause::User => self.follow(),
            Mode::Holding { unseen, .. } => {
                let (anchor, offset_px) = self.line_at(top_px);
                let (last, _) = self.line_at(top_px + self.view_px);
                self.mode = Mode::Holding { anchor, offset_px, unseen: unseen.max(last.min(self.next)) };
            }
        }
        self.scroll_px = top_px;
    }

    /// Sets the scroll position that resulted from [`Layout::scroll_to_px`]: browsers round.
    pub fn placed(&mut self, top_px: f64) {
        self.scroll_px = top_px;
    }

    /// Whether an idle layout would differ: dropped lines have left a space at the top of the content.
    #[must_use]
    pub fn is_lagging(&self) -> bool {
        self.origin < self.first
    }

    /// Whether the end of the content, as last laid out, is in view at this scroll position.
    fn is_at_end(&self, top_px: f64) -> bool {
        top_px + self.view_px >= self.content_px - END_TOLERANCE_PX
    }
}

impl Default for Viewport {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
