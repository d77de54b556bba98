//! The virtual list: a scroller as high as all lines, with rows for those in view.
//!
//! Rows stand in the document in the order of their lines, in one box that is moved as a whole, so that a selection
//! runs through them as the reader sees them. A row is filled again only when its line changes.

use std::{cell::Cell, collections::VecDeque, ops::Range};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, Text};

use super::{
    clock::offset_minutes,
    log_row::{LogRow, RowContext, div, element},
};
use crate::model::{
    display_text::MAX_DRAWN_CHARS,
    grouped_number::counted,
    json_line::fields::field_values,
    line_store::LineKind,
    live_log::{LiveLog, Times},
    source::SOURCE_COLORS,
};

/// Height of a row for each pixel of the font's size.
const ROW_PX_PER_FONT_PX: f64 = 1.5;
/// Font size where the browser does not tell it.
const DEFAULT_FONT_PX: f64 = 13.0;

/// What was last written to the document, so that it is not written again.
#[derive(Default)]
struct Written {
    content_px: f64,
    rows_top_px: f64,
    dropped_top_px: Option<f64>,
    dropped: u64,
    columns: u32,
    digits: usize,
    tag: usize,
    revision: u64,
    /// The widest value of each column so far, in characters, up to [`MAX_CELL_CHARS`].
    cells: Vec<usize>,
}

/// See the [module](self).
pub struct LogView {
    document: Document,
    scroller: HtmlElement,
    content: HtmlElement,
    rows_box: HtmlElement,
    dropped_row: HtmlElement,
    dropped_text: Text,
    rows: VecDeque<LogRow>,
    /// The positions of the lines that `rows` show, one each.
    shown: Range<u64>,
    written: Written,
    /// A row that nobody sees, to measure columns by.
    probe: Probe,
    is_wrapping: Cell<bool>,
    /// Whether rows were filled since their heights were last looked at.
    has_filled: Cell<bool>,
}

/// `14:03:11`, `+0.250 s`: as wide as the gutter must be.
const TIME_DIGITS: usize = 8;
/// Characters of a source's name that are shown beside its lines.
const MAX_TAG_CHARS: usize = 14;
/// Widest a column becomes; longer values push what follows aside.
const MAX_CELL_CHARS: usize = 32;
/// Characters in the probe.
const PROBE_COLUMNS: u32 = 64;

struct Probe {
    text: Element,
    ruler: Element,
}

impl Probe {
    fn new(document: &Document, parent: &HtmlElement) -> Result<Self, JsValue> {
        let row = div(document, "probe")?;
        row.set_attribute("aria-hidden", "true")?;
        row.append_child(&*element(document, "span", "gutter")?)?;
        let text = element(document, "span", "room")?;
        let ruler = element(document, "span", "ruler")?;
        ruler.set_text_content(Some(&"x".repeat(PROBE_COLUMNS as usize)));
        text.append_child(&ruler)?;
        row.append_child(&text)?;
        parent.append_child(&row)?;
        Ok(Self { text, ruler })
    }

    /// Columns of a wrapped row.
    fn row_columns(&self) -> u32 {
        let width = |element: &Element| element.get_bounding_client_rect().width();
        let column_px = width(&self.ruler) / f64::from(PROBE_COLUMNS);
        // A quotient of widths on a screen; a hair more, for widths that are rounded down.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let columns = (width(&self.text) / column_px.max(1.0) + 0.01) as u32;
        columns.max(1)
    }
}

impl LogView {
    /// An empty list in `parent`, which assistive technology calls `label`.
    ///
    /// # Errors
    /// What the browser says when it makes no elements.
    pub fn new(document: Document, parent: &HtmlElement, label: &str) -> Result<Self, JsValue> {
        let scroller = div(&document, "log")?;
        scroller.set_id("log");
        // No live region: a list this fast would never stop talking.
        scroller.set_attribute("role", "list")?;
        scroller.set_attribute("aria-label", label)?;
        scroller.set_tab_index(0);
        let content = div(&document, "content")?;
        content.set_attribute("role", "presentation")?;
        let dropped_row = div(&document, "dropped")?;
        let dropped_text = document.create_text_node("");
        dropped_row.append_child(&dropped_text)?;
        dropped_row.set_hidden(true);
        let rows_box = div(&document, "rows")?;
        rows_box.set_attribute("role", "presentation")?;
        content.append_child(&dropped_row)?;
        content.append_child(&rows_box)?;
        let probe = Probe::new(&document, &content)?;
        scroller.append_child(&content)?;
        parent.append_child(&scroller)?;
        Ok(Self {
            document,
            scroller,
            content,
            rows_box,
            dropped_row,
            dropped_text,
            rows: VecDeque::new(),
            shown: 0..0,
            written: Written::default(),
            probe,
            is_wrapping: Cell::new(false),
            has_filled: Cell::new(false),
        })
    }

    /// The element that scrolls.
    #[must_use]
    pub fn scroller(&self) -> &HtmlElement {
        &self.scroller
    }

    /// The box that holds the rows.
    #[must_use]
    pub fn rows_box(&self) -> &HtmlElement {
        &self.rows_box
    }

    /// The rows, in the order of their lines.
    pub fn rows(&self) -> impl Iterator<Item = &LogRow> {
        self.rows.iter()
    }

    /// Measures view and row, and tells the log's viewport.
    ///
    /// # Errors
    /// What the browser says when it takes no style.
    pub fn measure(&self, log: &mut LiveLog) -> Result<(), JsValue> {
        let font_px = web_sys::window()
            .and_then(|window| window.get_computed_style(&self.scroller).ok().flatten())
            .and_then(|style| style.get_property_value("font-size").ok())
            .map(|size| js_sys::parse_float(&size))
            .filter(|px| px.is_finite())
            .unwrap_or(DEFAULT_FONT_PX);
        // Whole pixels: rows of equal height on every screen, and scroll positions without fractions.
        let row_px = (font_px * ROW_PX_PER_FONT_PX).ceil();
        set_px(&self.scroller, "--row", row_px)?;
        log.viewport.resize(f64::from(self.scroller.client_height()), row_px);
        log.set_wrap(self.is_wrapping.get().then(|| self.probe.row_columns()));
        Ok(())
    }

    /// Wraps long lines, or does not.
    ///
    /// # Errors
    /// What the browser says when it takes no style.
    pub fn set_wrapping(&self, is_wrapping: bool, log: &mut LiveLog) -> Result<(), JsValue> {
        self.is_wrapping.set(is_wrapping);
        self.scroller.class_list().toggle_with_force("wrap", is_wrapping)?;
        self.measure(log)
    }

    /// Tells the log how high wrapped rows are in truth. Whether that changes the layout.
    fn correct_heights(&self, log: &mut LiveLog) -> bool {
        if log.viewport.row_columns().is_none() || !self.has_filled.replace(false) {
            return false;
        }
        let row_px = log.viewport.row_px();
        let mut has_changed = false;
        for (position, row) in self.shown.clone().zip(&self.rows) {
            let height = row.element().unchecked_ref::<HtmlElement>().offset_height();
            // Whole rows, of which there are few thousand at most.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rows = (f64::from(height) / row_px).round() as u32;
            has_changed |= log.viewport.measured(position, rows);
        }
        has_changed
    }

    /// Shows the log as it is now. `at_rest`: the reader does not scroll at this moment.
    ///
    /// # Errors
    /// What the browser says when it makes no elements.
    pub fn paint(&mut self, log: &mut LiveLog, at_rest: bool) -> Result<(), JsValue> {
        self.paint_once(log, at_rest)?;
        if self.correct_heights(log) {
            self.paint_once(log, at_rest)?;
        }
        Ok(())
    }

    fn paint_once(&mut self, log: &mut LiveLog, at_rest: bool) -> Result<(), JsValue> {
        let layout = log.lay_out(at_rest);
        if self.written.revision != log.revision() {
            self.written.revision = log.revision();
            self.show_other_rows(layout.rows, log)?;
        } else {
            self.show_rows(layout.rows, log)?;
        }
        self.widen(log)?;
        if self.written.content_px != layout.content_px {
            self.written.content_px = layout.content_px;
            set_px(&self.content, "height", layout.content_px)?;
        }
        if self.written.rows_top_px != layout.rows_top_px {
            self.written.rows_top_px = layout.rows_top_px;
            move_to(&self.rows_box, layout.rows_top_px)?;
        }
        self.show_dropped(layout.dropped_top_px, log.store.counts().dropped)?;
        if let Some(top_px) = layout.scroll_to_px {
            self.scroller.set_scroll_top(whole(top_px));
            log.viewport.placed(f64::from(self.scroller.scroll_top()));
        }
        Ok(())
    }

    /// Shows exactly the lines `wanted`. Rows that leave at one end come in again at the other.
    fn show_rows(&mut self, wanted: Range<u64>, log: &LiveLog) -> Result<(), JsValue> {
        if wanted == self.shown {
            return Ok(());
        }
        let overlap = wanted.start.max(self.shown.start)..wanted.end.min(self.shown.end);
        if overlap.is_empty() {
            return self.show_other_rows(wanted, log);
        }
        let mut spare = Vec::new();
        while self.shown.start < overlap.start {
            spare.extend(self.rows.pop_front());
            self.shown.start += 1;
        }
        while self.shown.end > overlap.end {
            spare.extend(self.rows.pop_back());
            self.shown.end -= 1;
        }
        while self.shown.start > wanted.start {
            let row = self.filled(spare.pop(), self.shown.start - 1, log)?;
            let first = self.rows.front().map(|row| row.element().as_ref());
            self.rows_box.insert_before(row.element(), first)?;
            self.rows.push_front(row);
            self.shown.start -= 1;
        }
        while self.shown.end < wanted.end {
            let row = self.filled(spare.pop(), self.shown.end, log)?;
            self.rows_box.append_child(row.element())?;
            self.rows.push_back(row);
            self.shown.end += 1;
        }
        for row in spare {
            row.element().remove();
        }
        Ok(())
    }

    /// As [`Self::show_rows`], when no line shown is wanted: every row stays where it is and is filled again.
    fn show_other_rows(&mut self, wanted: Range<u64>, log: &LiveLog) -> Result<(), JsValue> {
        let mut rows = std::mem::take(&mut self.rows);
        self.shown = wanted.start..wanted.start;
        for position in wanted {
            let reused = rows.pop_front();
            let is_new = reused.is_none();
            let row = self.filled(reused, position, log)?;
            if is_new {
                self.rows_box.append_child(row.element())?;
            }
            self.rows.push_back(row);
            self.shown.end += 1;
        }
        for row in rows {
            row.element().remove();
        }
        Ok(())
    }

    /// Makes room for the values of a line.
    fn widen_cells(&mut self, line: &str, columns: &[Option<Range<usize>>]) {
        self.written.cells.resize(columns.len(), 0);
        for (place, (widest, column)) in self.written.cells.iter_mut().zip(columns).enumerate() {
            let value = column.clone().and_then(|range| line.get(range)).unwrap_or_default();
            let chars = value.chars().take(MAX_CELL_CHARS).count();
            if chars > *widest {
                *widest = chars;
                let style = self.scroller.style();
                // Fails only for names that are no properties.
                style.set_property(&format!("--c{place}"), &chars.to_string()).unwrap_or_default();
            }
        }
    }

    fn filled(&mut self, row: Option<LogRow>, position: u64, log: &LiveLog) -> Result<LogRow, JsValue> {
        let mut row = match row {
            Some(row) => row,
            None => LogRow::new(&self.document)?,
        };
        if let Some(line) = log.line_at(position) {
            let gutter = log.gutter(position, &line, offset_minutes());
            let (hits, marks) = (log.finding().hits_in(&line), log.rules().marks_in(line.text));
            let names = log.columns();
            let columns = if names.is_empty() { None } else { field_values(line.text, names) };
            if let Some(columns) = &columns {
                self.widen_cells(line.text, columns);
            }
            let source = usize::from(line.source);
            let has_name = log.sources().len() > 1 && line.kind != LineKind::File;
            let named = log.sources().get(source).filter(|_| has_name);
            let context = RowContext {
                source: named.map(|named| (source % SOURCE_COLORS, named.name.as_str())),
                gutter: &gutter,
                hits: &hits,
                marks: &marks,
                columns: columns.as_deref(),
                tree: log.open_lines().tree(line.id),
            };
            row.fill(&self.document, &line, &context)?;
            self.has_filled.set(true);
            row.set_place(log.place_of(&line))?;
        }
        Ok(row)
    }

    /// Makes room for the widest line and the longest number, so that neither jumps while scrolling.
    fn widen(&mut self, log: &LiveLog) -> Result<(), JsValue> {
        // Each character drawn is two columns wide at most.
        let columns = log.store.widest_columns().min(2 * MAX_DRAWN_CHARS as u32);
        // Values that stand in columns take a space more each.
        let cells: usize = self.written.cells.iter().take(log.columns().len()).map(|chars| chars + 1).sum();
        let columns = columns.max(u32::try_from(cells).unwrap_or(u32::MAX));
        if self.written.columns != columns {
            self.written.columns = columns;
            self.scroller.style().set_property("--columns", &columns.to_string())?;
        }
        let least = if log.times() == Times::Off { 1 } else { TIME_DIGITS };
        let digits = log.store.counts().received.to_string().len().max(least);
        if self.written.digits != digits {
            self.written.digits = digits;
            self.scroller.style().set_property("--digits", &digits.to_string())?;
        }
        let names = log.sources().iter().map(|source| source.name.chars().take(MAX_TAG_CHARS).count());
        let tag = if log.sources().len() > 1 { names.max().unwrap_or(0) + 1 } else { 0 };
        if self.written.tag != tag {
            self.written.tag = tag;
            self.scroller.style().set_property("--tag", &tag.to_string())?;
        }
        Ok(())
    }

    fn show_dropped(&mut self, top_px: Option<f64>, dropped: u64) -> Result<(), JsValue> {
        if self.written.dropped != dropped {
            self.written.dropped = dropped;
            let lines = counted(dropped, "older line was dropped", "older lines were dropped");
            self.dropped_text.set_data(&format!("{lines}: this page keeps the newest"));
        }
        if self.written.dropped_top_px != top_px {
            self.written.dropped_top_px = top_px;
            self.dropped_row.set_hidden(top_px.is_none());
            move_to(&self.dropped_row, top_px.unwrap_or(0.0))?;
        }
        Ok(())
    }
}

fn set_px(element: &HtmlElement, property: &str, px: f64) -> Result<(), JsValue> {
    element.style().set_property(property, &format!("{}px", whole(px)))
}

fn move_to(element: &HtmlElement, top_px: f64) -> Result<(), JsValue> {
    element.style().set_property("transform", &format!("translateY({}px)", whole(top_px)))
}

/// Heights are whole pixels far below what an integer holds, and integers are written with far less code.
#[allow(clippy::cast_possible_truncation)]
fn whole(px: f64) -> i32 {
    px.round() as i32
}
