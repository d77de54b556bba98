//! `<MatchStepper>`: the number of matches, and the way from one to the next.

use leptos::prelude::*;

use super::context::{use_commands, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        command::Command,
        grouped_number::{counted, grouped},
        navigation::Direction,
        search::SearchState,
    },
};

/// Shows the number of matches, and goes to the previous or the next one.
#[component]
pub fn MatchStepper() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let has_pattern = Memo::new(move |_| state.query().with(|query| !query.pattern.is_empty()));
    let found = move || has_pattern.get().then(|| state.search().with(label));
    let step = move |direction| move |_| commands.run(Command::StepMatch(direction));
    view! {
        <span class="found" role="status">
            {found}
        </span>
        <button
            type="button"
            class="step"
            title="Previous match (N)"
            aria-label="Previous match"
            disabled=move || !has_pattern.get()
            on:click=step(Direction::Backward)
        >
            "↑"
        </button>
        <button
            type="button"
            class="step"
            title="Next match (n)"
            aria-label="Next match"
            disabled=move || !has_pattern.get()
            on:click=step(Direction::Forward)
        >
            "↓"
        </button>
    }
}

fn label(search: &SearchState) -> String {
    if let Some(error) = &search.error {
        return format!("not a pattern: {error}");
    }
    let so_far = if search.is_counting { " so far" } else { "" };
    match search.current {
        Some(current) => format!("{} of {}{so_far}", grouped(current as u64), grouped(search.matches as u64)),
        None => format!("{}{so_far}", counted(search.matches as u64, "line", "lines")),
    }
}
