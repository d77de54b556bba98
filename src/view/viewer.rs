//! The viewer: lines and everything around them, and what the reader does with it.
//!
//! Its markup is `viewer.html`. A button's `data-key` names a key: a press on the one is a press of the other, so that what
//! there is to press and to type is one table, [`BINDINGS`](crate::model::command::BINDINGS).

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, HtmlInputElement};

use super::{
    client::StartClient,
    find_bar::{FindChange, next_mode},
    listener::Listener,
    live_page::LivePage,
    menu::{self, COLUMNS_ID, GO_TO_ID, HIGHLIGHTS_ID, KEYS_ID, SAVE_ID},
    page_address::{Negotiation, PageAddress},
    preferences::{self, Preferences, is_on},
    screen::{About, Screen},
    settings::Settings,
    source_switches::make_switches,
    status_bar::DETAILS_ID,
    surroundings::Surroundings,
    timeline_strip,
};
use crate::model::{
    command::Command,
    finding::{FilterMode, Levels},
    grouped_number::counted,
    level::Level,
    line_store::StoreLimits,
    live_log::LiveLog,
    matcher::Query,
    status::StatusLine,
    stream_command::stream_command,
};

mod pressing;

/// All there is to see, and nothing of what it says.
pub const MARKUP: &str = include_str!("viewer.html");

/// Settings that are not kept, and may be set while the viewer runs.
const FLEETING: [&str; 6] = ["find", "case", "regex", "show", "levels", "follow"];

/// See the [module](self). Everything it started ends when it is dropped.
pub struct Viewer {
    root: HtmlElement,
    page: Rc<LivePage>,
    screen: Screen,
    settings: Settings,
    surroundings: Surroundings,
    listeners: OnceCell<Vec<Listener>>,
    query: RefCell<Query>,
}

impl Viewer {
    /// Starts it in `root`, which holds [`MARKUP`].
    ///
    /// # Errors
    /// What the browser says when it makes no elements.
    pub fn start(
        root: HtmlElement,
        address: &PageAddress,
        start_client: StartClient,
        limits: StoreLimits,
        settings: Settings,
        surroundings: Surroundings,
    ) -> Result<Rc<Self>, JsValue> {
        let log = LiveLog::of_sources(address.sources(), limits);
        let screen = Screen::new(log.on_screen(0.0), about(&log, address, limits));
        let document = root.owner_document().ok_or("the viewer is in no document")?;
        menu::fill(&document, &root)?;
        screen.read(|shown| make_switches(&document, &root, &shown.now.sources))?;
        if !address.has_composer
            && let Some(composer) = root.query_selector("#composer")?
        {
            composer.remove();
        }
        if !surroundings.is_page() {
            // Headings and landmarks are the page's around it.
            for (selector, role) in [("h1", "presentation"), (".lines", "presentation"), ("#find", "group")] {
                if let Some(part) = root.query_selector(selector)? {
                    part.set_attribute("role", role)?;
                }
            }
        }
        let page = LivePage::new(log, limits, screen, start_client, surroundings.clone())
            .ok_or("the viewer is in no window")?;
        let viewer = Rc::new(Self {
            root,
            page: Rc::new(page),
            screen,
            settings,
            surroundings,
            listeners: OnceCell::new(),
            query: RefCell::default(),
        });
        if let Some(place) = viewer.root.query_selector(".lines")? {
            viewer.page.show_in(place.unchecked_ref());
        }
        screen.show_in(&viewer.root)?;
        viewer.apply_settings();
        let mut listeners = pressing::listen(&viewer);
        listeners.extend(timeline_strip::listen(&viewer.root, &viewer.page)?);
        // Set once, here.
        viewer.listeners.set(listeners).unwrap_or_default();
        viewer.page.connect();
        Ok(viewer)
    }

    /// The lines, and what can be done with them.
    #[must_use]
    pub fn page(&self) -> &LivePage {
        &self.page
    }

    /// Sets what may be set while the viewer runs, as [`Settings`] name it. Whether there is such a thing.
    pub fn set(&self, name: &str, value: Option<&str>) -> bool {
        let mut has_preference = false;
        self.screen.change(|shown| has_preference = shown.liked.set(name, value));
        if has_preference {
            self.show_preferences();
            return true;
        }
        let words = value.unwrap_or_default();
        match name {
            "find" => {
                if let Some(field) = self.find_field() {
                    field.set_value(words);
                }
                self.look_for(|query| words.clone_into(&mut query.pattern));
            }
            "case" => self.look_for(|query| query.is_case_sensitive = is_on(value)),
            "regex" => self.look_for(|query| query.is_regex = is_on(value)),
            "show" => self.page.find(FindChange::Mode(match words {
                "hits" => FilterMode::Matching,
                "rest" => FilterMode::NotMatching,
                _ => FilterMode::Off,
            })),
            "levels" => self.page.find(FindChange::Levels(levels_of(words))),
            "follow" if matches!(value, Some("0" | "false")) => self.page.pause(),
            "follow" => self.page.resume(),
            _ => return false,
        }
        true
    }

    fn apply_settings(&self) {
        self.screen.change(|shown| {
            for name in preferences::NAMES {
                shown.liked.set(name, self.settings.get(name).as_deref());
            }
        });
        self.show_preferences();
        for name in FLEETING {
            if let Some(value) = self.settings.get(name) {
                self.set(name, Some(&value));
            }
        }
        let (marks, columns) =
            self.screen.read(|shown| (shown.liked.highlights.clone(), shown.liked.columns.clone()));
        self.fill("#highlights-field", &marks);
        self.fill("#columns-field", &columns);
    }

    /// Puts text into a field.
    fn fill(&self, selector: &str, text: &str) {
        if let Some(field) = self.root.query_selector(selector).ok().flatten() {
            // Fields of both kinds have a value.
            js_sys::Reflect::set(&field, &"value".into(), &text.into()).map(drop).unwrap_or_default();
        }
    }

    fn show_preferences(&self) {
        let liked = self.screen.read(|shown| shown.liked.clone());
        liked.apply(self.surroundings.themed());
        self.page.set_wrapping(liked.is_wrapping);
        self.page.set_times(liked.times);
        self.page.set_speaking(liked.is_speaking);
        self.page.set_columns(&liked.columns);
        if let Some(wrong) = self.page.set_highlights(&liked.highlights) {
            self.screen.say(wrong);
        }
    }

    fn prefer(&self, change: impl FnOnce(&mut Preferences)) {
        self.screen.change(|shown| change(&mut shown.liked));
        self.show_preferences();
        self.screen.read(|shown| shown.liked.keep(&self.settings));
    }

    fn look_for(&self, change: impl FnOnce(&mut Query)) {
        change(&mut self.query.borrow_mut());
        let query = self.query.borrow().clone();
        self.screen.change(|shown| shown.query.clone_from(&query));
        self.page.find(FindChange::Query(query));
    }

    fn find_field(&self) -> Option<HtmlInputElement> {
        self.root.query_selector("#find > input").ok()??.dyn_into().ok()
    }

    /// Carries out a command.
    pub fn act(&self, command: Command) {
        match command {
            Command::Find => {
                if let Some(field) = self.find_field() {
                    // Fails only for elements that take no focus.
                    field.focus().unwrap_or_default();
                    field.select();
                }
            }
            Command::NextFilter => {
                let mode = self.screen.read(|shown| shown.now.find.mode);
                self.page.find(FindChange::Mode(next_mode(mode)));
            }
            Command::ToggleCase => self.look_for(|query| query.is_case_sensitive = !query.is_case_sensitive),
            Command::ToggleRegex => self.look_for(|query| query.is_regex = !query.is_regex),
            Command::ToggleLevel(level) => self.page.find(FindChange::Level(level)),
            Command::ToggleWrap => self.prefer(|liked| liked.is_wrapping = !liked.is_wrapping),
            Command::NextTimes => self.prefer(|liked| liked.times = liked.times.next()),
            Command::NextTheme => {
                self.prefer(|liked| liked.theme = liked.theme.next());
                let theme = self.screen.read(|shown| shown.liked.theme);
                self.screen.say(format!("theme: {}", theme.as_str()));
            }
            Command::ToggleSpeech => {
                self.prefer(|liked| liked.is_speaking = !liked.is_speaking);
                let is_speaking = self.screen.read(|shown| shown.liked.is_speaking);
                let words =
                    if is_speaking { "new lines are spoken" } else { "new lines are no longer spoken" };
                self.screen.say(words.to_owned());
            }
            Command::GoTo => menu::toggle(&self.root, GO_TO_ID),
            Command::Highlights => menu::toggle(&self.root, HIGHLIGHTS_ID),
            Command::SaveMenu => menu::toggle(&self.root, SAVE_ID),
            Command::Columns => menu::toggle(&self.root, COLUMNS_ID),
            Command::Help => menu::toggle(&self.root, KEYS_ID),
            Command::Details => menu::toggle(&self.root, DETAILS_ID),
            other => self.page.carry_out(other),
        }
    }
}

/// What is said of a log that does not change.
fn about(log: &LiveLog, address: &PageAddress, limits: StoreLimits) -> About {
    let names: Vec<&str> = log.sources().iter().map(|source| source.name.as_str()).collect();
    let endpoints: Vec<&str> = address.negotiations.iter().map(Negotiation::endpoint).collect();
    let first = log.sources().first().map(|source| source.group.to_string()).unwrap_or_default();
    About {
        groups: names.join(", "),
        command: stream_command(&first, endpoints.first().copied().unwrap_or_default()),
        negotiated_at: endpoints.join(", "),
        kept: format!(
            "the newest {}, {} MiB of text at most",
            counted(limits.lines as u64, "line", "lines"),
            limits.bytes >> 20
        ),
    }
}

/// The levels that are named, separated by commas.
fn levels_of(names: &str) -> Levels {
    Level::ALL.map(|level| names.split(',').any(|name| name.trim() == level.as_str()))
}

/// Says in `root`, which holds [`MARKUP`], that nothing can be shown, and why.
///
/// # Errors
/// What the browser says when it makes no elements.
pub fn show_unusable(root: &HtmlElement, words: String) -> Result<(), JsValue> {
    let mut now = LiveLog::of_sources(Vec::new(), StoreLimits::default()).on_screen(0.0);
    now.status = StatusLine::unusable(words);
    root.class_list().add_1("unusable")?;
    Screen::new(now, About::default()).show_in(root)
}
