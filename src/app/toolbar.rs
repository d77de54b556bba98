//! `<Toolbar>`: search, filters and how lines are shown.

use leptos::prelude::*;

use super::{
    context::{use_commands, use_info, use_state},
    filter_mode_button::FilterModeButton,
    level_filter::LevelFilter,
    match_stepper::MatchStepper,
    search_field::SearchField,
    source_switches::SourceSwitches,
    toggle_button::ToggleButton,
};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        command::{Command, Dialog},
        grouped_number::counted,
        gutter::GutterContent,
    },
};

/// Shows search, filters, and how lines are shown.
#[component]
pub fn Toolbar() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    // In a host page, landmarks are the page's own.
    let role = if use_info().is_embedded { "group" } else { "search" };
    let is_case_sensitive = Signal::derive(move || state.query().with(|query| query.is_case_sensitive));
    let is_regex = Signal::derive(move || state.query().with(|query| query.is_regex));
    let is_wrapping = Signal::derive(move || state.preferences().with(|preferences| preferences.is_wrapping));
    let gutter = move || match state.preferences().with(|preferences| preferences.gutter) {
        GutterContent::LineNumber => "Numbers",
        GutterContent::Time => "Times",
        GutterContent::Elapsed => "Time since",
    };
    let visible = move || {
        let lines = state.filter().with(|filter| filter.visible_lines)?;
        Some(counted(lines as u64, "line shown", "lines shown"))
    };
    view! {
        <div
            id="find"
            role=role
            aria-label="Find and filter"
            part="toolbar"
            data-hits=move || state.search().with(|search| search.matches.to_string())
        >
            <SearchField />
            <ToggleButton id="case" label="Match case" text="Aa" is_pressed=is_case_sensitive command=Command::ToggleCase />
            <ToggleButton id="regex" label="Regular expression" text=".*" is_pressed=is_regex command=Command::ToggleRegex />
            <MatchStepper />
            <FilterModeButton />
            <SourceSwitches />
            <LevelFilter />
            <ToggleButton id="wrap" label="Wrap lines" text="Wrap" is_pressed=is_wrapping command=Command::ToggleWrap />
            <button
                type="button"
                id="times"
                title="Line numbers, timestamps, or time since the previous line (t)"
                on:click=move |_| commands.run(Command::NextGutter)
            >
                {gutter}
            </button>
            <button type="button" id="menu-button" popovertarget=Dialog::Menu.id()>
                "Menu"
            </button>
            <span class="shown">{visible}</span>
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
        model::search::{FilterState, SearchState, matcher::Query},
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
        let preferences =
            Preferences { is_wrapping: true, gutter: GutterContent::Elapsed, ..Preferences::default() };
        stage.set(stage.state().preferences(), preferences).await;
        assert_eq!(pressed(), ["true", "true", "true"]);
        assert_eq!(stage.text("#times"), "Time since");
        for button in ["#case", "#regex", "#wrap", "#times"] {
            stage.click(button).await;
        }
        assert_eq!(
            stage.commands(),
            [Command::ToggleCase, Command::ToggleRegex, Command::ToggleWrap, Command::NextGutter]
        );
    }

    #[wasm_bindgen_test]
    async fn matches_and_visible_lines_are_counted() {
        let stage = toolbar().await;
        assert_eq!(stage.text(".shown"), "");
        stage.set(stage.state().search(), SearchState { matches: 7, ..SearchState::default() }).await;
        stage
            .set(stage.state().filter(), FilterState { visible_lines: Some(1), ..FilterState::default() })
            .await;
        assert_eq!(stage.attribute("#find", "data-hits"), "7");
        assert_eq!(stage.text(".shown"), "1 line shown");
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
