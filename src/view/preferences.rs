//! What the reader likes: kept by the browser, and asked for by the page's address.

use crate::model::live_log::Times;
use web_sys::{Storage, UrlSearchParams, Window};

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
}

const THEME: &str = "theme";
const WRAP: &str = "wrap";
const TIME: &str = "time";
const MARKS: &str = "marks";
const SPEAK: &str = "speak";

impl Preferences {
    /// What the page's address says (`theme=dark`, `wrap=1`, `time=clock`, `marks=RULES`, `speak=1`), or else what was kept.
    #[must_use]
    pub fn read(window: &Window) -> Self {
        let wish = |name: &str| read_value(window, name);
        let is_wished = |name| wish(name).is_some_and(|value| matches!(value.as_str(), "1" | "true" | ""));
        Self {
            theme: wish(THEME).and_then(|name| Theme::from_name(&name)).unwrap_or_default(),
            is_wrapping: is_wished(WRAP),
            times: match wish(TIME).as_deref() {
                Some("clock" | "1" | "true" | "") => Times::Clock,
                Some("since") => Times::Since,
                _ => Times::Off,
            },
            highlights: wish(MARKS).unwrap_or_default(),
            is_speaking: is_wished(SPEAK),
        }
    }

    /// Keeps them, where the browser keeps anything.
    pub fn keep(&self, window: &Window) {
        let flag = |is_set| if is_set { "1" } else { "0" };
        let times = match self.times {
            Times::Off => "0",
            Times::Clock => "clock",
            Times::Since => "since",
        };
        let values = [
            (THEME, self.theme.as_str()),
            (WRAP, flag(self.is_wrapping)),
            (TIME, times),
            (MARKS, &self.highlights),
            (SPEAK, flag(self.is_speaking)),
        ];
        for (name, value) in values {
            keep_value(window, name, value);
        }
    }

    /// Gives the page its colours.
    pub fn apply(&self, window: &Window) {
        let root = window.document().and_then(|document| document.document_element());
        if let Some(root) = root {
            // Fails only for attributes with impossible names.
            root.set_attribute("data-theme", self.theme.as_str()).unwrap_or_default();
        }
    }
}

/// What the page's address says of `name`, or else what was kept of it.
pub(super) fn read_value(window: &Window, name: &str) -> Option<String> {
    let search = window.location().search().unwrap_or_default();
    let asked = UrlSearchParams::new_with_str(&search).ok().and_then(|parameters| parameters.get(name));
    asked.or_else(|| storage(window)?.get_item(&key(name)).ok()?)
}

/// Keeps a value, where the browser keeps anything.
pub(super) fn keep_value(window: &Window, name: &str, value: &str) {
    if let Some(storage) = storage(window) {
        // A full or forbidden store keeps nothing, and the page works all the same.
        storage.set_item(&key(name), value).unwrap_or_default();
    }
}

fn key(name: &str) -> String {
    format!("tailcast.{name}")
}

/// `None` where a browser, or its user, allows no storage.
fn storage(window: &Window) -> Option<Storage> {
    window.local_storage().ok().flatten()
}
