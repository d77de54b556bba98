//! The sources of the lines, when there is more than one: their names and colours, and a switch for each.

use wasm_bindgen::JsValue;
use web_sys::{Document, Element};

use super::{
    log_row::element,
    screen::{Show, Shown, attribute, flag, text},
};
use crate::model::source::{SOURCE_COLORS, SourceLine};

/// What is shown of each.
pub const SHOWS: &[Show] = &[
    attribute("#sources .source", "data-state", |shown, at| {
        Some(source(shown, at)?.status.state.as_str().into())
    }),
    attribute("#sources .source", "aria-pressed", |shown, at| flag(source(shown, at)?.is_on)),
    attribute("#sources .source", "title", |shown, at| {
        let source = source(shown, at)?;
        Some(format!("{}: {}", source.name, source.status.text()).into())
    }),
    text("#sources .state", |shown, at| {
        Some(&source(shown, at)?.status.spoken).filter(|spoken| *spoken != "Connected").map(Into::into)
    }),
];

fn source(shown: &Shown, at: usize) -> Option<&SourceLine> {
    shown.now.sources.get(at)
}

/// Makes a switch for each of several sources, and a choice in the line to type in.
///
/// # Errors
/// What the browser says when it makes no elements.
pub fn make_switches(document: &Document, root: &Element, sources: &[SourceLine]) -> Result<(), JsValue> {
    let (Some(switches), Some(choice)) =
        (root.query_selector("#sources")?, root.query_selector("#composer select")?)
    else {
        return Ok(());
    };
    if sources.len() < 2 {
        switches.remove();
        choice.remove();
        return Ok(());
    }
    for (at, source) in sources.iter().enumerate() {
        let switch = element(document, "button", "source")?;
        switch.set_attribute("type", "button")?;
        switch.set_attribute("data-source", &(at % SOURCE_COLORS).to_string())?;
        switch.set_attribute("data-at", &at.to_string())?;
        switch.set_text_content(Some(&source.name));
        switch.append_child(&*element(document, "span", "state")?)?;
        switches.append_child(&switch)?;
        let option = element(document, "option", "")?;
        option.set_attribute("value", &at.to_string())?;
        option.set_text_content(Some(&source.name));
        choice.append_child(&option)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
