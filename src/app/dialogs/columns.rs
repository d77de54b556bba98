//! `<ColumnsDialog>`: fields of JSON lines that are shown as columns.

use leptos::prelude::*;

use super::popover::Popover;
use crate::{
    app::context::{use_commands, use_state},
    controller::state::ViewerStateStoreFields,
    model::command::{Command, Dialog},
};

/// Edits the fields of JSON lines that are shown as columns.
#[component]
pub fn ColumnsDialog() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let fields = Signal::derive(move || state.preferences().with(|preferences| preferences.columns.clone()));
    let set_fields: SignalSetter<String> =
        SignalSetter::map(move |fields| commands.run(Command::SetColumns(fields)));
    view! {
        <Popover dialog=Dialog::Columns label="Columns">
            <label for="columns-field">"Fields of JSON lines to show as columns"</label>
            <input
                id="columns-field"
                type="text"
                placeholder="time, level, msg"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                autofocus
                bind:value=(fields, set_fields)
            />
            <p class="hint">"Lines without these fields are shown as they are; any line can be expanded to all its values."</p>
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
    async fn fields_are_shown_and_changed_as_they_are_typed() {
        let stage = ComponentStage::showing(|| view! { <ColumnsDialog /> }).await;
        let preferences = Preferences { columns: "level, msg".into(), ..Preferences::default() };
        stage.set(stage.state().preferences(), preferences).await;
        assert_eq!(value(&stage.get("#columns-field")), "level, msg");
        stage.type_into("#columns-field", "").await;
        assert_eq!(stage.commands(), [Command::SetColumns(String::new())]);
    }
}
