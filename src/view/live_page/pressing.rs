//! Selections, and presses on parts of a row.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, MouseEvent};

use super::{LivePage, Stage, commands::show_link};
use crate::{model::live_log::LiveLog, view::listener::Listener};

/// Listens to selections, and to presses on a line's number or fold.
pub(super) fn listen(page: &LivePage, scroller: &HtmlElement) -> [Listener; 3] {
    let (log, gate, screen) = (Rc::clone(&page.log), Rc::clone(&page.gate), page.screen);
    let (window, surroundings) = (page.window.clone(), page.surroundings.clone());
    [
        Listener::passive(&page.document, "selectionchange", {
            let (log, gate, stage) = (Rc::clone(&log), Rc::clone(&gate), Rc::downgrade(&page.stage));
            move |_: &Event| {
                if read_selection(&stage, &mut log.borrow_mut()) {
                    gate.ask();
                }
            }
        }),
        Listener::active(scroller, "mousedown", |event: &MouseEvent| {
            if line_pressed(event, ".gutter").is_some() {
                // No selection begins there.
                event.prevent_default();
            }
        }),
        Listener::passive(scroller, "click", move |event: &MouseEvent| {
            if let Some(id) = line_pressed(event, ".fold") {
                log.borrow_mut().toggle_open(id);
                gate.ask();
            } else if let Some(id) = line_pressed(event, ".gutter") {
                let linked = log.borrow_mut().link_line(id, event.shift_key());
                show_link(&surroundings, &window, linked, screen);
                gate.ask();
            }
        }),
    ]
}

/// Takes over what the reader selected since. Whether he did.
fn read_selection(stage: &Weak<RefCell<Option<Stage>>>, log: &mut LiveLog) -> bool {
    let Some(stage) = stage.upgrade() else { return false };
    let Ok(stage) = stage.try_borrow() else { return false };
    let read = |stage: &Stage| stage.selection.read(&stage.view, log, stage.input.holds_text());
    stage.as_ref().is_some_and(read)
}

/// The line of which such a part was pressed.
fn line_pressed(event: &MouseEvent, part: &str) -> Option<u64> {
    let part = event.target()?.dyn_into::<Element>().ok()?.closest(part).ok()??;
    part.parent_element()?.get_attribute("data-line-id")?.parse().ok()
}
