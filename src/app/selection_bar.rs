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
                "With colours"
            </button>
        </div>
    }
}
