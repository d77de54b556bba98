//! `<SearchField>`: the pattern to search for.

use leptos::prelude::*;

use super::{
    aria,
    context::{use_commands, use_controller, use_state},
};
use crate::{controller::state::ViewerStateStoreFields, model::command::Command};

/// Edits the pattern to search for.
#[component]
pub fn SearchField() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let pattern = Signal::derive(move || state.query().with(|query| query.pattern.clone()));
    let set_pattern: SignalSetter<String> =
        SignalSetter::map(move |pattern| commands.run(Command::SetPattern(pattern)));
    let field = use_controller().with_value(|controller| controller.elements().search_field);
    view! {
        <input
            type="text"
            node_ref=field
            aria-label="Find"
            placeholder="Find (/)"
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            aria-invalid=move || aria(state.search().with(|search| search.error.is_some()))
            bind:value=(pattern, set_pattern)
        />
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        model::search::{SearchState, matcher::Query},
        test_page::{ComponentStage, value},
    };

    async fn search_field() -> ComponentStage {
        let mut stage = ComponentStage::with_controller();
        stage.mount(|| view! { <SearchField /> }).await;
        stage
    }

    #[wasm_bindgen_test]
    async fn typing_searches_for_the_pattern() {
        let stage = search_field().await;
        stage.type_into("input", "time out").await;
        stage.type_into("input", "").await;
        assert_eq!(
            stage.commands(),
            [Command::SetPattern("time out".into()), Command::SetPattern(String::new())]
        );
    }

    #[wasm_bindgen_test]
    async fn the_field_shows_the_pattern_of_the_query_and_whether_it_is_valid() {
        let stage = search_field().await;
        stage.set(stage.state().query(), Query { pattern: "(".into(), ..Query::default() }).await;
        assert_eq!(value(&stage.get("input")), "(");
        assert_eq!(stage.attribute("input", "aria-invalid"), "false");
        let invalid = SearchState { error: Some("unclosed group".into()), ..SearchState::default() };
        stage.set(stage.state().search(), invalid).await;
        assert_eq!(stage.attribute("input", "aria-invalid"), "true");
        stage.type_into("input", "typed").await;
        stage.set(stage.state().query(), Query::default()).await;
        assert_eq!(value(&stage.get("input")), "", "the query replaces what was typed");
    }

    #[wasm_bindgen_test]
    async fn the_controller_can_reach_the_field() {
        let stage = search_field().await;
        stage.controller().run(Command::FocusSearch);
        assert!(stage.get("input").matches(":focus").unwrap());
    }
}
