//! `<HighlightsDialog>`: patterns that are always highlighted.

use leptos::prelude::*;

use super::popover::Popover;
use crate::{
    app::context::{use_commands, use_state},
    controller::state::ViewerStateStoreFields,
    model::command::{Command, Dialog},
};

/// Edits the patterns that are always highlighted.
#[component]
pub fn HighlightsDialog() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let rules =
        Signal::derive(move || state.preferences().with(|preferences| preferences.highlights.clone()));
    let set_rules: SignalSetter<String> =
        SignalSetter::map(move |rules| commands.run(Command::SetHighlights(rules)));
    view! {
        <Popover dialog=Dialog::Highlights label="Highlights">
            <label for="highlights-field">"Always highlight"</label>
            <textarea
                id="highlights-field"
                rows="5"
                autocomplete="off"
                spellcheck="false"
                autofocus
                placeholder="timeout\nred: /5\\d\\d/"
                bind:value=(rules, set_rules)
            ></textarea>
            <p class="hint">
                "One rule a line: text, or /a regular expression/. Begin with yellow, blue, green, red, orange or purple and a colon to choose a colour."
            </p>
            <p class="wrong" role="status">
                {move || state.highlights_error().get()}
            </p>
        </Popover>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        browser::preferences::Preferences,
        test_page::{ComponentStage, value},
    };

    #[wasm_bindgen_test]
    async fn rules_are_shown_and_changed_as_they_are_typed() {
        let stage = ComponentStage::showing(|| view! { <HighlightsDialog /> }).await;
        let rules = "timeout\nred: /5\\d\\d/";
        let preferences = Preferences { highlights: rules.into(), ..Preferences::default() };
        stage.set(stage.state().preferences(), preferences).await;
        assert_eq!(value(&stage.get("#highlights-field")), rules);
        stage.type_into("#highlights-field", "a\nb").await;
        assert_eq!(stage.commands(), [Command::SetHighlights("a\nb".into())]);
    }

    #[wasm_bindgen_test]
    async fn an_invalid_rule_is_reported() {
        let stage = ComponentStage::showing(|| view! { <HighlightsDialog /> }).await;
        stage.set(stage.state().highlights_error(), "`(` is not a pattern".into()).await;
        assert_eq!(stage.text(".wrong"), "`(` is not a pattern");
    }
}
