//! `<NoMatches>`: the reason why a log with lines shows none, and a way back.

use leptos::prelude::*;

use super::context::{use_commands, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        command::Command,
        level::Level,
        search::{FilterMode, FilterState},
    },
};

/// Names the criteria that hide every line, and removes them.
#[component]
pub fn NoMatches() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let reason = move || {
        let pattern = state.query().with(|query| query.pattern.clone());
        state.filter().with(|filter| reason(filter, &pattern))
    };
    view! {
        <section class="empty" id="no-matches">
            <h2>{reason}</h2>
            <p>"Lines that arrive are shown here if the filter lets them through."</p>
            <button type="button" on:click=move |_| commands.run(Command::ClearFilters)>
                "Show all lines"
            </button>
        </section>
    }
}

fn reason(filter: &FilterState, pattern: &str) -> String {
    let levels: Vec<&str> = Level::ALL
        .into_iter()
        .zip(filter.levels)
        .filter(|(_, is_on)| *is_on)
        .map(|(level, _)| level.as_str())
        .collect();
    let criterion = match filter.mode {
        FilterMode::Matching if !pattern.is_empty() => Some(format!("match “{pattern}”")),
        FilterMode::NotMatching if !pattern.is_empty() => Some(format!("differ from “{pattern}”")),
        _ => None,
    };
    match (criterion, levels.as_slice()) {
        (Some(criterion), []) => format!("No lines {criterion}"),
        (None, [_, ..]) => format!("No lines of level {}", levels.join(" or ")),
        _ => "No lines pass the filters".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::search::matcher::Query, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn the_criteria_are_named_and_can_be_removed() {
        let stage = ComponentStage::showing(|| view! { <NoMatches /> }).await;
        let query = Query { pattern: "<b>foo</b>".into(), ..Query::default() };
        stage.set(stage.state().query(), query).await;
        let errors = [true, false, false, false, false];
        for (mode, levels, text) in [
            (FilterMode::Matching, [false; 5], "No lines match “<b>foo</b>”"),
            (FilterMode::NotMatching, [false; 5], "No lines differ from “<b>foo</b>”"),
            (FilterMode::All, errors, "No lines of level error"),
            (FilterMode::All, [true, true, false, false, false], "No lines of level error or warning"),
            (FilterMode::Matching, errors, "No lines pass the filters"),
            (FilterMode::All, [false; 5], "No lines pass the filters"),
        ] {
            stage.set(stage.state().filter(), FilterState { mode, levels, ..FilterState::default() }).await;
            assert_eq!(stage.text("h2"), text);
        }
        stage.click("button").await;
        assert_eq!(stage.commands(), [Command::ClearFilters]);
    }
}
