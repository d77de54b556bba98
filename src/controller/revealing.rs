//! A match that is out of view in its line: beside the view, or in another row of a line that is higher than the view.

use super::LogController;

impl LogController {
    /// Scrolls the match that the user went to into view, if its line has a row. Returns whether the layout changes.
    pub(super) fn reveal_match(&self) -> bool {
        let Some((line, bytes)) = self.log.borrow_mut().take_reveal() else { return false };
        let rect = self.with_selection(|_, scope, log| scope.rect_of(line, &bytes, log)).flatten();
        let (Some(rect), Some(scroller)) = (rect, self.scroller()) else { return false };
        let view = scroller.get_bounding_client_rect();
        let (left, width) = (rect.left() - view.left(), f64::from(scroller.client_width()));
        if left < 0.0 || left + rect.width().min(width) > width {
            let from_start = left + f64::from(scroller.scroll_left());
            let is_near_start = from_start + rect.width() <= width;
            // A third of the view is left of the match.
            scroller.set_scroll_left(if is_near_start { 0 } else { pixels(from_start - width / 3.0) });
        }
        let (top, height) = (rect.top() - view.top(), f64::from(scroller.client_height()));
        let is_in_view = top >= 0.0 && top + rect.height().min(height) <= height;
        if !is_in_view {
            self.log.borrow_mut().viewport_mut().scroll_by(top - height / 3.0);
        }
        !is_in_view
    }
}

/// Rounds to whole pixels. Widths are far below what an integer holds.
#[allow(clippy::cast_possible_truncation)]
fn pixels(px: f64) -> i32 {
    px.round() as i32
}
