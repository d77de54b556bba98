//! What surrounds the lines: one signal, and tables that say what of it is shown where.
//!
//! A painting sets the signal once, and only when something changed. One effect then walks the tables and writes what is
//! no longer true. So the parts around the lines cost the page few bytes and a frame little time, however many there are.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Node};

use super::{
    composer_bar, empty_log, find_bar, preferences::Preferences, source_switches, status_bar, timeline_strip,
    tray,
};
use crate::model::{live_log::OnScreen, matcher::Query, timeline::Bar};

/// How long the page's answer to something stands.
const SAID_FOR: Duration = Duration::from_secs(6);
/// Pause between drawings of the timeline's bars: nobody sees them grow by the frame.
const BARS_PAUSE_MS: f64 = 500.0;

/// What does not change while the page is open.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The groups.
    pub groups: String,
    /// Where the page negotiates.
    pub negotiated_at: String,
    /// How much is kept, in words.
    pub kept: String,
    /// The command that sends lines to the first group.
    pub command: String,
}

/// All that is shown around the lines.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What the log has to say.
    pub now: OnScreen,
    /// What does not change.
    pub about: About,
    /// How many bars there are.
    pub bars: usize,
    /// The bars of each kind of line, as paths of SVG.
    pub outlines: Vec<String>,
    /// The bars that are being chosen.
    pub brush: Option<(usize, usize)>,
    /// When the bars chosen begin and end, and how many lines came then, in words.
    pub brush_words: String,
    /// What became of what the reader sent, in words.
    pub sent: String,
    /// The page's answer to what the reader did last; empty after a while.
    pub said: String,
    /// What the reader likes.
    pub liked: Preferences,
    /// What is looked for.
    pub query: Query,
}

/// See the [module](self).
#[derive(Clone, Copy)]
pub struct Screen {
    shown: RwSignal<Shown, LocalStorage>,
    /// When the bars were drawn.
    bars_drawn_ms: StoredValue<f64, LocalStorage>,
}

impl Screen {
    /// What surrounds a log at first.
    #[must_use]
    pub fn new(now: OnScreen, about: About) -> Self {
        let shown = Shown {
            now,
            about,
            bars: 0,
            outlines: Vec::new(),
            brush: None,
            brush_words: String::new(),
            sent: String::new(),
            said: String::new(),
            liked: Preferences::default(),
            query: Query::default(),
        };
        Self { shown: RwSignal::new_local(shown), bars_drawn_ms: StoredValue::new_local(0.0) }
    }

    /// Looks at what is shown.
    pub fn read<T>(&self, read: impl FnOnce(&Shown) -> T) -> T {
        self.shown.with_untracked(read)
    }

    /// Shows something else.
    pub fn change(&self, change: impl FnOnce(&mut Shown)) {
        self.shown.update(change);
    }

    /// Shows what the log has to say now.
    pub fn show(&self, now: OnScreen) {
        if self.read(|shown| shown.now != now) {
            self.change(|shown| shown.now = now);
        }
    }

    /// Whether it is time to draw the bars again.
    #[must_use]
    pub fn wants_bars(&self, bars: &[Bar], unix_ms: f64) -> bool {
        let is_time = (unix_ms - self.bars_drawn_ms.get_value()).abs() >= BARS_PAUSE_MS;
        let is_due = is_time && !bars.is_empty();
        if is_due {
            self.bars_drawn_ms.set_value(unix_ms);
        }
        is_due
    }

    /// Answers the reader, for a while.
    pub fn say(&self, words: String) {
        self.change(|shown| shown.said.clone_from(&words));
        let shown = self.shown;
        set_timeout(
            move || {
                // The page may be gone by then.
                if shown.try_with_untracked(|shown| shown.said == words) == Some(true) {
                    shown.update(|shown| shown.said.clear());
                }
            },
            SAID_FOR,
        );
    }

    /// Keeps all elements below `root` that a table names true to what is to be shown, until the owner is gone.
    ///
    /// # Errors
    /// What the browser says when it finds nothing.
    pub fn show_in(self, root: &Element) -> Result<(), JsValue> {
        const TABLES: [&[Show]; 7] = [
            status_bar::SHOWS,
            timeline_strip::SHOWS,
            find_bar::SHOWS,
            source_switches::SHOWS,
            empty_log::SHOWS,
            tray::SHOWS,
            composer_bar::SHOWS,
        ];
        let mut bound = Vec::new();
        for show in TABLES.into_iter().flatten() {
            let found = root.query_selector_all(show.selector)?;
            for at in 0..found.length() {
                bound.extend(found.get(at).map(|node| Bound::new(show, at as usize, node.unchecked_into())));
            }
        }
        // In one go: parts that are not there now are still found by the rows below.
        let bound = Rc::new(RefCell::new(bound));
        let is_first = Cell::new(true);
        let write = move |shown: &Shown| {
            for part in bound.borrow_mut().iter_mut() {
                part.show(shown, is_first.get());
            }
            is_first.set(false);
        };
        self.read(&write);
        let shown = self.shown;
        Effect::new(move || shown.with(&write));
        Ok(())
    }
}

/// What of an element is written.
#[derive(Debug, Clone, Copy)]
pub enum Slot {
    /// Its text.
    Text,
    /// An attribute; without a value there is none.
    Attribute(&'static str),
    /// Whether it is in the document: it is while there is a value.
    There,
}

/// A row of a table: what is shown where.
pub struct Show {
    /// Which elements.
    pub selector: &'static str,
    /// What of them.
    pub slot: Slot,
    /// What is to be there, for the element with this number among those found.
    pub read: for<'a> fn(&'a Shown, usize) -> Option<Cow<'a, str>>,
}

/// A row of a table: the text of elements.
#[must_use]
pub const fn text(
    selector: &'static str,
    read: for<'a> fn(&'a Shown, usize) -> Option<Cow<'a, str>>,
) -> Show {
    Show { selector, slot: Slot::Text, read }
}

/// A row of a table: an attribute of elements.
#[must_use]
pub const fn attribute(
    selector: &'static str,
    name: &'static str,
    read: for<'a> fn(&'a Shown, usize) -> Option<Cow<'a, str>>,
) -> Show {
    Show { selector, slot: Slot::Attribute(name), read }
}

/// A row of a table: whether elements are there.
#[must_use]
pub const fn there(
    selector: &'static str,
    read: for<'a> fn(&'a Shown, usize) -> Option<Cow<'a, str>>,
) -> Show {
    Show { selector, slot: Slot::There, read }
}

/// For [`Slot::There`], and for attributes that need no value.
#[must_use]
pub fn when(condition: bool) -> Option<Cow<'static, str>> {
    condition.then_some(Cow::Borrowed(""))
}

/// For attributes that say so or the opposite.
#[must_use]
pub fn flag(is_set: bool) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(if is_set { "true" } else { "false" }))
}

/// An element that a row of a table found.
struct Bound {
    show: &'static Show,
    at: usize,
    element: Element,
    /// Stands in the element's place while it is not there.
    stand_in: Option<Node>,
    /// As last written.
    written: Option<String>,
}

impl Bound {
    fn new(show: &'static Show, at: usize, element: Element) -> Self {
        Self { show, at, element, stand_in: None, written: None }
    }

    fn show(&mut self, shown: &Shown, is_first: bool) {
        let value = (self.show.read)(shown, self.at);
        if self.written.as_deref() == value.as_deref() && !is_first {
            return;
        }
        self.write(value.as_deref());
        self.written = value.map(Cow::into_owned);
    }

    fn write(&mut self, value: Option<&str>) {
        // Browsers refuse only names that are none, and places that are none.
        match (self.show.slot, value) {
            (Slot::Text, value) => self.element.set_text_content(value),
            (Slot::Attribute(name), Some(value)) => {
                self.element.set_attribute(name, value).unwrap_or_default()
            }
            (Slot::Attribute(name), None) => self.element.remove_attribute(name).unwrap_or_default(),
            (Slot::There, Some(_)) => {
                if let Some(stand_in) = self.stand_in.take()
                    && let Some(parent) = stand_in.parent_node()
                {
                    parent.replace_child(&self.element, &stand_in).map(drop).unwrap_or_default();
                }
            }
            (Slot::There, None) => {
                if let (None, Some(parent), Some(document)) =
                    (&self.stand_in, self.element.parent_node(), self.element.owner_document())
                {
                    let stand_in: Node = document.create_comment("").into();
                    parent.replace_child(&stand_in, &self.element).map(drop).unwrap_or_default();
                    self.stand_in = Some(stand_in);
                }
            }
        }
    }
}
