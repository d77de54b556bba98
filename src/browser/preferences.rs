//! Settings that the user changes while the viewer runs. They are stored, and can be requested by the address.

use super::settings::Settings;
use crate::model::{gutter::GutterContent, theme::Theme};

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// Colour theme.
    pub theme: Theme,
    /// Whether long lines wrap.
    pub is_wrapping: bool,
    /// Content of the gutter.
    pub gutter: GutterContent,
    /// Highlight rules, one a line.
    pub highlights: String,
    /// Whether new lines are announced to a screen reader.
    pub is_announcing: bool,
    /// Fields of JSON lines shown as columns, separated by commas.
    pub columns: String,
    /// Count of lines around matches, while others are hidden.
    pub context: u64,
}

/// Maximum count of lines around matches.
pub const MAX_CONTEXT: u64 = 100;

/// Names of the preferences in addresses and in the storage.
pub const NAMES: [&str; 7] = ["theme", "wrap", "time", "marks", "speak", "columns", "context"];

/// Whether the value of a flag means on: `wrap`, `wrap=1`, `wrap=true`.
#[must_use]
pub fn is_on(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true" | ""))
}

impl Preferences {
    /// Returns the preferences of the settings.
    #[must_use]
    pub fn from_settings(settings: &Settings) -> Self {
        let mut preferences = Self::default();
        for name in NAMES {
            preferences.set(name, settings.get(name).as_deref());
        }
        preferences
    }

    /// Sets a preference by name: `theme=dark`, `wrap=1`, `time=clock`, `marks=RULES`, `speak=1`, `columns=FIELDS`,
    /// `context=3`. An unknown value is the default. Returns whether there is a preference of this name.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> bool {
        let text = || value.unwrap_or_default().to_owned();
        match name {
            "theme" => self.theme = value.and_then(Theme::from_name).unwrap_or_default(),
            "wrap" => self.is_wrapping = is_on(value),
            "time" => {
                self.gutter = match value {
                    Some("clock") => GutterContent::Time,
                    Some("since") => GutterContent::Elapsed,
                    value if is_on(value) => GutterContent::Time,
                    _ => GutterContent::LineNumber,
                }
            }
            "marks" => self.highlights = text(),
            "speak" => self.is_announcing = is_on(value),
            "columns" => self.columns = text(),
            "context" => {
                let lines = value.and_then(|value| value.parse::<u64>().ok());
                self.context = lines.unwrap_or_default().min(MAX_CONTEXT);
            }
            _ => return false,
        }
        true
    }

    /// Stores the preferences where there is storage.
    pub fn store(&self, settings: &Settings) {
        let flag = |is_on| if is_on { "1" } else { "0" };
        let context = self.context.to_string();
        let values = [
            self.theme.as_str(),
            flag(self.is_wrapping),
            self.gutter.as_str(),
            &self.highlights,
            flag(self.is_announcing),
            &self.columns,
            &context,
        ];
        for (name, value) in NAMES.into_iter().zip(values) {
            settings.store(name, value);
        }
    }
}
