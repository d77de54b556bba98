//! The controller of a viewer: joins clients, model and state.
//!
//! Events of the clients go into the model at once, in the client's own callback. The state follows once a frame: the scheduler calls
//! [`LogController::render`], which lays out the lines, gives the row slots their contents and writes the model's snapshot into the
//! [`state`]. Commands of the components arrive in [`LogController::run`].
//!
//! | module | concept |
//! | --- | --- |
//! | [`state`] | the state that components read |
//! | [`rows`] | the pool of row slots |
//! | `rendering` | what happens in a frame |
//! | `running` | commands |
//! | `connecting` | clients |
//! | `loading` | earlier messages |
//! | `revealing` | a match that is out of view in its line |
//! | `scrolling` | scroll events, and who caused them |
//! | `selecting`, [`native_selection`] | the selection, and copying it |
//! | `opening` | files |
//! | `setting` | settings that change while the viewer runs |

use std::{
    cell::{Cell, OnceCell, RefCell},
    rc::{Rc, Weak},
};

use leptos::{html, prelude::*};
use reactive_stores::Store;
use web_sys::HtmlElement;

use crate::{
    browser::{
        client::{StartClient, ViewerClient},
        clock::{local_time, monotonic_ms},
        host::Host,
        scheduler::Scheduler,
        settings::Settings,
    },
    model::{
        composer::Composer, grouped_number::counted, line_store::StoreLimits, live_log::LiveLog,
        render_schedule::Urgency, scroll_intent::ScrollIntent,
    },
};

mod connecting;
mod loading;
pub mod native_selection;
mod opening;
pub mod rendering;
mod revealing;
pub mod rows;
mod running;
mod scrolling;
mod selecting;
mod setting;
pub mod state;

use self::{
    native_selection::{NativeSelection, SelectionScope},
    rows::RowPool,
    state::{ViewerState, ViewerStateStoreFields},
};

/// How long a toast is visible, in milliseconds.
const TOAST_MS: f64 = 6_000.0;
/// How long removed lines can be restored, in milliseconds: their memory is held meanwhile.
const UNDO_MS: f64 = 15_000.0;

/// Elements that the controller measures, scrolls or focuses.
#[derive(Clone, Copy, Default)]
pub struct ViewerElements {
    /// The root.
    pub root: NodeRef<html::Div>,
    /// The list, which scrolls.
    pub scroller: NodeRef<html::Div>,
    /// The element that contains the dialogs.
    pub dialogs: NodeRef<html::Div>,
    /// The search field.
    pub search_field: NodeRef<html::Input>,
    /// Text of known length, to measure a character by.
    pub ruler: NodeRef<html::Span>,
    /// An empty line's text, as wide as lines wrap.
    pub line_width: NodeRef<html::Span>,
}

/// Everything that a viewer needs to start.
pub struct ControllerSetup {
    /// The log, without lines.
    pub log: LiveLog,
    /// Limits of its lines.
    pub limits: StoreLimits,
    /// Settings.
    pub settings: Settings,
    /// The page around the viewer.
    pub host: Host,
    /// Starts the clients.
    pub start_client: StartClient,
}

/// See the [module](self). Everything that it started ends when it is dropped.
pub struct LogController {
    host: Host,
    settings: Settings,
    limits: StoreLimits,
    log: RefCell<LiveLog>,
    state: Store<ViewerState>,
    elements: ViewerElements,
    rows: RowPool,
    scroll: RefCell<ScrollIntent>,
    /// Whether the pointer, and not the user, holds the view: a mere click releases it.
    is_held_by_pointer: Cell<bool>,
    selection: NativeSelection,
    /// Whether the copy that was started keeps colours.
    copies_colours: Cell<bool>,
    /// Whether that copy has reached the clipboard.
    has_copied: Cell<bool>,
    /// A text to copy in place of the selection: a link, or a shell command.
    text_to_copy: RefCell<Option<String>>,
    scheduler: OnceCell<Scheduler>,
    start_client: StartClient,
    clients: RefCell<Vec<Option<Box<dyn ViewerClient>>>>,
    composer: RefCell<Composer>,
    has_connected: Cell<bool>,
    /// Fragment of the page's address, as last written or read.
    address: RefCell<String>,
    /// When it was last written.
    address_ms: Cell<f64>,
    /// Revision of the log that the rows show.
    rendered_revision: Cell<u64>,
    /// Count of renders in a row that had no time for all matches.
    match_retries: Cell<u32>,
    /// Whether the list must be measured before the next render.
    is_measure_due: Cell<bool>,
    /// When the timeline was last rendered.
    timeline_ms: Cell<f64>,
    /// Line before which all lines had their levels in it.
    timeline_levels: Cell<u64>,
    /// When the toast disappears.
    toast_until_ms: Cell<Option<f64>>,
    /// Until when the lines removed last can be restored.
    undo_until_ms: Cell<Option<f64>>,
}

impl LogController {
    /// Returns a controller that has started nothing. Its signals belong to the current owner.
    #[must_use]
    pub fn new(setup: ControllerSetup) -> Rc<Self> {
        let ControllerSetup { log, limits, settings, host, start_client } = setup;
        let state = Store::new(ViewerState::new(log.snapshot(0.0)));
        Rc::new(Self {
            host,
            settings,
            limits,
            state,
            log: RefCell::new(log),
            elements: ViewerElements::default(),
            rows: RowPool::new(),
            scroll: RefCell::default(),
            is_held_by_pointer: Cell::new(false),
            selection: NativeSelection::default(),
            copies_colours: Cell::new(false),
            has_copied: Cell::new(false),
            text_to_copy: RefCell::default(),
            scheduler: OnceCell::new(),
            start_client,
            clients: RefCell::default(),
            composer: RefCell::default(),
            has_connected: Cell::new(false),
            address: RefCell::default(),
            address_ms: Cell::new(f64::NEG_INFINITY),
            rendered_revision: Cell::new(0),
            match_retries: Cell::new(0),
            is_measure_due: Cell::new(false),
            timeline_ms: Cell::new(f64::NEG_INFINITY),
            timeline_levels: Cell::new(0),
            toast_until_ms: Cell::new(None),
            undo_until_ms: Cell::new(None),
        })
    }

    /// Applies the settings, connects, and renders from now on.
    pub fn start(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let render = Box::new(move || Self::render_if_alive(weak.clone()));
        let weak = Rc::downgrade(self);
        let search = Box::new(move || weak.upgrade().is_some_and(|controller| controller.search_slice()));
        let (window, document) = (self.host.window().clone(), self.host.document().clone());
        match Scheduler::new(window, document, render, search) {
            // Set once, here.
            Ok(scheduler) => drop(self.scheduler.set(scheduler)),
            Err(error) => leptos::logging::error!("the viewer cannot render: {error:?}"),
        }
        self.page_visibility_changed();
        self.apply_settings();
        self.show_first_view();
        self.connect();
        self.request_render();
    }

    /// The state that components read.
    #[must_use]
    pub fn state(&self) -> Store<ViewerState> {
        self.state
    }

    /// Elements that the components provide.
    #[must_use]
    pub fn elements(&self) -> ViewerElements {
        self.elements
    }

    /// The row slots.
    #[must_use]
    pub fn rows(&self) -> &RowPool {
        &self.rows
    }

    /// Takes whether the page is visible: the title of a hidden page counts new lines.
    pub fn page_visibility_changed(&self) {
        self.log.borrow_mut().set_page_hidden(self.host.document().hidden());
    }

    /// Shows a message that disappears after a while.
    pub fn show_toast(&self, message: String) {
        self.show_toast_for(message, TOAST_MS);
    }

    fn show_toast_for(&self, message: String, ms: f64) {
        state::update(self.state.toast(), message);
        self.toast_until_ms.set(Some(monotonic_ms() + ms));
        // The render sets the wake-up that removes it.
        self.request_render();
    }

    fn remove_toast(&self) {
        self.toast_until_ms.set(None);
        state::update(self.state.toast(), String::new());
    }

    /// Frees the lines removed last: they can no longer be restored.
    fn forget_cleared(&self) {
        self.undo_until_ms.set(None);
        self.log.borrow_mut().forget_cleared();
        state::update(self.state.can_undo_clear(), false);
    }

    /// Appends text to the log, as if it had been received in a message.
    pub fn append(&self, text: &str) {
        self.log.borrow_mut().append(text, local_time());
        self.request_render();
    }

    /// Removes all lines. The user can restore them for a while.
    pub fn clear(&self) {
        let lines = self.log.borrow_mut().clear();
        if lines > 0 {
            self.show_toast_for(format!("Cleared {}", counted(lines, "line", "lines")), UNDO_MS);
            self.undo_until_ms.set(Some(monotonic_ms() + UNDO_MS));
            state::update(self.state.can_undo_clear(), true);
        }
        self.request_render();
    }

    /// Restores the lines removed last.
    fn undo_clear(&self) {
        if !self.state.can_undo_clear().get_untracked() {
            return;
        }
        let is_restored = self.log.borrow_mut().undo_clear();
        self.forget_cleared();
        // The button that was pressed disappears.
        self.focus_log();
        if is_restored {
            self.remove_toast();
        } else {
            self.show_toast("The lines cannot be restored: too many were received since".to_owned());
        }
    }

    /// Requests a render in the next frame.
    fn request_render(&self) {
        self.request_render_with(Urgency::Immediate);
    }

    fn request_render_with(&self, urgency: Urgency) {
        if let Some(scheduler) = self.scheduler.get() {
            scheduler.request_render(urgency);
        }
    }

    /// Searches a slice. Returns whether to go on between frames: in a flood, one slice after each render, so that lines are received.
    fn search_slice(&self) -> bool {
        let log = &mut *self.log.borrow_mut();
        log.advance_search() && !log.viewport().is_flooded()
    }

    fn scroller(&self) -> Option<HtmlElement> {
        Some(self.elements.scroller.try_get_untracked()??.into())
    }

    /// Calls `act` with what a selection refers to, unless the viewer was removed meanwhile.
    fn with_selection<T>(
        &self,
        act: impl FnOnce(&NativeSelection, SelectionScope<'_>, &mut LiveLog) -> T,
    ) -> Option<T> {
        let scroller = self.scroller()?;
        let scope = SelectionScope { host: &self.host, scroller: &scroller, rows: &self.rows };
        Some(act(&self.selection, scope, &mut self.log.borrow_mut()))
    }

    /// Focuses the log.
    pub fn focus_log(&self) {
        if let Some(scroller) = self.scroller()
            && let Err(error) = scroller.focus()
        {
            leptos::logging::error!("the log cannot be focused: {error:?}");
        }
    }
}

/// Weak reference, for tasks and listeners that can outlive the viewer.
pub type WeakController = Weak<LogController>;
