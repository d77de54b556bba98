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
