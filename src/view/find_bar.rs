//! The bar under the header: what to look for, what to show.

use super::screen::{Show, Shown, attribute, flag, text, when};
use crate::model::{
    finding::{FilterMode, FindState, Finding, Levels},
    grouped_number::{counted, grouped},
    level::Level,
    live_log::Times,
    matcher::Query,
};

/// What is shown in it.
pub const SHOWS: &[Show] = &[
    attribute("#find", "data-hits", |shown, _| Some(shown.now.find.hits.to_string().into())),
    attribute("#find > input", "aria-invalid", |shown, _| flag(shown.now.find.error.is_some())),
    attribute("#case", "aria-pressed", |shown, _| flag(shown.query.is_case_sensitive)),
    attribute("#regex", "aria-pressed", |shown, _| flag(shown.query.is_regex)),
    text("#find .found", |shown, _| has_query(shown).then(|| found_words(&shown.now.find).into())),
    attribute("#find .step", "disabled", |shown, _| when(!has_query(shown))),
    attribute("#filter", "aria-pressed", |shown, _| flag(shown.now.find.mode != FilterMode::Off)),
    text("#filter", |shown, _| {
        Some(match shown.now.find.mode {
            FilterMode::Off => "All lines".into(),
            FilterMode::Matching => "Only hits".into(),
            FilterMode::NotMatching => "Without hits".into(),
        })
    }),
    attribute(".level", "aria-pressed", |shown, at| flag(is_shown(shown, at))),
    attribute(".level", "hidden", |shown, at| when(count(shown, at) == 0 && !is_shown(shown, at))),
    text(".level b", |shown, at| Some(grouped(count(shown, at)).into())),
    attribute("#wrap", "aria-pressed", |shown, _| flag(shown.liked.is_wrapping)),
    text("#times", |shown, _| {
        Some(match shown.liked.times {
            Times::Off => "Numbers".into(),
            Times::Clock => "Times".into(),
            Times::Since => "Time since".into(),
        })
    }),
    text("#find .shown", |shown, _| {
        Some(counted(shown.now.find.shown? as u64, "line shown", "lines shown").into())
    }),
];

fn has_query(shown: &Shown) -> bool {
    !shown.query.pattern.is_empty()
}

fn count(shown: &Shown, level: usize) -> u64 {
    shown.now.find.level_counts.get(level).copied().unwrap_or(0)
}

fn is_shown(shown: &Shown, level: usize) -> bool {
    shown.now.find.levels.get(level).copied().unwrap_or(false)
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

/// A change of what is looked for or shown.
#[derive(Debug, Clone)]
pub enum FindChange {
    /// Look for this.
    Query(Query),
    /// Show other lines by the query.
    Mode(FilterMode),
    /// Show this level, or not.
    Level(Level),
    /// Show these levels.
    Levels(Levels),
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
            Self::Levels(levels) => finding.set_levels(levels),
            Self::Source(source) => finding.toggle_source(source),
        }
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
