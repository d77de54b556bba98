//! `<SelectionBar>`: the number of selected lines, and ways to copy them.

use leptos::{ev, prelude::*};

use super::context::{use_commands, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, grouped_number::counted},
};

/// Shows how many lines are selected, and copies them.
#[component]
pub fn SelectionBar() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let lines = state.selected_lines();
    // The press itself would clear the selection.
    let keep_selection = |event: ev::MouseEvent| event.prevent_default();
    view! {
        <div
            id="selected"
            hidden=move || lines.get() == 0
            data-lines=move || lines.get().to_string()
        >
            <span>{move || format!("{} selected", counted(lines.get(), "line", "lines"))}</span>
            <button
                type="button"
                title="Copy (Ctrl+C)"
                on:mousedown=keep_selection
                on:click=move |_| commands.run(Command::Copy)
            >
                "Copy"
            </button>
            <button
                type="button"
                title="Copy with colours (C)"
                on:mousedown=keep_selection
                on:click=move |_| commands.run(Command::CopyWithColours)
            >
                "Copy with colours"
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::{ComponentStage, bubbling_event};

    #[wasm_bindgen_test]
    async fn selected_lines_are_counted_and_nothing_is_shown_without_any() {
        let stage = ComponentStage::showing(|| view! { <SelectionBar /> }).await;
        assert!(stage.get("#selected").hidden());
        stage.set(stage.state().selected_lines(), 1_204).await;
        assert!(!stage.get("#selected").hidden());
        assert_eq!(stage.attribute("#selected", "data-lines"), "1204");
        assert_eq!(stage.text("#selected span"), "1,204 lines selected");
    }

    #[wasm_bindgen_test]
    async fn the_buttons_copy_and_a_press_keeps_the_selection() {
        let stage = ComponentStage::showing(|| view! { <SelectionBar /> }).await;
        stage.set(stage.state().selected_lines(), 1).await;
        for button in stage.all("button") {
            assert!(
                !button.dispatch_event(&bubbling_event("mousedown")).unwrap(),
                "the default is prevented"
            );
            button.click();
        }
        assert_eq!(stage.commands(), [Command::Copy, Command::CopyWithColours]);
    }
}
