//! One row of the list: elements made once, filled again and again.
//!
//! Text becomes text nodes and nothing else: there is no markup in a line.

use std::ops::Range;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, Text};

use crate::model::{
    ansi::css::style_words,
    display_text::{DisplayText, display_text, more_text},
    highlight::{COLOURS, Mark},
    json_line::tree::TreeRow,
    level::Level,
    line_store::{Line, LineKind},
    live_log::RowPlace,
    row_pieces::{Piece, part_of, row_pieces},
};

/// What surrounds a line's text in its row.
pub struct RowContext<'a> {
    /// What stands beside it.
    pub gutter: &'a str,
    /// Whose it is, where there are several sources: a colour's number, and a name.
    pub source: Option<(usize, &'a str)>,
    /// What a search found in it.
    pub hits: &'a [Range<usize>],
    /// What the reader's rules mark in it.
    pub marks: &'a [Mark],
    /// Where the values of the chosen columns are, when it has some.
    pub columns: Option<&'a [Option<Range<usize>>]>,
    /// The rows below it, when it is open.
    pub tree: Option<&'a [TreeRow]>,
}

/// See the [module](self).
pub struct LogRow {
    element: Element,
    gutter: Text,
    /// The source's name, where there are several.
    tag: Option<Element>,
    text: Element,
    /// The text, when there is nothing to mark in it: the usual case.
    plain: Text,
    is_plain: bool,
    more: Option<Element>,
    /// Opens the line, and closes it.
    fold: Option<Element>,
    tree: Option<Element>,
    kind: Option<LineKind>,
    level: Option<Level>,
    place: RowPlace,
    line_id: u64,
    /// Whether the text is that of the line, and not some of its values.
    is_whole: bool,
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
            tag: None,
            text,
            plain,
            is_plain: true,
            more: None,
            fold: None,
            tree: None,
            kind: None,
            level: None,
            place: RowPlace::default(),
            line_id: 0,
            is_whole: true,
        })
    }

    /// The row's element.
    #[must_use]
    pub fn element(&self) -> &Element {
        &self.element
    }

    /// The element that holds the line's text, and nothing else.
    #[must_use]
    pub fn text(&self) -> &Element {
        &self.text
    }

    /// Whether [`Self::text`] holds the line as it is, and not some of its values.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The line that the row shows.
    #[must_use]
    pub fn line_id(&self) -> u64 {
        self.line_id
    }

    /// Shows `line` with what surrounds it.
    ///
    /// # Errors
    /// What the browser says when it makes no elements.
    pub fn fill(
        &mut self,
        document: &Document,
        line: &Line<'_>,
        context: &RowContext<'_>,
    ) -> Result<(), JsValue> {
        self.line_id = line.id;
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
        self.gutter.set_data(context.gutter);
        match context.source {
            Some((color, name)) => self.set_tag(document, color, name)?,
            None => self.tag.iter().for_each(|tag| tag.set_text_content(None)),
        }
        self.set_fold(document, line.is_json(), context.tree)?;
        self.is_whole = context.columns.is_none();
        if let Some(columns) = context.columns {
            self.is_plain = false;
            self.text.set_text_content(None);
            return self.append_columns(document, line, columns, context);
        }
        let drawn = row_pieces(line, context.hits, context.marks);
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
                    append(document, &self.text, piece)?;
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

    /// Shows what the row is to the reader.
    ///
    /// # Errors
    /// What the browser says when it takes no attribute.
    pub fn set_place(&mut self, place: RowPlace) -> Result<(), JsValue> {
        let old = std::mem::replace(&mut self.place, place);
        for (name, was, is) in [
            ("data-current", old.is_current, place.is_current),
            ("data-bookmarked", old.is_bookmarked, place.is_bookmarked),
            ("data-linked", old.is_linked, place.is_linked),
        ] {
            if was != is {
                self.element.toggle_attribute_with_force(name, is)?;
            }
        }
        Ok(())
    }

    /// Shows values in columns of their own, each as wide as the list says.
    fn append_columns(
        &mut self,
        document: &Document,
        line: &Line<'_>,
        columns: &[Option<Range<usize>>],
        context: &RowContext<'_>,
    ) -> Result<(), JsValue> {
        for (place, column) in columns.iter().enumerate() {
            let cell = element(document, "span", "cell")?;
            let width = format!("calc(var(--c{place}, 0) * 1ch)");
            cell.unchecked_ref::<HtmlElement>().style().set_property("min-width", &width)?;
            let part = column.clone().unwrap_or_default();
            let (text, hits, marks) = part_of(line, &part, context.hits, context.marks);
            let drawn = row_pieces(&text, &hits, &marks);
            for piece in &drawn.pieces {
                append(document, &cell, piece)?;
            }
            if let Some(more) = more_text(drawn.hidden_chars, 0) {
                cell.append_child(&document.create_text_node(&more))?;
            }
            self.text.append_child(&cell)?;
            // What is selected and copied has a space there.
            self.text.append_child(&document.create_text_node(" "))?;
        }
        if let Some(more) = self.more.take() {
            more.remove();
        }
        Ok(())
    }

    /// Names the line's source.
    fn set_tag(&mut self, document: &Document, color: usize, name: &str) -> Result<(), JsValue> {
        if self.tag.is_none() {
            let tag = element(document, "span", "tag")?;
            if let Some(gutter) = self.gutter.parent_node() {
                gutter.insert_before(&tag, Some(&self.gutter))?;
            }
            self.tag = Some(tag);
        }
        if let Some(tag) = &self.tag {
            tag.set_attribute("data-source", &color.to_string())?;
            tag.set_attribute("title", name)?;
            tag.set_text_content(Some(name));
        }
        Ok(())
    }

    /// Shows whether the line can be opened, and what is in it when it is open.
    fn set_fold(
        &mut self,
        document: &Document,
        can_open: bool,
        tree: Option<&[TreeRow]>,
    ) -> Result<(), JsValue> {
        if !can_open && self.fold.is_none() {
            return Ok(());
        }
        let fold = match self.fold.take() {
            Some(fold) => fold,
            None => {
                let fold = element(document, "button", "fold")?;
                fold.set_attribute("type", "button")?;
                // The key `o` opens; a hundred stops on the way through the page would help nobody.
                fold.set_attribute("tabindex", "-1")?;
                fold.set_attribute("aria-label", "Values of this line")?;
                fold.set_attribute("title", "Open or close (o)")?;
                self.element.insert_before(&fold, Some(&self.text))?;
                fold
            }
        };
        fold.toggle_attribute_with_force("hidden", !can_open)?;
        fold.set_attribute("aria-expanded", if tree.is_some() { "true" } else { "false" })?;
        self.fold = Some(fold);
        if let Some(old) = self.tree.take() {
            old.remove();
        }
        self.element.class_list().toggle_with_force("open", tree.is_some())?;
        if let Some(rows) = tree {
            let tree = tree_of(document, rows)?;
            self.element.append_child(&tree)?;
            self.tree = Some(tree);
        }
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

/// Appends a piece: a text node when it is plain, an element otherwise.
fn append(document: &Document, parent: &Element, piece: &Piece<'_>) -> Result<(), JsValue> {
    if piece.is_plain() {
        parent.append_child(&document.create_text_node(&piece.display.text))?;
        return Ok(());
    }
    let words = style_words(piece.style);
    let mut class = words.classes;
    if let Some(colour) = piece.colour.and_then(|colour| COLOURS.get(usize::from(colour))) {
        class.push_str(" lit ");
        class.push_str(colour);
    }
    if piece.is_hit {
        class.push_str(" hit");
    }
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
    parent.append_child(&stretch)?;
    Ok(())
}

/// The values of a line, one a row.
fn tree_of(document: &Document, rows: &[TreeRow]) -> Result<Element, JsValue> {
    let tree = element(document, "div", "tree")?;
    for row in rows {
        let line = element(document, "div", "branch")?;
        line.unchecked_ref::<HtmlElement>().style().set_property("--depth", &row.depth.to_string())?;
        if !row.key.is_empty() {
            let key = element(document, "span", "key")?;
            append_marked(document, &key, &display_text(&row.key))?;
            line.append_child(&key)?;
            line.append_child(&document.create_text_node(" "))?;
        }
        let value = element(document, "span", row.kind.as_str())?;
        append_marked(document, &value, &display_text(&row.value))?;
        line.append_child(&value)?;
        tree.append_child(&line)?;
    }
    Ok(tree)
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
