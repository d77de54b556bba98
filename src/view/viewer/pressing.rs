//! Keys, presses and words typed, of the whole viewer.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement, KeyboardEvent};

use super::Viewer;
use crate::{
    model::command::{Command, Place, command_of, key_name},
    view::{
        composer_bar,
        find_bar::FindChange,
        listener::Listener,
        menu::{self, SAVES},
        timeline_strip,
    },
};

/// Listens to what the reader does with the viewer.
pub(super) fn listen(viewer: &Rc<Viewer>) -> Vec<Listener> {
    let root = &viewer.root;
    let of = |react: fn(&Viewer, &Event)| {
        let viewer = Rc::downgrade(viewer);
        move |event: &Event| {
            if let Some(viewer) = viewer.upgrade().filter(|viewer| viewer.is_meant(event)) {
                react(&viewer, event);
            }
        }
    };
    vec![
        Listener::active(viewer.surroundings.events(), "keydown", of(press_key)),
        Listener::passive(root, "click", of(press_button)),
        Listener::active(root, "mousedown", of(hold)),
        Listener::passive(root, "input", of(type_in)),
        Listener::active(root, "submit", of(submit)),
    ]
}

fn press_key(viewer: &Viewer, event: &Event) {
    let event: &KeyboardEvent = event.unchecked_ref();
    let target = target(event);
    let is_in = |selector| is_in(target.as_ref(), selector);
    let page = viewer.page();
    if is_in(".strip") && timeline_strip::press(page, event)
        || is_in("#composer input") && composer_bar::press(&viewer.root, page, event)
    {
        event.prevent_default();
        return;
    }
    let place = place_of(target.as_ref());
    let has_ctrl = event.ctrl_key() || event.meta_key();
    let key = key_name(&event.key(), has_ctrl, event.alt_key(), event.shift_key());
    let Some(command) = command_of(&key, place) else { return };
    if place == Place::FindField && command == Command::Escape {
        if viewer.screen.read(|shown| shown.query.pattern.is_empty()) {
            page.focus();
        } else {
            viewer.set("find", None);
        }
        return;
    }
    if place == Place::Log
        && matches!(command, Command::Scroll(..) | Command::Select(..) | Command::SelectAll)
    {
        page.focus();
    }
    if command.is_browsers_too() {
        if command == Command::Copy {
            return;
        }
    } else {
        event.prevent_default();
    }
    viewer.act(command);
}

fn press_button(viewer: &Viewer, event: &Event) {
    let Some(button) = target(event).and_then(|target| target.closest("button").ok().flatten()) else {
        return;
    };
    let said = |name| button.get_attribute(name);
    let number = |name| said(name).and_then(|number| number.parse::<u16>().ok());
    let page = viewer.page();
    if let Some(command) = said("data-key").and_then(|key| command_of(&key, Place::Log)) {
        menu::close_around(&button);
        viewer.act(command);
    } else if let Some((scope, format)) = number("data-save").and_then(|at| SAVES.get(usize::from(at))) {
        menu::close_around(&button);
        page.save(*scope, *format);
    } else if let Some(source) = number("data-at") {
        page.find(FindChange::Source(source));
    } else if button.id() == "range" {
        page.set_range(None);
    } else if button.id() == "resume" {
        page.follow();
    }
}

fn hold(_: &Viewer, event: &Event) {
    // A press there would take the selection away.
    if is_in(target(event).as_ref(), "#selected button") {
        event.prevent_default();
    }
}

fn type_in(viewer: &Viewer, event: &Event) {
    let Some(field) = target(event) else { return };
    // Fields of all kinds have one.
    let text = js_sys::Reflect::get(&field, &"value".into()).ok().and_then(|value| value.as_string());
    let text = text.unwrap_or_default();
    match field.id().as_str() {
        "highlights-field" => {
            let wrong = viewer.page().set_highlights(&text);
            viewer.tell_wrong("#highlights .wrong", wrong.as_deref());
            viewer.screen.change(|shown| shown.liked.highlights = text);
            viewer.screen.read(|shown| shown.liked.keep(&viewer.settings));
        }
        "columns-field" => viewer.prefer(|liked| liked.columns = text),
        _ if is_in(Some(&field), "#find") => viewer.look_for(|query| query.pattern = text),
        _ => {}
    }
}

fn submit(viewer: &Viewer, event: &Event) {
    event.prevent_default();
    if is_in(target(event).as_ref(), "#composer") {
        return composer_bar::send(&viewer.root, viewer.page());
    }
    let field = viewer.root.query_selector("#goto-field").ok().flatten();
    let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) else { return };
    let wrong = viewer.page().go_to(&field.value());
    viewer.tell_wrong("#goto .wrong", wrong.as_deref());
    if wrong.is_none() {
        menu::close_around(&field);
        viewer.page().focus();
    }
}

impl Viewer {
    /// Whether what happened is the viewer's affair. What stands in its slots is the page's around it.
    fn is_meant(&self, event: &Event) -> bool {
        self.surroundings.is_page() || target(event).is_none_or(|target| self.root.contains(Some(&target)))
    }

    /// Says what is wrong with what was typed, or that nothing is.
    fn tell_wrong(&self, selector: &str, words: Option<&str>) {
        if let Some(wrong) = self.root.query_selector(selector).ok().flatten() {
            wrong.set_text_content(words);
        }
    }
}

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

fn is_in(target: Option<&Element>, selector: &str) -> bool {
    target.is_some_and(|target| target.closest(selector).is_ok_and(|found| found.is_some()))
}

/// Where a key was pressed.
fn place_of(target: Option<&Element>) -> Place {
    let Some(target) = target else { return Place::Log };
    match target.node_name().as_str() {
        "BODY" | "HTML" => Place::Log,
        "INPUT" if is_in(Some(target), "#find") => Place::FindField,
        "INPUT" | "TEXTAREA" | "SELECT" => Place::OtherField,
        _ if is_in(Some(target), "#log") => Place::Log,
        _ => Place::Elsewhere,
    }
}
