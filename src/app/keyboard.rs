//! Keyboard shortcuts: from a key event to a command.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{
    EventTarget, HtmlBodyElement, HtmlHtmlElement, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement,
    KeyboardEvent, Node,
};

use crate::{
    controller::{LogController, ViewerElements, state::ViewerStateStoreFields},
    model::command::{Command, KeyContext, command_for, key_name},
};

/// Carries out the command of a key, unless a component or the host page has handled it.
pub fn handle_key(controller: &Rc<LogController>, event: &KeyboardEvent) {
    if event.default_prevented() {
        return;
    }
    let context = key_context(&controller.elements(), event);
    let has_ctrl = event.ctrl_key() || event.meta_key();
    let key = key_name(&event.key(), has_ctrl, event.alt_key(), event.shift_key());
    let Some(command) = command_for(&key, context) else { return };
    if *command == Command::Dismiss && dismiss(controller, context) {
        return;
    }
    if context == KeyContext::Log
        && matches!(command, Command::Scroll(..) | Command::Select(..) | Command::SelectAll)
    {
        controller.focus_log();
    }
    if !command.keeps_default() {
        event.prevent_default();
    } else if *command == Command::Copy {
        // The browser's copy leads to a `copy` event.
        return;
    }
    controller.run(command.clone());
}

/// Closes a dialog, or clears and leaves the search field. Returns whether there was something to do: the browser itself closes
/// dialogs on Escape, so the event is not prevented.
fn dismiss(controller: &Rc<LogController>, context: KeyContext) -> bool {
    let state = controller.state();
    if state.dialog().get_untracked().is_some() {
        return true;
    }
    if context != KeyContext::SearchField {
        return false;
    }
    if state.query().with_untracked(|query| query.pattern.is_empty()) {
        controller.focus_log();
    } else {
        controller.run(Command::SetPattern(String::new()));
    }
    true
}

/// Returns what has the focus.
fn key_context(elements: &ViewerElements, event: &KeyboardEvent) -> KeyContext {
    let Some(target) = event.target() else { return KeyContext::Log };
    let is_field = |target: &EventTarget| {
        target.has_type::<HtmlInputElement>()
            || target.has_type::<HtmlTextAreaElement>()
            || target.has_type::<HtmlSelectElement>()
    };
    let search_field = elements.search_field.try_get_untracked().flatten();
    let scroller = elements.scroller.try_get_untracked().flatten();
    if search_field.is_some_and(|field| target == *field.unchecked_ref::<EventTarget>()) {
        KeyContext::SearchField
    } else if is_field(&target) {
        KeyContext::TextField
    } else if target.has_type::<HtmlBodyElement>()
        || target.has_type::<HtmlHtmlElement>()
        || scroller.is_some_and(|scroller| scroller.contains(target.dyn_ref::<Node>()))
    {
        KeyContext::Log
    } else {
        KeyContext::Elsewhere
    }
}
