//! The pool of row slots: places on the screen that show one line after another.
//!
//! A slot is a component over one signal. The pool grows with the height of the list and never shrinks, so that a flood creates no
//! elements; slots that are not needed are hidden. While the view scrolls, slots that leave at one end return at the other: only
//! lines that come into view are rendered. The elements stand in the document in the order of their lines, because a selection
//! follows the order of the document.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    ops::Range,
};

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Node};

use crate::model::row::RowContent;

/// A place on the screen for a line.
#[derive(Clone, Copy)]
pub struct RowSlot {
    /// The row that it shows; `None` hides the slot.
    pub content: RwSignal<Option<RowContent>>,
    /// The row's element.
    pub element: NodeRef<html::Div>,
    /// The element that contains the line's text and nothing else.
    pub text: NodeRef<html::Span>,
}

impl RowSlot {
    /// Returns a hidden slot that belongs to the current owner.
    #[must_use]
    pub fn new() -> Self {
        Self { content: RwSignal::new(None), element: NodeRef::new(), text: NodeRef::new() }
    }

    /// Id of the line that it shows.
    #[must_use]
    pub fn line_id(&self) -> Option<u64> {
        self.content.try_with_untracked(|content| content.as_ref().map(|row| row.line_id)).flatten()
    }

    /// Whether the text element contains the line as it is, rather than some of its values.
    #[must_use]
    pub fn is_whole_line(&self) -> bool {
        let is_whole = |content: &Option<RowContent>| content.as_ref().is_some_and(RowContent::is_whole_line);
        self.content.try_with_untracked(is_whole).unwrap_or(false)
    }

    fn show(&self, content: Option<RowContent>) {
        super::state::update(self.content, content);
    }

    fn node(&self) -> Option<Node> {
        Some(self.element.try_get_untracked()??.unchecked_into())
    }
}

impl Default for RowSlot {
    fn default() -> Self {
        Self::new()
    }
}

/// See the [module](self).
pub struct RowPool {
    /// Number of slots that the list component provides.
    pub size: RwSignal<usize>,
    /// Element that contains the rows.
    pub container: NodeRef<html::Div>,
    /// Slots in use, in the order of their lines.
    shown: RefCell<VecDeque<RowSlot>>,
    /// Hidden slots.
    spare: RefCell<Vec<RowSlot>>,
    /// Positions of the lines shown, one for each slot in use.
    positions: RefCell<Range<u64>>,
    /// Whether rows were rendered since their heights were last measured.
    has_rendered: Cell<bool>,
}

impl RowPool {
    /// Returns an empty pool that belongs to the current owner.
    #[must_use]
    pub fn new() -> Self {
        Self {
            size: RwSignal::new(0),
            container: NodeRef::new(),
            shown: RefCell::default(),
            spare: RefCell::default(),
            positions: RefCell::new(0..0),
            has_rendered: Cell::new(false),
        }
    }

    /// Adds a slot that the list component has created.
    pub fn add(&self, slot: RowSlot) {
        self.spare.borrow_mut().push(slot);
    }

    /// Asks the list component for more slots, if there are fewer than `needed`. Returns whether it does: they are there after a
    /// tick.
    #[must_use]
    pub fn grow_to(&self, needed: usize) -> bool {
        let grows = self.size.try_get_untracked().is_some_and(|size| size < needed);
        if grows {
            self.size.set(needed);
        }
        grows
    }

    /// Returns the slots in use, in the order of their lines.
    pub fn slots(&self) -> impl DoubleEndedIterator<Item = RowSlot> + use<> {
        // Copies: a caller may cause a render meanwhile.
        self.shown.borrow().iter().copied().collect::<Vec<_>>().into_iter()
    }

    /// Returns the slots in use with the positions of their lines.
    pub fn positions(&self) -> impl Iterator<Item = (u64, RowSlot)> + use<> {
        self.positions.borrow().clone().zip(self.slots())
    }

    /// Whether rows were rendered since this was last asked.
    #[must_use]
    pub fn take_rendered(&self) -> bool {
        self.has_rendered.replace(false)
    }

    /// Shows the lines at `wanted`. With `is_stale`, lines that stay in view are rendered again.
    pub fn show(&self, wanted: Range<u64>, is_stale: bool, mut row: impl FnMut(u64) -> Option<RowContent>) {
        let shown = self.positions.borrow().clone();
        let overlap = wanted.start.max(shown.start)..wanted.end.min(shown.end);
        if is_stale || overlap.is_empty() {
            self.refill(wanted, &mut row);
        } else if wanted != shown {
            self.slide(wanted, overlap, &mut row);
        } else {
            return;
        }
        self.has_rendered.set(true);
    }

    /// Renders every slot in place.
    fn refill(&self, wanted: Range<u64>, row: &mut impl FnMut(u64) -> Option<RowContent>) {
        let (mut shown, mut spare) = (self.shown.borrow_mut(), self.spare.borrow_mut());
        let mut count = 0;
        for position in wanted.clone() {
            if count == shown.len() {
                let Some(slot) = spare.pop() else { break };
                self.append(&slot);
                shown.push_back(slot);
            }
            if let Some(slot) = shown.get(count) {
                slot.show(row(position));
            }
            count += 1;
        }
        for slot in shown.drain(count..) {
            slot.show(None);
            spare.push(slot);
        }
        self.positions.replace(wanted.start..wanted.start + count as u64);
    }

    /// Renders only the lines that come into view, in the slots of those that leave it.
    fn slide(
        &self,
        wanted: Range<u64>,
        overlap: Range<u64>,
        row: &mut impl FnMut(u64) -> Option<RowContent>,
    ) {
        let (mut shown, mut spare) = (self.shown.borrow_mut(), self.spare.borrow_mut());
        let mut positions = self.positions.borrow_mut();
        let mut freed = Vec::new();
        while positions.start < overlap.start {
            freed.extend(shown.pop_front());
            positions.start += 1;
        }
        while positions.end > overlap.end {
            freed.extend(shown.pop_back());
            positions.end -= 1;
        }
        while positions.start > wanted.start {
            let Some(slot) = freed.pop().or_else(|| spare.pop()) else { break };
            self.prepend(&slot, shown.front());
            slot.show(row(positions.start - 1));
            shown.push_front(slot);
            positions.start -= 1;
        }
        while positions.end < wanted.end {
            let Some(slot) = freed.pop().or_else(|| spare.pop()) else { break };
            self.append(&slot);
            slot.show(row(positions.end));
            shown.push_back(slot);
            positions.end += 1;
        }
        for slot in freed {
            slot.show(None);
            spare.push(slot);
        }
    }

    fn container_node(&self) -> Option<HtmlElement> {
        Some(self.container.try_get_untracked()??.unchecked_into())
    }

    fn append(&self, slot: &RowSlot) {
        self.insert(slot, None);
    }

    fn prepend(&self, slot: &RowSlot, first: Option<&RowSlot>) {
        self.insert(slot, first.and_then(RowSlot::node).as_ref());
    }

    /// Moves a slot's element. Without elements the viewer was removed meanwhile.
    fn insert(&self, slot: &RowSlot, before: Option<&Node>) {
        if let (Some(container), Some(node)) = (self.container_node(), slot.node())
            && let Err(error) = container.insert_before(&node, before)
        {
            leptos::logging::error!("a row cannot be moved: {error:?}");
        }
    }
}

impl Default for RowPool {
    fn default() -> Self {
        Self::new()
    }
}
