//! The browser's selection, mirrored in the model: what the user selects goes into the model, and what the model holds is restored
//! after rows were rendered.
//!
//! An end whose line has no row stands before the first row or after the last one, and is not taken for an end set by the user.
//!
//! While the user drags the pointer out of the log, the log scrolls, rows come and go, and the browser extends the selection to
//! other parts of the page. The anchor then stays where it was, and the head is the outermost row on the pointer's side.

use std::cell::RefCell;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{DomRect, HtmlElement, Node, Range};

use super::rows::{RowPool, RowSlot};
use crate::{
    browser::host::Host,
    model::{
        drawn_position::{byte_at, drawn_at},
        live_log::LiveLog,
        selection::{Selection, TextPosition},
    },
};

/// A position in the document: a node and an offset in it.
type DomPosition = (Node, u32);

/// See the [module](self).
#[derive(Default)]
pub struct NativeSelection {
    /// Anchor and head as they were last read or set.
    known: RefCell<Option<(DomPosition, DomPosition)>>,
}

/// Everything that a selection refers to.
#[derive(Clone, Copy)]
pub struct SelectionScope<'a> {
    /// The page around the viewer.
    pub host: &'a Host,
    /// The element that scrolls.
    pub scroller: &'a HtmlElement,
    /// The rows.
    pub rows: &'a RowPool,
}

impl NativeSelection {
    /// Reads what the user has selected since. Returns whether it changed. `is_dragging`: the pointer is still down.
    pub fn read(&self, scope: SelectionScope<'_>, log: &mut LiveLog, is_dragging: bool) -> bool {
        let now = current(scope.host);
        let is_in_log = |(node, _): &DomPosition| scope.scroller.contains(Some(node));
        if let (true, Some(old), Some((_, head))) = (is_dragging, log.selection(), &now)
            && !is_in_log(head)
        {
            let head = scope.outermost(log, head).unwrap_or(old.head);
            log.select(Some(Selection { head, ..old }));
            self.known.replace(now);
            return true;
        }
        if *self.known.borrow() == now {
            return false;
        }
        let selection = now.as_ref().filter(|(anchor, _)| is_in_log(anchor)).and_then(|(anchor, head)| {
            let (known, old) = (self.known.borrow(), log.selection());
            let is_known = |position: &DomPosition, end: fn(&(DomPosition, DomPosition)) -> &DomPosition| {
                known.as_ref().is_some_and(|known| end(known) == position)
            };
            let anchor = match old.filter(|_| is_known(anchor, |known| &known.0)) {
                Some(old) => old.anchor,
                None => scope.text_position(anchor, log)?,
            };
            let head = match old.filter(|_| is_known(head, |known| &known.1)) {
                Some(old) => old.head,
                // Outside of the log the head stays at the edge.
                None => {
                    let outside = old.map_or(anchor, |old| old.head);
                    scope.text_position(head, log).unwrap_or(outside)
                }
            };
            Some(Selection { anchor, head })
        });
        self.known.replace(now);
        log.select(selection);
        true
    }

    /// Moves the head to the outermost row while the pointer drags outside of the log: rows there were rendered since.
    pub fn follow_drag(&self, scope: SelectionScope<'_>, log: &mut LiveLog) {
        let head = current(scope.host).map(|(_, head)| head);
        if let (Some(old), Some(head)) = (log.selection(), head)
            && !scope.scroller.contains(Some(&head.0))
            && let Some(head) = scope.outermost(log, &head)
        {
            log.select(Some(Selection { head, ..old }));
        }
    }

    /// Restores the model's selection in the document.
    pub fn show(&self, scope: SelectionScope<'_>, log: &LiveLog) {
        let Some(native) = scope.host.selection() else { return };
        if let Some(selection) = log.selection().filter(|selection| !selection.is_empty()) {
            let ends = (scope.dom_position(selection.anchor, log), scope.dom_position(selection.head, log));
            if let (Some((anchor, anchor_offset)), Some((head, head_offset))) = ends
                && current(scope.host).as_ref()
                    != Some(&((anchor.clone(), anchor_offset), (head.clone(), head_offset)))
                && let Err(error) = native.set_base_and_extent(&anchor, anchor_offset, &head, head_offset)
            {
                leptos::logging::error!("the selection cannot be restored: {error:?}");
            }
        }
        self.known.replace(current(scope.host));
    }

    /// Clears the selection.
    pub fn clear(&self, host: &Host, log: &mut LiveLog) {
        log.select(None);
        if let Some(native) = host.selection()
            && let Err(error) = native.remove_all_ranges()
        {
            leptos::logging::error!("the selection cannot be cleared: {error:?}");
        }
        self.known.replace(current(host));
    }
}

fn current(host: &Host) -> Option<(DomPosition, DomPosition)> {
    let native = host.selection()?;
    let anchor = (native.anchor_node()?, native.anchor_offset());
    Some((anchor, (native.focus_node()?, native.focus_offset())))
}

impl SelectionScope<'_> {
    /// Whether some text of the log is selected.
    #[must_use]
    pub fn has_native_selection(&self) -> bool {
        let selected = self.host.selection().filter(|selection| !selection.is_collapsed());
        let anchor = selected.and_then(|selection| selection.anchor_node());
        anchor.is_some_and(|node| self.scroller.contains(Some(&node)))
    }

    /// Converts a position in the document into one in the log's text.
    fn text_position(&self, (node, offset): &DomPosition, log: &LiveLog) -> Option<TextPosition> {
        let slot = self.rows.slots().find(|slot| {
            slot.element.try_get_untracked().flatten().is_some_and(|element| element.contains(Some(node)))
        });
        let Some(slot) = slot else { return self.position_between_rows(node, *offset, log) };
        let (element, text) = (slot.element.try_get_untracked()??, slot.text.try_get_untracked()??);
        let line = log.store().line(slot.line_id()?)?;
        let text: &Node = text.unchecked_ref();
        let byte = if text.contains(Some(node)) {
            match drawn_before(self.host, text, node, *offset)? {
                drawn if slot.is_whole_line() => byte_at(line.text, drawn, log.drawn_chars(line.id)),
                // Values are no positions in the text: all of it, then.
                0 => 0,
                _ => line.text.len(),
            }
        } else if is_before_text(element.unchecked_ref(), text, node, *offset) {
            0
        } else {
            line.text.len()
        };
        Some(TextPosition { line: line.id, byte })
    }

    /// Converts a position between the rows: the beginning of the row after it, or the end of the last one.
    fn position_between_rows(&self, node: &Node, offset: u32, log: &LiveLog) -> Option<TextPosition> {
        let container = self.rows.container.try_get_untracked()??;
        let container: &Node = container.unchecked_ref();
        if node != container {
            return None;
        }
        let children = container.child_nodes();
        let following = (offset..children.length()).filter_map(|at| children.get(at)).find_map(|child| {
            self.rows.slots().find(|slot| is_node(slot.element.try_get_untracked().flatten(), &child))
        });
        match following {
            Some(slot) => Some(TextPosition { line: slot.line_id()?, byte: 0 }),
            None => end_of(self.rows.slots().next_back()?.line_id()?, log),
        }
    }

    /// Returns the beginning of the first row or the end of the last one, on the side of the log that the position is on.
    fn outermost(&self, log: &LiveLog, (node, _): &DomPosition) -> Option<TextPosition> {
        let is_above = self.scroller.compare_document_position(node) & Node::DOCUMENT_POSITION_PRECEDING != 0;
        if is_above {
            let line = self.rows.slots().next()?.line_id()?;
            Some(TextPosition { line, byte: 0 })
        } else {
            end_of(self.rows.slots().next_back()?.line_id()?, log)
        }
    }

    /// Converts a position in the log's text into one in the document: in its row, or before or after all rows.
    fn dom_position(&self, position: TextPosition, log: &LiveLog) -> Option<DomPosition> {
        let container = self.rows.container.try_get_untracked()??;
        let container: Node = container.unchecked_into();
        for slot in self.rows.slots() {
            match slot.line_id() {
                Some(line) if line == position.line => return position_in_row(&slot, position, log),
                Some(line) if line > position.line => {
                    let index = child_index(&container, slot)?;
                    return Some((container, index));
                }
                _ => {}
            }
        }
        let count = container.child_nodes().length();
        Some((container, count))
    }
}

impl SelectionScope<'_> {
    /// Returns where a part of a line is in the window, if its row shows it.
    #[must_use]
    pub fn rect_of(&self, line: u64, bytes: &std::ops::Range<usize>, log: &LiveLog) -> Option<DomRect> {
        let slot = self.rows.slots().find(|slot| slot.line_id() == Some(line))?;
        let range: Range = self.host.document().create_range().ok()?;
        let (node, offset) = position_in_row(&slot, TextPosition { line, byte: bytes.start }, log)?;
        range.set_start(&node, offset).ok()?;
        let (node, offset) = position_in_row(&slot, TextPosition { line, byte: bytes.end }, log)?;
        range.set_end(&node, offset).ok()?;
        Some(range.get_bounding_client_rect())
    }
}

fn position_in_row(slot: &RowSlot, position: TextPosition, log: &LiveLog) -> Option<DomPosition> {
    let node: Node = slot.text.try_get_untracked()??.unchecked_into();
    let text = log.store().line(position.line).map_or("", |line| line.text);
    let mut units =
        u32::try_from(drawn_at(text, position.byte, log.drawn_chars(position.line))).unwrap_or(u32::MAX);
    let children = node.child_nodes().length();
    if !slot.is_whole_line() {
        return Some((node, if units == 0 { 0 } else { children }));
    }
    Some(position_in_text(&node, &mut units).unwrap_or((node, children)))
}

/// Returns the text node below `node` that contains the position, and the offset in it.
fn position_in_text(node: &Node, units: &mut u32) -> Option<DomPosition> {
    if node.node_type() == Node::TEXT_NODE {
        let length = node.text_content().map_or(0, |text| js_sys::JsString::from(text).length());
        if *units <= length {
            return Some((node.clone(), *units));
        }
        *units -= length;
        return None;
    }
    let children = node.child_nodes();
    (0..children.length()).find_map(|at| position_in_text(&children.get(at)?, units))
}

fn end_of(id: u64, log: &LiveLog) -> Option<TextPosition> {
    log.store().line(id).map(|line| TextPosition { line: id, byte: line.text.len() })
}

/// Returns the UTF-16 code units of `text` before a position in it.
fn drawn_before(host: &Host, text: &Node, node: &Node, offset: u32) -> Option<usize> {
    let range: Range = host.document().create_range().ok()?;
    range.set_start(text, 0).ok()?;
    range.set_end(node, offset).ok()?;
    usize::try_from(range.to_string().length()).ok()
}

/// Whether a position in a row, outside of its text, is before that text.
fn is_before_text(row: &Node, text: &Node, node: &Node, offset: u32) -> bool {
    if node == row {
        let children = row.child_nodes();
        return (offset..children.length()).any(|at| children.get(at).as_ref() == Some(text));
    }
    text.compare_document_position(node) & Node::DOCUMENT_POSITION_PRECEDING != 0
}

fn child_index(container: &Node, slot: RowSlot) -> Option<u32> {
    let element = slot.element.try_get_untracked()?;
    let children = container.child_nodes();
    (0..children.length()).find(|at| children.get(*at).is_some_and(|child| is_node(element.clone(), &child)))
}

fn is_node<E: JsCast>(element: Option<E>, node: &Node) -> bool {
    element.is_some_and(|element| element.unchecked_ref::<Node>() == node)
}
