//! The browser's selection, mirrored: what the reader selects goes into the model, and what the model holds is put back
//! after rows were filled again.
//!
//! An end whose line has no row stands before the first row, or after the last one, and is not taken for the reader's.
//!
//! While the pointer is held down and has left the log, the log scrolls under it, rows come and go, and the browser knows no
//! better than to select what else the page holds. The beginning then stays where it was, and the end is the outermost row on
//! the pointer's side.

use std::cell::RefCell;

use wasm_bindgen::JsCast;
use web_sys::{Document, Element, Node};

use super::{log_view::LogView, surroundings::Surroundings};
use crate::model::{
    drawn_place::{byte_at, drawn_at},
    live_log::LiveLog,
    selection::{Selection, TextPlace},
};

/// A place in the document.
type Spot = (Node, u32);

/// See the [module](self).
pub struct TextSelection {
    document: Document,
    surroundings: Surroundings,
    /// The ends as they were last read or put.
    known: RefCell<Option<(Spot, Spot)>>,
}

impl TextSelection {
    /// Nothing is known to be selected.
    #[must_use]
    pub fn new(document: Document, surroundings: Surroundings) -> Self {
        Self { document, surroundings, known: RefCell::new(None) }
    }

    /// Takes over what the reader selected since. Whether he did. `is_held`: he is at it, with the pointer.
    pub fn read(&self, view: &LogView, log: &mut LiveLog, is_held: bool) -> bool {
        let now = self.now();
        let is_in_log = |(node, _): &Spot| view.scroller().contains(Some(node));
        if let (true, Some(old), Some((_, head))) = (is_held, log.selection(), &now)
            && !is_in_log(head)
        {
            let head = outermost(view, log, head).unwrap_or(old.head);
            log.select(Some(Selection { head, ..old }));
            self.known.replace(now);
            return true;
        }
        if *self.known.borrow() == now {
            return false;
        }
        let selection = now.as_ref().filter(|(anchor, _)| is_in_log(anchor)).and_then(|(anchor, head)| {
            let (known, old) = (self.known.borrow(), log.selection());
            let is_known = |spot: &Spot, end: fn(&(Spot, Spot)) -> &Spot| {
                known.as_ref().is_some_and(|known| end(known) == spot)
            };
            let anchor = match old.filter(|_| is_known(anchor, |known| &known.0)) {
                Some(old) => old.anchor,
                None => self.place_at(anchor, view, log)?,
            };
            let head = match old.filter(|_| is_known(head, |known| &known.1)) {
                Some(old) => old.head,
                // Outside of the log: the end stays at the edge.
                None => self.place_at(head, view, log).unwrap_or_else(|| old.map_or(anchor, |old| old.head)),
            };
            Some(Selection { anchor, head })
        });
        self.known.replace(now);
        log.select(selection);
        true
    }

    /// Shows what the model holds.
    pub fn show(&self, view: &LogView, log: &LiveLog) {
        let Some(native) = self.surroundings.selection() else { return };
        if let Some(selection) = log.selection().filter(|selection| !selection.is_empty()) {
            let ends = (spot_of(selection.anchor, view, log), spot_of(selection.head, view, log));
            if self.now().as_ref() != Some(&ends) {
                let ((anchor, at), (head, to)) = ends;
                // Fails only for places beyond a node's end.
                native.set_base_and_extent(&anchor, at, &head, to).unwrap_or_default();
            }
        }
        self.known.replace(self.now());
    }

    /// Selects nothing any more.
    pub fn clear(&self, log: &mut LiveLog) {
        log.select(None);
        if let Some(native) = self.surroundings.selection() {
            native.remove_all_ranges().unwrap_or_default();
        }
        self.known.replace(self.now());
    }

    fn now(&self) -> Option<(Spot, Spot)> {
        let native = self.surroundings.selection()?;
        let anchor = (native.anchor_node()?, native.anchor_offset());
        Some((anchor, (native.focus_node()?, native.focus_offset())))
    }

    /// What a place in the document is in the log's text.
    fn place_at(&self, (node, offset): &Spot, view: &LogView, log: &LiveLog) -> Option<TextPlace> {
        let rows_box: &Node = view.rows_box();
        if node == rows_box {
            let at = usize::try_from(*offset).ok()?;
            return match view.rows().nth(at) {
                Some(row) => Some(TextPlace { line: row.line_id(), byte: 0 }),
                None => view.rows().last().and_then(|row| end_of(row.line_id(), log)),
            };
        }
        let element = node.dyn_ref::<Element>().cloned().or_else(|| node.parent_element())?;
        let element = element.closest(".row").ok().flatten()?;
        let row = view.rows().find(|row| *row.element() == element)?;
        let line = log.store.line(row.line_id())?;
        let (text, row_node): (&Node, &Node) = (row.text(), row.element());
        let is_before = if node == row_node {
            *offset <= 1
        } else {
            text.compare_document_position(node) & Node::DOCUMENT_POSITION_PRECEDING != 0
        };
        let byte = if text.contains(Some(node)) {
            match self.drawn_before(text, node, *offset)? {
                drawn if row.is_whole() => byte_at(line.text, drawn),
                // Values are no places in the text: all of it, then.
                0 => 0,
                _ => line.text.len(),
            }
        } else if is_before {
            0
        } else {
            line.text.len()
        };
        Some(TextPlace { line: line.id, byte })
    }

    /// UTF-16 units in `text` before a place in it.
    fn drawn_before(&self, text: &Node, node: &Node, offset: u32) -> Option<usize> {
        let range = self.document.create_range().ok()?;
        range.set_start(text, 0).ok()?;
        range.set_end(node, offset).ok()?;
        usize::try_from(range.to_string().length()).ok()
    }
}

/// The beginning of the first row, or the end of the last one, on whichever side of the log `spot` is.
fn outermost(view: &LogView, log: &LiveLog, (node, _): &Spot) -> Option<TextPlace> {
    let scroller: &Node = view.scroller();
    if scroller.compare_document_position(node) & Node::DOCUMENT_POSITION_PRECEDING != 0 {
        view.rows().next().map(|row| TextPlace { line: row.line_id(), byte: 0 })
    } else {
        view.rows().last().and_then(|row| end_of(row.line_id(), log))
    }
}

fn end_of(id: u64, log: &LiveLog) -> Option<TextPlace> {
    log.store.line(id).map(|line| TextPlace { line: id, byte: line.text.len() })
}

/// Where a place in the log's text is in the document: in its row, or else before or after all rows.
fn spot_of(place: TextPlace, view: &LogView, log: &LiveLog) -> Spot {
    let mut count = 0;
    for row in view.rows() {
        if row.line_id() == place.line {
            let text = log.store.line(place.line).map_or("", |line| line.text);
            let mut units = u32::try_from(drawn_at(text, place.byte)).unwrap_or(u32::MAX);
            let node: &Node = row.text();
            if !row.is_whole() {
                return (node.clone(), if units == 0 { 0 } else { node.child_nodes().length() });
            }
            return text_spot(node, &mut units)
                .unwrap_or_else(|| (node.clone(), node.child_nodes().length()));
        }
        if row.line_id() > place.line {
            break;
        }
        count += 1;
    }
    (Node::from(view.rows_box().clone()), count)
}

/// The text node inside `node` that the place is in, and where in it.
fn text_spot(node: &Node, units: &mut u32) -> Option<Spot> {
    if node.node_type() == Node::TEXT_NODE {
        let length = node.text_content().map_or(0, |text| js_sys::JsString::from(text).length());
        if *units <= length {
            return Some((node.clone(), *units));
        }
        *units -= length;
        return None;
    }
    let children = node.child_nodes();
    (0..children.length()).find_map(|at| text_spot(&children.get(at)?, units))
}
