//! A frame: rows and state follow the model.
//!
//! Leptos writes the document in a microtask after signals were set. What is measured or scrolled therefore waits for a tick, still
//! within the frame.

use std::{
    future::Future,
    pin::Pin,
    rc::{Rc, Weak},
};

use leptos::{prelude::*, task::tick};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::{
    LogController,
    state::{ListLayout, TimelineBar, TimelineState, ViewerStateStoreFields, update, write_snapshot},
};
use crate::{
    browser::clock::{local_time, monotonic_ms, offset_minutes},
    model::{
        line_store::LineStore,
        render_schedule::{RenderOutcome, Urgency},
        search::work::Work,
        timeline::{Bar, FLOOD_PAUSE_MS, outline},
        viewport::Layout,
    },
};

/// Interval at which a countdown changes, in milliseconds.
const COUNTDOWN_MS: f64 = 1_000.0;
/// Interval between updates of the timeline, in milliseconds: its bars grow too slowly to be followed by the frame.
const TIMELINE_MS: f64 = 500.0;
/// Interval between changes of the page's address, in milliseconds: browsers refuse more than some hundreds in half a minute.
const ADDRESS_MS: f64 = 500.0;
/// Height of a row for each pixel of the font size.
const ROW_PX_PER_FONT_PX: f64 = 1.5;
/// Font size where the browser does not report it.
const DEFAULT_FONT_PX: f64 = 13.0;
/// Time in a frame for matches and highlights, in milliseconds.
const MATCHES_MS: f64 = 30.0;
/// Count of further frames that search matches and highlights for which a frame had no time.
const MAX_MATCH_RETRIES: u32 = 3;
/// Characters of the ruler.
pub const RULER_CHARS: usize = 64;

impl LogController {
    /// Renders, unless the viewer was removed.
    pub(super) fn render_if_alive(weak: Weak<Self>) -> Pin<Box<dyn Future<Output = RenderOutcome>>> {
        Box::pin(async move {
            match weak.upgrade() {
                Some(controller) => controller.render().await,
                None => RenderOutcome::Settled,
            }
        })
    }

    /// Renders the log as it is now.
    async fn render(self: Rc<Self>) -> RenderOutcome {
        if self.is_measure_due.take() {
            self.measure();
        }
        let unix_ms = local_time().unix_ms;
        let is_flood = self.log.borrow().store().timeline().is_flood(unix_ms);
        self.log.borrow_mut().viewport_mut().set_flooded(is_flood);
        let is_dragging = self.scroll.borrow().is_selecting();
        self.with_selection(|selection, scope, log| selection.read(scope, log, is_dragging));
        let mut layout = self.render_rows().await;
        self.write_state(unix_ms);
        tick().await;
        if self.correct_heights() {
            layout = self.render_rows().await;
            tick().await;
        }
        self.scroll_to(&layout);
        if self.reveal_match() {
            layout = self.render_rows().await;
            tick().await;
            self.scroll_to(&layout);
        }
        self.start_loads();
        self.with_selection(|selection, scope, log| {
            if is_dragging {
                selection.follow_drag(scope, log);
            }
            selection.show(scope, log);
        });
        self.outcome(unix_ms)
    }

    fn outcome(&self, unix_ms: f64) -> RenderOutcome {
        let log = self.log.borrow();
        // Space of dropped lines is still to be removed once the user has stopped scrolling.
        let is_lagging = log.viewport().is_lagging();
        if is_lagging || log.is_searching() {
            let is_urgent = is_lagging || !log.viewport().is_flooded();
            return RenderOutcome::Again(if is_urgent { Urgency::Immediate } else { Urgency::WithinBudget });
        }
        let is_ticking = log.is_counting_down(unix_ms) || log.has_announcements();
        // Lines are interpreted and grouped once the flood has ended.
        let flood_ms = log.viewport().is_flooded().then_some(FLOOD_PAUSE_MS);
        let is_timeline_stale = self.timeline_levels.get() != log.store().interpreted_id();
        let until_ms = [self.toast_until_ms.get(), self.undo_until_ms.get()].into_iter().flatten();
        let toast_ms = until_ms.min_by(f64::total_cmp).map(|until| (until - monotonic_ms()).max(0.0));
        let address_ms = self.is_address_stale().then_some(ADDRESS_MS);
        let ticking_ms = flood_ms.or(is_timeline_stale.then_some(TIMELINE_MS));
        let ticking_ms = ticking_ms.or(is_ticking.then_some(COUNTDOWN_MS)).or(address_ms);
        match (ticking_ms, toast_ms) {
            (None, None) => RenderOutcome::Settled,
            (Some(ms), None) | (None, Some(ms)) => RenderOutcome::After(ms),
            (Some(one), Some(other)) => RenderOutcome::After(one.min(other)),
        }
    }

    /// Gives the slots the rows in view.
    async fn render_rows(&self) -> Layout {
        let is_idle = self.scroll.borrow().is_idle(monotonic_ms());
        let mut layout = self.lay_out(is_idle);
        let needed = usize::try_from(layout.rows.end - layout.rows.start).unwrap_or(usize::MAX);
        if self.rows.grow_to(needed) {
            tick().await;
            // Lines may have been received meanwhile.
            layout = self.lay_out(is_idle);
        }
        let log = &mut *self.log.borrow_mut();
        let is_stale = self.rendered_revision.replace(log.revision()) != log.revision();
        let offset = offset_minutes();
        let has_time = has_time();
        let mut work = Work::while_true(&has_time);
        self.rows.show(layout.rows.clone(), is_stale, |position| log.row(position, offset, &mut work));
        self.retry_matches(work.is_spent(), log.revision());
        update(self.state.widths(), log.list_widths());
        let row_px = pixels(log.viewport().row_px());
        update(
            self.state.layout(),
            ListLayout {
                row_px,
                content_px: pixels(layout.content_px),
                rows_top_px: pixels(layout.rows_top_px),
                top_row_px: layout.top_row_px.map(pixels),
            },
        );
        layout
    }

    /// Renders the rows again in the next frame if matches are missing, but not forever.
    fn retry_matches(&self, are_missing: bool, revision: u64) {
        let retries = self.match_retries.replace(0);
        if are_missing && retries < MAX_MATCH_RETRIES {
            self.match_retries.set(retries + 1);
            self.rendered_revision.set(revision.wrapping_sub(1));
            self.request_render();
        }
    }

    fn lay_out(&self, is_idle: bool) -> Layout {
        self.log.borrow_mut().lay_out(is_idle)
    }

    fn write_state(&self, unix_ms: f64) {
        let now_ms = monotonic_ms();
        let snapshot = {
            let log = &mut *self.log.borrow_mut();
            log.announce(unix_ms);
            log.snapshot(unix_ms)
        };
        self.host.set_title(&snapshot.title);
        write_snapshot(self.state, snapshot);
        if now_ms - self.timeline_ms.get() >= TIMELINE_MS {
            self.write_timeline(now_ms);
        }
        if now_ms - self.address_ms.get() >= ADDRESS_MS {
            self.address_ms.set(now_ms);
            self.write_address();
        }
        let obstacle = self.log.borrow_mut().take_obstacle();
        if let Some(obstacle) = obstacle {
            self.show_toast(obstacle);
        }
        if self.toast_until_ms.get().is_some_and(|until| until <= now_ms) {
            self.remove_toast();
        }
        if self.undo_until_ms.get().is_some_and(|until| until <= now_ms) {
            self.forget_cleared();
        }
    }

    fn write_timeline(&self, now_ms: f64) {
        let timeline = {
            let log = self.log.borrow();
            self.timeline_levels.set(log.store().interpreted_id());
            timeline_state(log.store())
        };
        // The first bar does not wait for the interval.
        if !timeline.bars.is_empty() {
            self.timeline_ms.set(now_ms);
            update(self.state.timeline(), timeline);
        }
    }

    /// Scrolls to where the layout says, and records where the browser has rounded it to.
    fn scroll_to(&self, layout: &Layout) {
        if let (Some(top_px), Some(scroller)) = (layout.scroll_to_px, self.scroller()) {
            scroller.set_scroll_top(pixels(top_px));
            self.log.borrow_mut().viewport_mut().placed(f64::from(scroller.scroll_top()));
        }
    }

    /// Requests a render that measures the list first: it has another size.
    pub fn resized(&self) {
        self.is_measure_due.set(true);
        self.request_render();
    }

    /// Measures the list and a row.
    fn measure(&self) {
        let Some(scroller) = self.scroller() else { return };
        let font_px = self
            .host
            .window()
            .get_computed_style(&scroller)
            .ok()
            .flatten()
            .and_then(|style| style.get_property_value("font-size").ok())
            .map(|size| js_sys::parse_float(&size))
            .filter(|px| px.is_finite())
            .unwrap_or(DEFAULT_FONT_PX);
        // Whole pixels: rows of equal height on every screen, and scroll positions without fractions.
        let row_px = (font_px * ROW_PX_PER_FONT_PX).ceil();
        let is_wrapping = self.state.preferences().with_untracked(|preferences| preferences.is_wrapping);
        let row_columns = is_wrapping.then(|| self.row_columns());
        let log = &mut *self.log.borrow_mut();
        log.viewport_mut().resize(f64::from(scroller.client_height()), row_px);
        log.set_wrap(row_columns);
    }

    /// Returns how many characters fit into a row.
    fn row_columns(&self) -> u32 {
        let width = |element: Option<HtmlElement>| {
            element.map_or(0.0, |element| element.get_bounding_client_rect().width())
        };
        let ruler = self.elements.ruler.try_get_untracked().flatten();
        let line = self.elements.line_width.try_get_untracked().flatten();
        let char_px = width(ruler.map(JsCast::unchecked_into)) / RULER_CHARS as f64;
        // A quotient of widths on a screen, and a little more, for widths that are rounded down.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let columns = (width(line.map(JsCast::unchecked_into)) / char_px.max(1.0) + 0.01) as u32;
        columns.max(1)
    }

    /// Corrects the heights of wrapped rows that were rendered since by what they are. Returns whether the layout changes.
    fn correct_heights(&self) -> bool {
        let log = &mut *self.log.borrow_mut();
        let has_rendered = self.rows.take_rendered();
        if log.viewport().row_columns().is_none() || !has_rendered {
            return false;
        }
        let row_px = log.viewport().row_px();
        let mut has_changed = false;
        for (position, slot) in self.rows.positions() {
            let Some(element) = slot.element.try_get_untracked().flatten() else { continue };
            let height = f64::from(element.offset_height());
            // Whole rows, a few thousand at most.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rows = (height / row_px).round() as u32;
            has_changed |= log.viewport_mut().measured(position, rows);
        }
        has_changed
    }
}

/// Returns whether there is time for matches, from now on.
pub(super) fn has_time() -> impl Fn() -> bool {
    let until_ms = monotonic_ms() + MATCHES_MS;
    move || monotonic_ms() < until_ms
}

fn timeline_state(store: &LineStore) -> TimelineState {
    let timeline = store.timeline();
    let bars = timeline.bars();
    let kinds = bars.first().map_or(0, |bar| bar.len());
    let summary = |(at, bar): (usize, &Bar)| {
        let (from_ms, to_ms) = timeline.range_of(at, at);
        TimelineBar { from_ms, to_ms, lines: bar.iter().map(|count| u64::from(*count)).sum() }
    };
    TimelineState {
        bars: bars.iter().enumerate().map(summary).collect(),
        outlines: (0..kinds).map(|kind| outline(bars, kind)).collect(),
        is_counting_levels: !store.is_interpreted(),
    }
}

/// Rounds to whole pixels. Heights are far below what an integer holds.
#[allow(clippy::cast_possible_truncation)]
fn pixels(px: f64) -> i32 {
    px.round() as i32
}
