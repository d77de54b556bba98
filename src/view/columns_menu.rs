//! Which fields of JSON lines are shown as columns.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use super::preferences::{keep_value, read_value};

/// What the choice is called in the page's address and in what is kept.
const COLUMNS: &str = "columns";
/// The id of the menu.
pub const COLUMNS_ID: &str = "columns";

/// The fields that the page's address asks for, or else those that were kept, separated by commas.
#[must_use]
pub fn chosen_columns() -> String {
    web_sys::window().and_then(|window| read_value(&window, COLUMNS)).unwrap_or_default()
}

/// Asks for them.
#[component]
pub fn ColumnsMenu(
    /// Other fields are to be shown, separated by commas.
    on_change: Callback<String>,
) -> impl IntoView {
    let on_input = move |event: web_sys::Event| {
        let Some(field) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else {
            return;
        };
        if let Some(window) = web_sys::window() {
            keep_value(&window, COLUMNS, &field.value());
        }
        on_change.run(field.value());
    };
    view! {
        <div id=COLUMNS_ID class="box" popover="auto" role="dialog" aria-label="Columns">
            <label>
                "Fields of JSON lines to show as columns"
                <input
                    autofocus
                    type="text"
                    placeholder="time, level, msg"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    value=chosen_columns()
                    on:input=on_input
                />
            </label>
            <p class="hint">"Lines without them are shown as they are; any line opens to all its values."</p>
        </div>
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
