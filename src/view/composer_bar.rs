//! A line to type in, for those who may publish.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, HtmlSelectElement, KeyboardEvent};

use super::{
    live_page::LivePage,
    screen::{Show, text},
};

/// What is shown in it.
pub const SHOWS: &[Show] = &[text("#composer .sent", |shown, _| Some((&shown.sent).into()))];

/// Sends what was typed. What is not taken stays, to be sent again.
pub fn send(root: &Element, page: &LivePage) {
    let Some(field) = field(root) else { return };
    let choice = root.query_selector("#composer select").ok().flatten();
    let choice = choice.and_then(|choice| choice.dyn_into::<HtmlSelectElement>().ok());
    // There are few sources.
    let source = choice.map_or(0, |choice| usize::try_from(choice.selected_index()).unwrap_or(0));
    let text = field.value();
    if !text.is_empty() && page.publish(source, &text).is_ok() {
        field.set_value("");
    }
}

/// A key pressed in the field: what was sent before comes again. Whether it meant something.
pub fn press(root: &Element, page: &LivePage, event: &KeyboardEvent) -> bool {
    let is_older = match event.key().as_str() {
        "ArrowUp" => true,
        "ArrowDown" => false,
        _ => return false,
    };
    if let (Some(field), Some(text)) = (field(root), page.recall(is_older)) {
        field.set_value(&text);
    }
    true
}

fn field(root: &Element) -> Option<HtmlInputElement> {
    root.query_selector("#composer input").ok()??.dyn_into().ok()
}

#[cfg(test)]
#[path = "composer_tests.rs"]
mod tests;
