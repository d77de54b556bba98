//! The bar under the header: what to look for, what to show.
//!
//! Which key does what is listed in [`super::keys_help`].

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, KeyboardEvent, Node};

use super::{
    columns_menu::ColumnsMenu,
    keys_help::{HELP_ID, toggle_help},
    preferences::{Preferences, Theme},
};
use crate::model::{
    finding::{FilterMode, FindState, Finding},
    grouped_number::{counted, grouped},
    level::Level,
    matcher::Query,
};

/// What the bar asks of the page.
#[derive(Clone, Copy)]
pub struct FindActions {
    /// Look for something else, or show something else.
    pub change: Callback<FindChange>,
    /// To the next line with a hit, or to the previous one.
    pub step: Callback<bool>,
    /// Hold the view where it is, or follow the end again.
    pub pause: Callback<()>,
    /// Keep the lines shown as a file.
    pub save: Callback<()>,
    /// Open the line that is looked at, or close it.
    pub open: Callback<()>,
    /// Show these fields of JSON lines as columns.
    pub columns: Callback<String>,
    /// The reader likes something else.
    pub prefer: Callback<Preferences>,
}

/// A change of what is looked for or shown.
#[derive(Debug, Clone)]
pub enum FindChange {
    /// Look for this.
    Query(Query),
    /// Show other lines by the query.
    Mode(FilterMode),
    /// Show this level, or not.
    Level(Level),
}

impl FindChange {
    /// Makes the change.
    pub fn apply(self, finding: &mut Finding) {
        match self {
            Self::Query(query) => finding.set_query(query),
            Self::Mode(mode) => finding.set_mode(mode),
            Self::Level(level) => finding.toggle_level(level),
        }
    }
}

/// The bar.
#[component]
pub fn FindBar(
    /// What there is to say about the search.
    state: ReadSignal<FindState>,
    /// What the reader likes.
    preferences: ReadSignal<Preferences>,
    /// What the bar asks for.
    actions: FindActions,
) -> impl IntoView {
    let (query, set_query) = signal(Query::default());
    let field = NodeRef::<html::Input>::new();
    let ask = move |change: &dyn Fn(&mut Query)| {
        set_query.update(change);
        actions.change.run(FindChange::Query(query.get_untracked()));
    };
    let toggle_wrap = move || {
        let liked = preferences.get_untracked();
        actions.prefer.run(Preferences { is_wrapping: !liked.is_wrapping, ..liked });
    };
    let toggle_time = move || {
        let liked = preferences.get_untracked();
        actions.prefer.run(Preferences { shows_time: !liked.shows_time, ..liked });
    };
    let next_theme = move || {
        let liked = preferences.get_untracked();
        actions.prefer.run(Preferences { theme: liked.theme.next(), ..liked });
    };
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        if is_for_page(&event) {
            match event.key().as_str() {
                "/" => {
                    event.prevent_default();
                    if let Some(field) = field.get_untracked() {
                        // Fails only for elements that take no focus.
                        field.focus().unwrap_or_default();
                        field.select();
                    }
                }
                "n" => actions.step.run(true),
                "N" => actions.step.run(false),
                "p" | "F" => actions.pause.run(()),
                "s" => actions.save.run(()),
                "o" => actions.open.run(()),
                "z" => toggle_wrap(),
                "i" => toggle_time(),
                "t" => next_theme(),
                "?" => toggle_help(),
                "&" => actions.change.run(FindChange::Mode(next_mode(state.get_untracked().mode))),
                _ => {}
            }
        }
    });
    on_cleanup(move || listener.remove());
    let on_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => actions.step.run(!event.shift_key()),
        "Escape" => {
            let Some(field) = field.get_untracked() else { return };
            if query.with_untracked(|query| query.pattern.is_empty()) {
                field.blur().unwrap_or_default();
            } else {
                field.set_value("");
                ask(&|query| query.pattern.clear());
            }
        }
        _ => {}
    };
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
                    ask(&|query| query.pattern.clone_from(&pattern));
                }
                on:keydown=on_key
            />
            <Toggle
                name="Match case"
                text="Aa"
                is_on=Signal::derive(move || query.with(|query| query.is_case_sensitive))
                on_press=move || ask(&|query| query.is_case_sensitive = !query.is_case_sensitive)
            />
            <Toggle
                name="Regular expression"
                text=".*"
                is_on=Signal::derive(move || query.with(|query| query.is_regex))
                on_press=move || ask(&|query| query.is_regex = !query.is_regex)
            />
            <span class="found" role="status">
                {move || if has_query() { state.with(found_words) } else { String::new() }}
            </span>
            <button type="button" title="Previous hit (N)" aria-label="Previous hit" disabled=move || !has_query() on:click=move |_| actions.step.run(false)>
                "↑"
            </button>
            <button type="button" title="Next hit (n)" aria-label="Next hit" disabled=move || !has_query() on:click=move |_| actions.step.run(true)>
                "↓"
            </button>
            <button
                type="button"
                id="filter"
                title="Show all lines, only hits, or everything but hits (&)"
                aria-pressed=move || state.with(|state| state.mode != FilterMode::Off).to_string()
                on:click=move |_| actions.change.run(FindChange::Mode(next_mode(state.get_untracked().mode)))
            >
                {move || state.with(|state| mode_words(state.mode))}
            </button>
            <div class="levels" role="group" aria-label="Show only these levels">
                {Level::ALL
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
                                title=format!("Show lines of level {}", level.as_str())
                                on:click=move |_| actions.change.run(FindChange::Level(level))
                            >
                                {level.as_str()} " " <b>{move || grouped(count())}</b>
                            </button>
                        }
                    })
                    .to_vec()}
            </div>
            <Toggle
                name="Wrap long lines (z)"
                text="Wrap"
                is_on=Signal::derive(move || preferences.with(|liked| liked.is_wrapping))
                on_press=toggle_wrap
            />
            <Toggle
                name="Times in place of numbers (i)"
                text="Time"
                is_on=Signal::derive(move || preferences.with(|liked| liked.shows_time))
                on_press=toggle_time
            />
            <ColumnsMenu on_change=actions.columns />
            <button type="button" id="save" title="Keep the lines shown as a file (s)" on:click=move |_| actions.save.run(())>
                "Save"
            </button>
            <button type="button" popovertarget=HELP_ID title="Which key does what (?)">
                "Keys"
            </button>
            <button type="button" id="theme" title="Colours: system, light, dark (t)" on:click=move |_| next_theme()>
                {move || match preferences.with(|liked| liked.theme) {
                    Theme::System => "Auto",
                    Theme::Light => "Light",
                    Theme::Dark => "Dark",
                }}
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
    text: &'static str,
    is_on: Signal<bool>,
    on_press: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="toggle"
            title=name
            aria-label=name
            aria-pressed=move || is_on.get().to_string()
            on:click=move |_| on_press()
        >
            {text}
        </button>
    }
}

fn next_mode(mode: FilterMode) -> FilterMode {
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

/// Whether a key is meant for the page: no modifier, and nothing has the focus that takes text.
fn is_for_page(event: &KeyboardEvent) -> bool {
    if event.ctrl_key() || event.alt_key() || event.meta_key() {
        return false;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
    !target.is_some_and(|node| matches!(node.node_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}
