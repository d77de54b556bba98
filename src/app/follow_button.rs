//! `<FollowButton>`: back to the newest line.

use leptos::prelude::*;

use super::context::{use_commands, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, grouped_number::counted},
};

/// Follows the newest line. Shown while the view is paused, with the number of lines received since.
#[component]
pub fn FollowButton() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let new_lines = move || state.new_lines().get().unwrap_or(0);
    let text = move || match new_lines() {
        0 => "Follow".to_owned(),
        lines => format!("Follow · {}", counted(lines, "new line", "new lines")),
    };
    view! {
        <button
            id="resume"
            type="button"
            title="Follow the newest line (End)"
            part="resume"
            data-new=move || new_lines().to_string()
            on:click=move |_| commands.run(Command::Follow)
        >
            <span aria-hidden="true">"↓ "</span>
            <span class="new">{text}</span>
        </button>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn new_lines_are_counted_and_a_click_follows() {
        let stage = ComponentStage::showing(|| view! { <FollowButton /> }).await;
        for (new_lines, text) in
            [(0, "Follow"), (1, "Follow · 1 new line"), (49_000, "Follow · 49,000 new lines")]
        {
            stage.set(stage.state().new_lines(), Some(new_lines)).await;
            assert_eq!(stage.text("#resume .new"), text);
            assert_eq!(stage.attribute("#resume", "data-new"), new_lines.to_string());
        }
        stage.click("#resume").await;
        assert_eq!(stage.commands(), [Command::Follow]);
    }
}
