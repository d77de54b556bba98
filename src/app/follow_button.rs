//! `<FollowButton>`: back to the newest line.

use leptos::prelude::*;

use super::context::{use_commands, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, grouped_number::grouped},
};

/// Follows the newest line. Shown while the view is paused, with the number of lines received since.
#[component]
pub fn FollowButton() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let new_lines = move || state.new_lines().get().unwrap_or(0);
    let text = move || match new_lines() {
        0 => "Paused".to_owned(),
        1 => "1 new line".to_owned(),
        lines => format!("{} new lines", grouped(lines)),
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
