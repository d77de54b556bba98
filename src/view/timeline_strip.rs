//! How many lines came when, as bars by level. A stretch of them, by pointer or by key, limits what is shown.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, KeyboardEvent, PointerEvent};

use super::{
    listener::Listener,
    live_page::LivePage,
    screen::{Screen, Show, Shown, attribute, text, when},
};
use crate::model::{grouped_number::grouped, timeline::PICTURE_HEIGHT};

/// Fewest bars that the strip is wide: a page just opened shows narrow ones.
const LEAST_WIDTH: usize = 40;

/// What is shown in it.
pub const SHOWS: &[Show] = &[
    attribute("#timeline", "hidden", |shown, _| when(shown.bars == 0)),
    attribute("#range", "hidden", |shown, _| when(shown.now.range.is_none())),
    text("#range", |shown, _| Some(format!("{} ×", shown.now.range.as_ref()?).into())),
    attribute(".strip", "aria-valuemax", |shown, _| Some((last_bar(shown) + 1).to_string().into())),
    attribute(".strip", "aria-valuenow", |shown, _| {
        Some((shown.brush.map_or(last_bar(shown), |(_, end)| end) + 1).to_string().into())
    }),
    attribute(".strip", "aria-valuetext", |shown, _| Some((&shown.brush_words).into())),
    attribute(".strip", "title", |shown, _| Some((&shown.brush_words).into())),
    attribute(".strip svg", "viewBox", |shown, _| {
        Some(format!("0 0 {} {PICTURE_HEIGHT}", width(shown)).into())
    }),
    attribute(".strip .brush", "d", |shown, _| {
        let (start, end) = shown.brush?;
        let (from, to) = (start.min(end), start.max(end));
        Some(format!("M{from} 0h{}v{PICTURE_HEIGHT}H{from}z", to + 1 - from).into())
    }),
    attribute(".strip .bars", "d", |shown, at| Some(shown.outlines.get(at)?.into())),
    text(".rate", |shown, _| Some(format!("{}/s", grouped(u64::from(shown.now.rate))).into())),
];

/// The last bar there is.
pub(super) fn last_bar(shown: &Shown) -> usize {
    shown.bars.saturating_sub(1)
}

fn width(shown: &Shown) -> usize {
    shown.bars.max(LEAST_WIDTH)
}

/// Lets a pointer choose a stretch of bars, until the listeners are dropped.
///
/// # Errors
/// What the browser says when it finds nothing.
pub fn listen(root: &Element, page: &Rc<LivePage>) -> Result<Vec<Listener>, JsValue> {
    let Some(strip) = root.query_selector(".strip")? else { return Ok(Vec::new()) };
    let is_pressed = Rc::<Cell<bool>>::default();
    let (pressed, dragged) = (Rc::clone(&is_pressed), Rc::clone(&is_pressed));
    let (press, drag, release) = (Rc::downgrade(page), Rc::downgrade(page), Rc::downgrade(page));
    Ok(vec![
        Listener::passive(&strip, "pointerdown", move |event: &PointerEvent| {
            let Some(page) = press.upgrade() else { return };
            let Some((strip, at)) = bar_under(event, page.screen()) else { return };
            // Fails only for pointers that are gone.
            strip.set_pointer_capture(event.pointer_id()).unwrap_or_default();
            pressed.set(true);
            page.set_brush(Some((at, at)));
        }),
        Listener::passive(&strip, "pointermove", move |event: &PointerEvent| {
            let Some(page) = drag.upgrade().filter(|_| dragged.get()) else { return };
            if let Some((_, at)) = bar_under(event, page.screen()) {
                let start = page.screen().read(|shown| shown.brush).map_or(at, |(start, _)| start);
                page.set_brush(Some((start, at)));
            }
        }),
        Listener::passive(&strip, "pointerup", move |_: &PointerEvent| {
            if let Some(page) = release.upgrade().filter(|_| is_pressed.take()) {
                page.set_range(page.screen().read(|shown| shown.brush));
            }
        }),
    ])
}

/// A key pressed on the strip. Whether it meant something.
pub fn press(page: &LivePage, event: &KeyboardEvent) -> bool {
    let (brush, last) = page.screen().read(|shown| (shown.brush, last_bar(shown)));
    let (start, end) = brush.unwrap_or((last, last));
    let end = match event.key().as_str() {
        "ArrowLeft" => end.saturating_sub(1),
        "ArrowRight" => (end + 1).min(last),
        "Home" => 0,
        "End" => last,
        "Enter" => {
            page.set_range(Some((start, end)));
            return true;
        }
        "Escape" => {
            page.set_range(None);
            return true;
        }
        _ => return false,
    };
    page.set_brush(Some((if event.shift_key() { start } else { end }, end)));
    true
}

/// The strip, and which bar of it the pointer is on.
fn bar_under(event: &PointerEvent, screen: Screen) -> Option<(Element, usize)> {
    let strip: Element = event.current_target()?.dyn_into().ok()?;
    let place = strip.get_bounding_client_rect();
    let share = (f64::from(event.client_x()) - place.left()) / place.width().max(1.0);
    let (width, last) = screen.read(|shown| (width(shown), last_bar(shown)));
    // A share of few bars.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let at = (share.clamp(0.0, 1.0) * width as f64) as usize;
    Some((strip, at.min(last)))
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
