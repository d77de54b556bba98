//! `<Toolbar>`: search, filters, and the menu.

use leptos::prelude::*;

use super::{
    aria,
    context::{use_info, use_state},
    filter_mode_switch::FilterModeSwitch,
    level_filter::LevelFilter,
    match_stepper::MatchStepper,
    search_field::SearchField,
    source_switches::SourceSwitches,
    toggle_button::ToggleButton,
};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::command::{Command, Dialog},
};

/// Shows search, filters and the menu's button. Everything has a fixed width: nothing moves while lines are counted.
#[component]
pub fn Toolbar() -> impl IntoView {
    let state = use_state();
    // In a host page, landmarks are the page's own.
    let role = if use_info().is_embedded { "group" } else { "search" };
    let is_case_sensitive = Signal::derive(move || state.query().with(|query| query.is_case_sensitive));
    let is_regex = Signal::derive(move || state.query().with(|query| query.is_regex));
    let is_wrapping = Signal::derive(move || state.preferences().with(|preferences| preferences.is_wrapping));
    view! {
        <div
            id="find"
            role=role
            aria-label="Find and filter"
            part="toolbar"
            data-hits=move || state.search().with(|search| search.matches.to_string())
            data-counting=move || aria(state.search().with(|search| search.is_counting))
        >
            <div class="search">
                <SearchField />
                <MatchStepper />
            </div>
            // One row that scrolls sideways where the page is narrow.
            <div class="facets">
                <ToggleButton id="case" label="Match case" text="Aa" is_pressed=is_case_sensitive command=Command::ToggleCase />
                <ToggleButton id="regex" label="Regular expression" text=".*" is_pressed=is_regex command=Command::ToggleRegex />
                <FilterModeSwitch />
                <SourceSwitches />
                <LevelFilter />
                <ToggleButton id="wrap" label="Wrap lines" text="Wrap" is_pressed=is_wrapping command=Command::ToggleWrap />
            </div>
            <button type="button" id="menu-button" popovertarget=Dialog::Menu.id()>
                "Menu"
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        app::context::ViewerInfo,
        browser::preferences::Preferences,
        model::search::{SearchState, matcher::Query},
        test_page::ComponentStage,
    };

    async fn toolbar() -> ComponentStage {
        let mut stage = ComponentStage::with_controller();
        stage.mount(|| view! { <Toolbar /> }).await;
        stage
    }

    #[wasm_bindgen_test]
    async fn buttons_show_what_is_on_and_give_their_commands() {
        let stage = toolbar().await;
        let pressed = || ["#case", "#regex", "#wrap"].map(|button| stage.attribute(button, "aria-pressed"));
        assert_eq!(pressed(), ["false", "false", "false"]);
        let query = Query { is_case_sensitive: true, is_regex: true, ..Query::default() };
        stage.set(stage.state().query(), query).await;
        let preferences = Preferences { is_wrapping: true, ..Preferences::default() };
        stage.set(stage.state().preferences(), preferences).await;
        assert_eq!(pressed(), ["true", "true", "true"]);
        for button in ["#case", "#regex", "#wrap"] {
            stage.click(button).await;
        }
        assert_eq!(stage.commands(), [Command::ToggleCase, Command::ToggleRegex, Command::ToggleWrap]);
    }

    #[wasm_bindgen_test]
    async fn matches_and_whether_they_are_all_counted_can_be_read() {
        let stage = toolbar().await;
        let read = || (stage.attribute("#find", "data-hits"), stage.attribute("#find", "data-counting"));
        assert_eq!(read(), ("0".into(), "false".into()));
        let search = SearchState { matches: 7, is_counting: true, ..SearchState::default() };
        stage.set(stage.state().search(), search).await;
        assert_eq!(read(), ("7".into(), "true".into()));
    }

    #[wasm_bindgen_test]
    async fn the_toolbar_is_a_landmark_unless_it_is_embedded() {
        assert_eq!(toolbar().await.attribute("#find", "role"), "search");
        let mut stage = ComponentStage::with_controller();
        stage.provide(ViewerInfo { is_embedded: true, ..ViewerInfo::default() });
        stage.mount(|| view! { <Toolbar /> }).await;
        assert_eq!(stage.attribute("#find", "role"), "group");
    }
}
