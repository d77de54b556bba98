//! The bar under the header: what to look for, what to show.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use super::{menu::MENU_ID, preferences::Preferences, source_switches::SourceSwitches};
use crate::model::{
    command::{Command, Way},
    finding::{FilterMode, FindState, Finding},
    grouped_number::{counted, grouped},
    level::Level,
    live_log::Times,
    matcher::Query,
    source::SourceLine,
};

/// A change of what is looked for or shown.
#[derive(Debug, Clone)]
pub enum FindChange {
    /// Look for this.
    Query(Query),
    /// Show other lines by the query.
    Mode(FilterMode),
    /// Show this level, or not.
    Level(Level),
    /// Show the lines of this source, or not.
    Source(u16),
}

impl FindChange {
    /// Makes the change.
    pub fn apply(self, finding: &mut Finding) {
        match self {
            Self::Query(query) => finding.set_query(query),
            Self::Mode(mode) => finding.set_mode(mode),
            Self::Level(level) => finding.toggle_level(level),
            Self::Source(source) => finding.toggle_source(source),
        }
    }
}

/// The field, and what is in it.
#[derive(Clone, Copy)]
pub struct FindField {
    /// The element.
    pub field: NodeRef<html::Input>,
    /// What is looked for.
    pub query: RwSignal<Query>,
}

impl FindField {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { field: NodeRef::new(), query: RwSignal::default() }
    }

    /// Gives it the focus, all of it selected.
    pub fn enter(self) {
        if let Some(field) = self.field.get_untracked() {
            // Fails only for elements that take no focus.
            field.focus().unwrap_or_default();
            field.select();
        }
    }

    /// Empties it; whether there was something in it.
    pub fn clear(self) -> bool {
        let had_words = self.query.with_untracked(|query| !query.pattern.is_empty());
        if had_words && let Some(field) = self.field.get_untracked() {
            field.set_value("");
            self.query.update(|query| query.pattern.clear());
        }
        had_words
    }
}

impl Default for FindField {
    fn default() -> Self {
        Self::new()
    }
}

/// The bar.
#[component]
pub fn FindBar(
    /// What there is to say about the search.
    state: ReadSignal<FindState>,
    /// Where the lines come from.
    sources: ReadSignal<Vec<SourceLine>>,
    /// The reader wants to see the lines of this source, or no longer.
    on_source: Callback<u16>,
    /// What the reader likes.
    preferences: ReadSignal<Preferences>,
    /// Where the reader types.
    find: FindField,
    /// Has done what the bar asks for.
    act: Callback<Command>,
) -> impl IntoView {
    let FindField { field, query } = find;
    let has_query = move || query.with(|query| !query.pattern.is_empty());
    view! {
        <div id="find" role="search" data-hits=move || state.with(|state| state.hits.to_string())>
            <input
                node_ref=field
                type="text"
                aria-label="Find in the log"
                placeholder="Find  ( / )"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-invalid=move || state.with(|state| state.error.is_some()).to_string()
                on:input=move |event| {
                    let pattern = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
                    let pattern = pattern.map(|field| field.value()).unwrap_or_default();
                    query.update(|query| query.pattern = pattern);
                }
            />
            <Toggle
                name="Match case"
                title="Match case (Alt+C)"
                text="Aa"
                is_on=Signal::derive(move || query.with(|query| query.is_case_sensitive))
                on_press=move || act.run(Command::ToggleCase)
            />
            <Toggle
                name="Regular expression"
                title="Regular expression (Alt+R)"
                text=".*"
                is_on=Signal::derive(move || query.with(|query| query.is_regex))
                on_press=move || act.run(Command::ToggleRegex)
            />
            <span class="found" role="status">
                {move || if has_query() { state.with(found_words) } else { String::new() }}
            </span>
            <button type="button" title="Previous hit (N)" aria-label="Previous hit" disabled=move || !has_query() on:click=move |_| act.run(Command::StepHit(Way::Back))>
                "↑"
            </button>
            <button type="button" title="Next hit (n)" aria-label="Next hit" disabled=move || !has_query() on:click=move |_| act.run(Command::StepHit(Way::Forward))>
                "↓"
            </button>
            <button
                type="button"
                id="filter"
                title="Show all lines, only hits, or everything but hits (&)"
                aria-pressed=move || state.with(|state| state.mode != FilterMode::Off).to_string()
                on:click=move |_| act.run(Command::NextFilter)
            >
                {move || state.with(|state| mode_words(state.mode))}
            </button>
            <SourceSwitches sources on_toggle=on_source />
            <div class="levels" role="group" aria-label="Show only these levels">
                {Vec::from(Level::ALL
                    .map(|level| {
                        let count = move || state.with(|state| state.level_counts.get(level as usize).copied().unwrap_or(0));
                        let is_on = move || state.with(|state| state.levels.get(level as usize).copied().unwrap_or(false));
                        view! {
                            <button
                                type="button"
                                class="level"
                                data-level=level.as_str()
                                aria-pressed=move || is_on().to_string()
                                hidden=move || count() == 0 && !is_on()
                                title=format!("Show lines of level {} ({})", level.as_str(), level as usize + 1)
                                on:click=move |_| act.run(Command::ToggleLevel(level))
                            >
                                {level.as_str()} " " <b>{move || grouped(count())}</b>
                            </button>
                        }
                    }))}
            </div>
            <Toggle
                name="Wrap long lines"
                title="Wrap long lines (z)"
                text="Wrap"
                is_on=Signal::derive(move || preferences.with(|liked| liked.is_wrapping))
                on_press=move || act.run(Command::ToggleWrap)
            />
            <button
                type="button"
                id="times"
                title="Numbers, times, or time since the line before (t)"
                on:click=move |_| act.run(Command::NextTimes)
            >
                {move || match preferences.with(|liked| liked.times) {
                    Times::Off => "Numbers",
                    Times::Clock => "Times",
                    Times::Since => "Time since",
                }}
            </button>
            <button type="button" id="menu-button" popovertarget=MENU_ID>
                "Menu"
            </button>
            <span class="shown">
                {move || state.with(|state| state.shown.map(|shown| counted(shown as u64, "line shown", "lines shown")))}
            </span>
        </div>
    }
}

/// A button that is in or out.
#[component]
fn Toggle(
    name: &'static str,
    title: &'static str,
    text: &'static str,
    is_on: Signal<bool>,
    on_press: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="toggle"
            title=title
            aria-label=name
            aria-pressed=move || is_on.get().to_string()
            on:click=move |_| on_press()
        >
            {text}
        </button>
    }
}

/// The one after it.
#[must_use]
pub fn next_mode(mode: FilterMode) -> FilterMode {
    match mode {
        FilterMode::Off => FilterMode::Matching,
        FilterMode::Matching => FilterMode::NotMatching,
        FilterMode::NotMatching => FilterMode::Off,
    }
}

fn mode_words(mode: FilterMode) -> &'static str {
    match mode {
        FilterMode::Off => "All lines",
        FilterMode::Matching => "Only hits",
        FilterMode::NotMatching => "Without hits",
    }
}

fn found_words(state: &FindState) -> String {
    if let Some(error) = &state.error {
        return format!("not a pattern: {error}");
    }
    let so_far = if state.is_counting { " so far" } else { "" };
    match state.current {
        Some(current) => format!("{} of {}{so_far}", grouped(current as u64), grouped(state.hits as u64)),
        None => format!("{}{so_far}", counted(state.hits as u64, "line", "lines")),
    }
}
