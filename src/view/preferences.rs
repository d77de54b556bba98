//! What the reader likes: kept by the browser, and asked for by the page's address.

use web_sys::Element;

use super::settings::Settings;
use crate::model::live_log::Times;

/// Which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// The system's.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name, in the page's address and markup.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }
}

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// Which colours.
    pub theme: Theme,
    /// Whether long lines are wrapped.
    pub is_wrapping: bool,
    /// What lines tell in place of their number.
    pub times: Times,
    /// What is always marked, one rule a line.
    pub highlights: String,
    /// Whether new lines are spoken.
    pub is_speaking: bool,
    /// The fields of JSON lines that are shown as columns, separated by commas.
    pub columns: String,
}

/// Their names, in the page's address and where they are kept.
pub const NAMES: [&str; 6] = ["theme", "wrap", "time", "marks", "speak", "columns"];

/// Whether a setting that is on or off is on: `wrap`, `wrap=1`, `wrap=true`.
#[must_use]
pub fn is_on(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true" | ""))
}

impl Preferences {
    /// Sets the one with this name: `theme=dark`, `wrap=1`, `time=clock`, `marks=RULES`, `speak=1`, `columns=FIELDS`. A value that
    /// is none of its values is as none. Whether there is one with this name.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> bool {
        let words = || value.unwrap_or_default().to_owned();
        match name {
            "theme" => self.theme = value.and_then(Theme::from_name).unwrap_or_default(),
            "wrap" => self.is_wrapping = is_on(value),
            "time" => {
                self.times = match value {
                    Some("clock") => Times::Clock,
                    Some("since") => Times::Since,
                    value if is_on(value) => Times::Clock,
                    _ => Times::Off,
                }
            }
            "marks" => self.highlights = words(),
            "speak" => self.is_speaking = is_on(value),
            "columns" => self.columns = words(),
            _ => return false,
        }
        true
    }

    /// Keeps them, where anything is kept.
    pub fn keep(&self, settings: &Settings) {
        let flag = |is_set| if is_set { "1" } else { "0" };
        let times = match self.times {
            Times::Off => "0",
            Times::Clock => "clock",
            Times::Since => "since",
        };
        let values = [
            self.theme.as_str(),
            flag(self.is_wrapping),
            times,
            &self.highlights,
            flag(self.is_speaking),
            &self.columns,
        ];
        for (name, value) in NAMES.into_iter().zip(values) {
            settings.keep(name, value);
        }
    }

    /// Gives `root` and what is in it their colours.
    pub fn apply(&self, root: &Element) {
        // Fails only for attributes with impossible names.
        root.set_attribute("data-theme", self.theme.as_str()).unwrap_or_default();
    }
}
