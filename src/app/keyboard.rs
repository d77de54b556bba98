//! Keyboard shortcuts: from a key event to a command.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{
    EventTarget, HtmlBodyElement, HtmlButtonElement, HtmlHtmlElement, HtmlInputElement, HtmlSelectElement,
    HtmlTextAreaElement, KeyboardEvent, Node,
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
    if matches!(context, KeyContext::Log | KeyContext::Button)
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
    let dialogs = elements.dialogs.try_get_untracked().flatten();
    if search_field.is_some_and(|field| target == *field.unchecked_ref::<EventTarget>()) {
        KeyContext::SearchField
    } else if is_field(&target) {
        KeyContext::TextField
    } else if target.has_type::<HtmlBodyElement>()
        || target.has_type::<HtmlHtmlElement>()
        || scroller.is_some_and(|scroller| scroller.contains(target.dyn_ref::<Node>()))
    {
        KeyContext::Log
    } else if target.has_type::<HtmlButtonElement>()
        && !dialogs.is_some_and(|dialogs| dialogs.contains(target.dyn_ref::<Node>()))
    {
        KeyContext::Button
    } else {
        KeyContext::Elsewhere
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        app::event_listener::use_preventing_listener,
        model::{command::Dialog, search::matcher::Query},
        test_page::{ComponentStage, document, key_event},
    };

    /// Returns a page with elements of all kinds, whose key events are passed to `on_key`.
    async fn page(on_key: impl Fn(&Rc<LogController>, &KeyboardEvent) + 'static) -> ComponentStage {
        let mut stage = ComponentStage::with_controller();
        let controller = Rc::clone(stage.controller());
        let elements = controller.elements();
        stage.owned(|| {
            use_preventing_listener(&document(), "keydown", move |event| on_key(&controller, event));
        });
        stage
            .mount(move || {
                view! {
                    <input id="search" node_ref=elements.search_field />
                    <input id="field" />
                    <textarea id="area"></textarea>
                    <select id="choice"></select>
                    <button id="button"></button>
                    <div node_ref=elements.dialogs>
                        <button id="item"></button>
                    </div>
                    <div id="log" tabindex="0" node_ref=elements.scroller>
                        <span id="row"></span>
                    </div>
                }
            })
            .await;
        stage
    }

    async fn page_with_keys() -> ComponentStage {
        page(handle_key).await
    }

    fn open_dialog(stage: &ComponentStage) -> Option<Dialog> {
        stage.state().dialog().get_untracked()
    }

    fn pattern(stage: &ComponentStage) -> String {
        stage.state().query().get_untracked().pattern
    }

    fn has_focus(stage: &ComponentStage, selector: &str) -> bool {
        stage.get(selector).matches(":focus").unwrap()
    }

    #[wasm_bindgen_test]
    async fn the_context_of_a_key_is_the_element_with_the_focus() {
        let contexts = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&contexts);
        let stage = page(move |controller, event| {
            seen.borrow_mut().push(key_context(&controller.elements(), event));
        })
        .await;
        for selector in ["#search", "#field", "#area", "#choice", "#button", "#item", "#log", "#row"] {
            stage.press_in(selector, "n").await;
        }
        document().body().unwrap().dispatch_event(&key_event("n")).unwrap();
        document().document_element().unwrap().dispatch_event(&key_event("n")).unwrap();
        use KeyContext::{Button, Elsewhere, Log, SearchField, TextField};
        assert_eq!(
            *contexts.borrow(),
            [SearchField, TextField, TextField, TextField, Button, Elsewhere, Log, Log, Log, Log]
        );
    }

    #[wasm_bindgen_test]
    async fn a_key_carries_out_its_command_and_prevents_the_browser_s_own() {
        let stage = page_with_keys().await;
        assert!(stage.press_in("#row", "g").await);
        assert_eq!(open_dialog(&stage), Some(Dialog::GoTo));
        assert!(!stage.press_in("#field", "g").await, "a text field takes the key");
        assert_eq!(open_dialog(&stage), Some(Dialog::GoTo));
        assert!(!stage.press_in("#row", "ä").await, "a key without a command");
        let handled = key_event("g");
        handled.prevent_default();
        stage.get("#row").dispatch_event(&handled).unwrap();
        assert_eq!(open_dialog(&stage), Some(Dialog::GoTo), "a component has handled it already");
    }

    #[wasm_bindgen_test]
    async fn keys_that_scroll_focus_the_log_and_are_left_to_the_browser() {
        let stage = page_with_keys().await;
        stage.get("#button").focus().unwrap();
        assert!(!stage.press_in("#row", "ArrowDown").await);
        assert!(has_focus(&stage, "#log"));
        assert!(!stage.press_in("#row", "Ctrl+C").await, "the browser's copy leads to a copy event");
        assert!(stage.press_in("#row", "Ctrl+A").await);
    }

    #[wasm_bindgen_test]
    async fn after_a_press_on_a_button_keys_scroll_the_log_and_space_presses_the_button() {
        let stage = page_with_keys().await;
        stage.get("#button").focus().unwrap();
        assert!(!stage.press_in("#button", "Space").await);
        assert!(has_focus(&stage, "#button"));
        assert!(stage.press_in("#button", "End").await);
        assert!(has_focus(&stage, "#log"));
        stage.get("#item").focus().unwrap();
        assert!(!stage.press_in("#item", "End").await, "a dialog uses the key itself");
        assert!(has_focus(&stage, "#item"));
    }

    #[wasm_bindgen_test]
    async fn escape_clears_the_search_field_then_leaves_it() {
        let stage = page_with_keys().await;
        stage.get("#search").focus().unwrap();
        stage.set(stage.state().query(), Query { pattern: "a".into(), ..Query::default() }).await;
        stage.press_in("#search", "Escape").await;
        assert_eq!((pattern(&stage), has_focus(&stage, "#search")), (String::new(), true));
        stage.press_in("#search", "Escape").await;
        assert!(has_focus(&stage, "#log"));
    }

    #[wasm_bindgen_test]
    async fn escape_is_the_browser_s_while_a_dialog_is_open() {
        let stage = page_with_keys().await;
        stage.set(stage.state().query(), Query { pattern: "a".into(), ..Query::default() }).await;
        stage.set(stage.state().dialog(), Some(Dialog::Menu)).await;
        assert!(!stage.press_in("#search", "Escape").await);
        assert_eq!((pattern(&stage), open_dialog(&stage)), ("a".into(), Some(Dialog::Menu)));
    }
}
