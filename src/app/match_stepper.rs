//! `<MatchStepper>`: the number of matching lines, and steps from one to the next.

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

/// Shows the number of matching lines, and goes to the previous or the next one. What is wrong with the pattern is shown below, so
/// that no button moves.
#[component]
pub fn MatchStepper() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let has_pattern = Memo::new(move |_| state.query().with(|query| !query.pattern.is_empty()));
    let found = move || has_pattern.get().then(|| state.search().with(label));
    let error = move || {
        let error = state.search().with(|search| search.error.clone());
        error.map(|error| format!("Invalid pattern: {error}"))
    };
    let step = move |direction| move |_| commands.run(Command::StepMatch(direction));
    view! {
        <span class="found" role="status">
            {found}
        </span>
        <p class="wrong" role="status">
            {error}
        </p>
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
    if search.error.is_some() {
        return String::new();
    }
    let more = if search.is_counting { "+" } else { "" };
    let matches = grouped(search.matches as u64);
    match search.current {
        Some(current) => format!("{} of {matches}{more}", grouped(current as u64)),
        None if search.is_counting => format!("{matches}+ matches"),
        None => counted(search.matches as u64, "match", "matches"),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::search::matcher::Query, test_page::ComponentStage};

    const NEXT: &str = "[aria-label='Next match']";
    const PREVIOUS: &str = "[aria-label='Previous match']";

    fn query() -> Query {
        Query { pattern: "a".into(), ..Query::default() }
    }

    #[wasm_bindgen_test]
    async fn matches_are_counted_while_there_is_a_pattern() {
        let stage = ComponentStage::showing(|| view! { <MatchStepper /> }).await;
        let found = SearchState { matches: 1_204, ..SearchState::default() };
        stage.set(stage.state().search(), found.clone()).await;
        assert_eq!(stage.text(".found"), "");
        stage.set(stage.state().query(), query()).await;
        assert_eq!(stage.text(".found"), "1,204 matches");
        let counting = SearchState { is_counting: true, current: Some(3), ..found.clone() };
        stage.set(stage.state().search(), counting).await;
        assert_eq!(stage.text(".found"), "3 of 1,204+");
        stage
            .set(stage.state().search(), SearchState { error: Some("unclosed group".into()), ..found })
            .await;
        assert_eq!(
            (stage.text(".found"), stage.text(".wrong")),
            (String::new(), "Invalid pattern: unclosed group".into())
        );
    }

    #[wasm_bindgen_test]
    async fn steps_are_disabled_without_a_pattern() {
        let stage = ComponentStage::showing(|| view! { <MatchStepper /> }).await;
        stage.click(NEXT).await;
        assert_eq!(stage.commands(), []);
        stage.set(stage.state().query(), query()).await;
        stage.click(NEXT).await;
        stage.click(PREVIOUS).await;
        assert_eq!(
            stage.commands(),
            [Command::StepMatch(Direction::Forward), Command::StepMatch(Direction::Backward)]
        );
    }
}
