//! One row of the list: elements made once, filled again and again.
//!
//! Text becomes text nodes and nothing else: there is no markup in a line.

use std::ops::Range;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, Text};

use crate::model::{
    ansi::css::style_words,
    display_text::{DisplayText, more_text},
    level::Level,
    line_store::{Line, LineKind},
    row_pieces::{Piece, row_pieces},
};

/// See the [module](self).
pub struct LogRow {
    element: Element,
    gutter: Text,
    text: Element,
    /// The text, when there is nothing to mark in it: the usual case.
    plain: Text,
    is_plain: bool,
    more: Option<Element>,
    kind: Option<LineKind>,
    level: Option<Level>,
    is_current: bool,
}

impl LogRow {
    /// An empty row, not yet in the document.
    ///
    /// # Errors
    /// What the browser says when it makes no elements.
    pub fn new(document: &Document) -> Result<Self, JsValue> {
        let element = element(document, "div", "row")?;
        element.set_attribute("role", "listitem")?;
        let gutter_box = self::element(document, "span", "gutter")?;
        let gutter = document.create_text_node("");
        gutter_box.append_child(&gutter)?;
        let text = self::element(document, "span", "text")?;
        let plain = document.create_text_node("");
        text.append_child(&plain)?;
        element.append_child(&gutter_box)?;
        element.append_child(&text)?;
        Ok(Self {
            element,
            gutter,
            text,
            plain,
            is_plain: true,
            more: None,
            kind: None,
            level: None,
            is_current: false,
        })
    }

    /// The row's element.
    #[must_use]
    pub fn element(&self) -> &Element {
        &self.element
    }

    /// Shows `line`, with this beside it, and marks what a search found in it.
    ///
    /// # Errors
    /// What the browser says when it makes no elements.
    pub fn fill(
        &mut self,
        document: &Document,
        line: &Line<'_>,
        gutter: &str,
        hits: &[Range<usize>],
    ) -> Result<(), JsValue> {
        self.element.set_attribute("data-line-id", &line.id.to_string())?;
        self.element.set_attribute("aria-posinset", &line.id.saturating_add(1).to_string())?;
        if self.kind != Some(line.kind) {
            self.kind = Some(line.kind);
            self.element.set_attribute("data-from", line.kind.as_str())?;
        }
        if self.level != line.level {
            self.level = line.level;
            match line.level {
                Some(level) => self.element.set_attribute("data-level", level.as_str())?,
                None => self.element.remove_attribute("data-level")?,
            }
        }
        self.gutter.set_data(gutter);
        let drawn = row_pieces(line, hits);
        match &drawn.pieces[..] {
            [piece] if piece.is_plain() => {
                if !self.is_plain {
                    self.text.set_text_content(None);
                    self.text.append_child(&self.plain)?;
                    self.is_plain = true;
                }
                self.plain.set_data(&piece.display.text);
            }
            pieces => {
                self.is_plain = false;
                self.text.set_text_content(None);
                for piece in pieces {
                    self.append(document, piece)?;
                }
            }
        }
        match more_text(drawn.hidden_chars, line.cut_bytes) {
            Some(words) => self.say_more(document, &words),
            None => {
                if let Some(more) = self.more.take() {
                    more.remove();
                }
                Ok(())
            }
        }
    }

    /// Marks the row, or not, as the one with the current hit.
    ///
    /// # Errors
    /// What the browser says when it takes no attribute.
    pub fn set_current(&mut self, is_current: bool) -> Result<(), JsValue> {
        if self.is_current != is_current {
            self.is_current = is_current;
            self.element.toggle_attribute_with_force("data-current", is_current)?;
        }
        Ok(())
    }

    /// Appends a piece: a text node when it is plain, an element otherwise.
    fn append(&self, document: &Document, piece: &Piece<'_>) -> Result<(), JsValue> {
        if piece.is_plain() {
            self.text.append_child(&document.create_text_node(&piece.display.text))?;
            return Ok(());
        }
        let words = style_words(piece.style);
        let class = if piece.is_hit { format!("{} hit", words.classes) } else { words.classes };
        let stretch = match piece.url {
            Some(url) => {
                let link = element(document, "a", &class)?;
                link.set_attribute("href", url)?;
                link.set_attribute("target", "_blank")?;
                link.set_attribute("rel", "noopener noreferrer")?;
                // Where it really leads, before anybody follows it.
                link.set_attribute("title", url)?;
                link
            }
            None => element(document, "span", &class)?,
        };
        let style = stretch.unchecked_ref::<HtmlElement>().style();
        for (property, value) in [("--f", words.foreground), ("--b", words.background)] {
            if let Some(value) = value {
                style.set_property(property, &value)?;
            }
        }
        append_marked(document, &stretch, &piece.display)?;
        self.text.append_child(&stretch)?;
        Ok(())
    }

    fn say_more(&mut self, document: &Document, words: &str) -> Result<(), JsValue> {
        let more = match self.more.take() {
            Some(more) => more,
            None => {
                let more = element(document, "span", "more")?;
                self.element.append_child(&more)?;
                more
            }
        };
        more.set_text_content(Some(words));
        self.more = Some(more);
        Ok(())
    }
}

/// Appends text in which some characters stand for something invisible.
fn append_marked(document: &Document, parent: &Element, drawn: &DisplayText<'_>) -> Result<(), JsValue> {
    let mut end = 0;
    for mark in &drawn.marks {
        let between = drawn.text.get(end..mark.start).unwrap_or_default();
        if !between.is_empty() {
            parent.append_child(&document.create_text_node(between))?;
        }
        let marked = element(document, "span", "mark")?;
        marked.set_text_content(drawn.text.get(mark.clone()));
        parent.append_child(&marked)?;
        end = mark.end;
    }
    let rest = drawn.text.get(end..).unwrap_or_default();
    if !rest.is_empty() {
        parent.append_child(&document.create_text_node(rest))?;
    }
    Ok(())
}

/// A new element with a class.
pub(super) fn element(document: &Document, name: &str, class: &str) -> Result<Element, JsValue> {
    let element = document.create_element(name)?;
    element.set_class_name(class);
    Ok(element)
}

/// A new `div` with a class.
pub(super) fn div(document: &Document, class: &str) -> Result<HtmlElement, JsValue> {
    Ok(element(document, "div", class)?.unchecked_into())
}
