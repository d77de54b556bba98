//! What opens above the page: a menu, the list of keys, and boxes that ask.
//!
//! All are popovers: the browser closes them with Esc and a press elsewhere, and gives the focus back. They are made once, from
//! the table of keys, with few words of code: the page's bytes are for what moves.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, HtmlTextAreaElement};

use super::{
    listener::Listener,
    log_row::{div, element},
};
use crate::model::{
    command::{BINDINGS, Command, spoken_key},
    live_log::{ExportFormat, ExportScope},
};

/// The menu.
pub const MENU_ID: &str = "menu";
/// The list of keys.
pub const KEYS_ID: &str = "keys";
/// Choices of what to keep.
pub const SAVE_ID: &str = "save";
/// Where to go.
pub const GO_TO_ID: &str = "goto";
/// What is always marked.
pub const HIGHLIGHTS_ID: &str = "highlights";

/// What the menu offers; each of them has a key as well.
const OFFERED: [Command; 10] = [
    Command::GoTo,
    Command::Highlights,
    Command::Columns,
    Command::OpenFile,
    Command::SaveMenu,
    Command::ToggleBookmark,
    Command::LinkLines,
    Command::ToggleSpeech,
    Command::NextTheme,
    Command::Help,
];

/// What can be kept.
const SAVES: [(&str, ExportScope, ExportFormat); 4] = [
    ("Lines shown, as text", ExportScope::Shown, ExportFormat::Text),
    ("Lines shown, as JSON lines", ExportScope::Shown, ExportFormat::JsonLines),
    ("All lines held, as text", ExportScope::Held, ExportFormat::Text),
    ("All lines held, as JSON lines", ExportScope::Held, ExportFormat::JsonLines),
];

/// What the reader chose or typed.
#[derive(Debug)]
pub enum Wish {
    /// Something of the menu.
    Act(Command),
    /// To keep lines.
    Save(ExportScope, ExportFormat),
    /// To go there.
    GoTo(String),
    /// To have this marked always.
    Highlight(String),
}

/// Grants wishes; says what is wrong with one, if something is.
pub type Grant = Box<dyn Fn(Wish) -> Option<String>>;

/// See the [module](self). They listen until dropped.
pub struct Menus {
    _listeners: [Listener; 3],
}

impl Menus {
    /// Makes them all in `parent`, with these rules for what is always marked.
    ///
    /// # Errors
    /// What the browser says when it makes no elements.
    pub fn new(document: &Document, parent: &Element, rules: &str, grant: Grant) -> Result<Self, JsValue> {
        let make = Maker { document };
        let boxes = div(document, "boxes")?;
        make.menu(&boxes)?;
        make.keys(&boxes)?;
        make.save(&boxes)?;
        let (place, wrong_place) = make.go_to(&boxes)?;
        let (words, wrong_words) = make.highlights(&boxes, rules)?;
        parent.append_child(&boxes)?;
        let grant = std::rc::Rc::new(grant);
        let (on_click, on_submit) = (std::rc::Rc::clone(&grant), std::rc::Rc::clone(&grant));
        let listeners = [
            Listener::passive(&boxes, "click", move |event: &Event| {
                if let Some((id, wish)) = chosen(event) {
                    toggle_popover(id);
                    on_click(wish);
                }
            }),
            Listener::active(&boxes, "submit", move |event: &Event| {
                event.prevent_default();
                let wrong = on_submit(Wish::GoTo(place.value()));
                if wrong.is_none() {
                    toggle_popover(GO_TO_ID);
                }
                wrong_place.set_text_content(wrong.as_deref());
            }),
            Listener::passive(&words, "input", {
                let field = words.clone();
                move |_: &Event| {
                    wrong_words.set_text_content(grant(Wish::Highlight(field.value())).as_deref());
                }
            }),
        ];
        Ok(Self { _listeners: listeners })
    }
}

/// What a press in the menu or among the choices of what to keep asks for, and the box it was in.
fn chosen(event: &Event) -> Option<(&'static str, Wish)> {
    let button = event.target()?.dyn_into::<Element>().ok()?.closest("button").ok()??;
    let at: usize = button.get_attribute("data-at")?.parse().ok()?;
    if button.parent_element()?.id() == MENU_ID {
        return Some((MENU_ID, Wish::Act(*OFFERED.get(at)?)));
    }
    let (_, scope, format) = *SAVES.get(at)?;
    Some((SAVE_ID, Wish::Save(scope, format)))
}

struct Maker<'a> {
    document: &'a Document,
}

impl Maker<'_> {
    fn add(&self, parent: &Element, name: &str, text: &str) -> Result<Element, JsValue> {
        let element = element(self.document, name, "")?;
        element.set_text_content(Some(text));
        parent.append_child(&element)?;
        Ok(element)
    }

    fn popover(&self, parent: &Element, id: &str, label: &str) -> Result<Element, JsValue> {
        let popover = self.add(parent, "div", "")?;
        for (name, value) in
            [("id", id), ("class", "box"), ("popover", "auto"), ("role", "dialog"), ("aria-label", label)]
        {
            popover.set_attribute(name, value)?;
        }
        Ok(popover)
    }

    fn choice(&self, parent: &Element, at: usize, words: &str, key: &str) -> Result<(), JsValue> {
        let button = self.add(parent, "button", "")?;
        button.set_attribute("type", "button")?;
        button.set_attribute("data-at", &at.to_string())?;
        self.add(&button, "span", words)?;
        if !key.is_empty() {
            self.add(&button, "kbd", key)?.set_attribute("aria-hidden", "true")?;
        }
        Ok(())
    }

    fn menu(&self, parent: &Element) -> Result<(), JsValue> {
        let menu = self.popover(parent, MENU_ID, "Menu")?;
        for (at, command) in OFFERED.iter().enumerate() {
            if let Some(binding) = BINDINGS.iter().find(|binding| binding.command == *command) {
                let key = binding.keys.first().copied().unwrap_or_default();
                self.choice(&menu, at, binding.words, key)?;
            }
        }
        Ok(())
    }

    fn keys(&self, parent: &Element) -> Result<(), JsValue> {
        let keys = self.popover(parent, KEYS_ID, "Keys")?;
        keys.set_attribute("tabindex", "0")?;
        keys.set_attribute("autofocus", "")?;
        self.add(&keys, "h2", "Keys")?;
        let list = self.add(&keys, "dl", "")?;
        for binding in BINDINGS {
            let pair = self.add(&list, "div", "")?;
            let names = self.add(&pair, "dt", "")?;
            for key in binding.keys {
                self.add(&names, "kbd", &spoken_key(key))?;
            }
            self.add(&pair, "dd", binding.words)?;
        }
        Ok(())
    }

    fn save(&self, parent: &Element) -> Result<(), JsValue> {
        let save = self.popover(parent, SAVE_ID, "Save")?;
        self.add(&save, "h2", "Save")?;
        for (at, (words, ..)) in SAVES.iter().enumerate() {
            self.choice(&save, at, words, "")?;
        }
        Ok(())
    }

    /// A field with its label.
    fn field(&self, parent: &Element, name: &str, id: &str, label: &str) -> Result<Element, JsValue> {
        self.add(parent, "label", label)?.set_attribute("for", id)?;
        let field = self.add(parent, name, "")?;
        for (name, value) in [("id", id), ("autocomplete", "off"), ("spellcheck", "false"), ("autofocus", "")]
        {
            field.set_attribute(name, value)?;
        }
        Ok(field)
    }

    fn wrong(&self, parent: &Element) -> Result<Element, JsValue> {
        let wrong = self.add(parent, "p", "")?;
        wrong.set_class_name("wrong");
        wrong.set_attribute("role", "status")?;
        Ok(wrong)
    }

    fn go_to(&self, parent: &Element) -> Result<(HtmlInputElement, Element), JsValue> {
        let popover = self.popover(parent, GO_TO_ID, "Go to")?;
        let form = self.add(&popover, "form", "")?;
        let label = "Go to a line (57, 57-60), a time (14:03:11) or how long ago (-5m)";
        let field = self.field(&form, "input", "goto-field", label)?;
        Ok((field.unchecked_into(), self.wrong(&popover)?))
    }

    fn highlights(&self, parent: &Element, rules: &str) -> Result<(HtmlTextAreaElement, Element), JsValue> {
        let popover = self.popover(parent, HIGHLIGHTS_ID, "Highlights")?;
        let field = self.field(&popover, "textarea", "highlights-field", "Always mark")?;
        field.set_attribute("rows", "5")?;
        field.set_attribute("placeholder", "timeout\nred: /5\\d\\d/")?;
        field.set_text_content(Some(rules));
        let hint = "One a line: words, or /an expression/. Begin with yellow, blue, green, red, orange or purple and a colon to choose a colour.";
        self.add(&popover, "p", hint)?.set_class_name("hint");
        Ok((field.unchecked_into(), self.wrong(&popover)?))
    }
}

/// Opens what has this id, or closes it.
pub fn toggle_popover(id: &str) {
    let found = web_sys::window().and_then(|window| window.document()?.get_element_by_id(id));
    if let Some(popover) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails only for elements that are no popovers.
        popover.toggle_popover().map(drop).unwrap_or_default();
    }
}
