//! Settings that may change while the viewer runs: from its address at the start, from the element's attributes later.

use std::rc::Rc;

use leptos::prelude::*;

use super::{LogController, state::ViewerStateStoreFields};
use crate::{
    browser::preferences::{Preferences, is_on},
    model::{
        level::Level,
        search::{FilterMode, Levels},
    },
};

/// Settings that are not stored.
const TRANSIENT: [&str; 6] = ["find", "case", "regex", "show", "levels", "follow"];

impl LogController {
    /// Applies preferences and transient settings.
    pub(super) fn apply_settings(self: &Rc<Self>) {
        self.apply_preferences(Preferences::from_settings(&self.settings));
        self.report_highlights_error();
        for name in TRANSIENT {
            if let Some(value) = self.settings.get(name) {
                self.set(name, Some(&value));
            }
        }
    }

    /// Sets a setting by name. Returns whether there is one that may change while the viewer runs.
    pub fn set(self: &Rc<Self>, name: &str, value: Option<&str>) -> bool {
        let mut preferences = self.state.preferences().get_untracked();
        if preferences.set(name, value) {
            self.apply_preferences(preferences);
            self.report_highlights_error();
            return true;
        }
        let text = value.unwrap_or_default();
        match name {
            "find" => self.change_query(|query| text.clone_into(&mut query.pattern)),
            "case" => self.change_query(|query| query.is_case_sensitive = is_on(value)),
            "regex" => self.change_query(|query| query.is_regex = is_on(value)),
            "show" => self.filter(|log| log.set_filter_mode(filter_mode(text))),
            "levels" => self.filter(|log| log.set_levels(levels(text))),
            "follow" if matches!(value, Some("0" | "false")) => self.pause(),
            "follow" => self.follow(),
            _ => return false,
        }
        true
    }

    /// Shows what is wrong with highlight rules that were not typed into the dialog, which shows it itself.
    fn report_highlights_error(&self) {
        let error = self.state.highlights_error().get_untracked();
        if !error.is_empty() {
            self.show_toast(error);
        }
    }
}

fn filter_mode(name: &str) -> FilterMode {
    match name {
        "hits" => FilterMode::Matching,
        "rest" => FilterMode::NotMatching,
        _ => FilterMode::All,
    }
}

/// Parses levels, separated by commas.
fn levels(names: &str) -> Levels {
    Level::ALL.map(|level| names.split(',').any(|name| name.trim() == level.as_str()))
}
