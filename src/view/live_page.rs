//! Joins a client, the model and the view.
//!
//! Events go into the model in the client's own callback. The view and the signals follow once per frame.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    rc::Rc,
};

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, HtmlElement, Window};
use webpubsub_client::ClientEvent;
use webpubsub_protocol::name::GroupName;

use super::{
    clock::local_time,
    download::save_lines,
    find_bar::FindChange,
    frame_gate::{FrameGate, Next},
    listener::Listener,
    log_view::LogView,
    scroll_input::ScrollInput,
    size_watch::SizeWatch,
};
use crate::model::{
    finding::FindState,
    line_store::{LineCounts, StoreLimits},
    live_log::{LiveLog, OnScreen},
    status::{Status, StatusLine},
};

/// Takes the events of a client.
pub type EventSink = Box<dyn FnMut(ClientEvent)>;
/// Starts a client that tells the sink; it runs until what is returned is dropped.
pub type StartClient = Rc<dyn Fn(EventSink) -> Box<dyn Any>>;
type Both<T> = (ReadSignal<T>, WriteSignal<T>);

/// Countdowns show seconds.
const COUNTDOWN_MS: i32 = 1_000;
/// Set when lines are received for the first time.
const CONNECTED_MARK: &str = "tailcast-connected";

/// What surrounds the lines, as signals: set once per frame, and only when changed.
#[derive(Clone, Copy)]
pub struct Screen {
    /// The connection, in words.
    pub status: Both<StatusLine>,
    /// How many lines.
    pub counts: Both<LineCounts>,
    /// Lines that came since the reader left the end.
    pub new_lines: Both<Option<u64>>,
    /// Whether there is no line to show.
    pub is_empty: Both<bool>,
    /// The search.
    pub find: Both<FindState>,
    /// The document's title, as last written.
    title: StoredValue<String>,
}

impl Screen {
    /// What surrounds a log of `group` at first.
    #[must_use]
    pub fn new(group: GroupName) -> Self {
        Self {
            status: signal(Status::new(group).line(0.0)),
            counts: signal(LineCounts::default()),
            new_lines: signal(None),
            is_empty: signal(true),
            find: signal(FindState::default()),
            title: StoredValue::default(),
        }
    }

    fn show(&self, document: &Document, now: OnScreen) {
        if self.title.with_value(|title| *title != now.title) {
            document.set_title(&now.title);
            self.title.set_value(now.title);
        }
        show_one(self.status, now.status);
        show_one(self.counts, now.counts);
        show_one(self.new_lines, now.new_lines);
        show_one(self.is_empty, now.is_empty);
        show_one(self.find, now.find);
    }
}

fn show_one<T: PartialEq + Send + Sync + 'static>((shown, show): Both<T>, now: T) {
    if shown.with_untracked(|shown| *shown != now) {
        show.set(now);
    }
}

/// The list and what listens to it: there once the page's elements are.
struct Stage {
    view: LogView,
    input: ScrollInput,
    _size: SizeWatch,
    _fold: Listener,
}

/// See the [module](self). Everything it started ends when it is dropped.
pub struct LivePage {
    window: Window,
    document: Document,
    label: String,
    log: Rc<RefCell<LiveLog>>,
    stage: Rc<RefCell<Option<Stage>>>,
    gate: Rc<FrameGate>,
    start_client: StartClient,
    client: RefCell<Option<Box<dyn Any>>>,
    is_wrapping: Cell<bool>,
    has_connected: Rc<Cell<bool>>,
    _visibility: Listener,
}

impl LivePage {
    /// A page without client and elements. `None` where there is no window.
    pub fn new(
        group: GroupName,
        limits: StoreLimits,
        screen: Screen,
        start_client: StartClient,
    ) -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let label = format!("Lines of group {group}");
        let log = Rc::new(RefCell::new(LiveLog::new(group, limits)));
        let stage = Rc::new(RefCell::new(None));
        let gate = Rc::new(FrameGate::new({
            let (document, log, stage) = (document.clone(), Rc::clone(&log), Rc::clone(&stage));
            move || paint(&document, &mut log.borrow_mut(), stage.borrow_mut().as_mut(), screen)
        })?);
        log.borrow_mut().set_hidden(document.hidden());
        let visibility = Listener::passive(&document, "visibilitychange", {
            let (document, log) = (document.clone(), Rc::clone(&log));
            move |_: &Event| log.borrow_mut().set_hidden(document.hidden())
        });
        Some(Self {
            window,
            document,
            label,
            log,
            stage,
            gate,
            start_client,
            client: RefCell::new(None),
            is_wrapping: Cell::new(false),
            has_connected: Rc::default(),
            _visibility: visibility,
        })
    }

    /// Starts the client, in place of the one before.
    pub fn connect(&self) {
        drop(self.client.take());
        let (log, gate) = (Rc::clone(&self.log), Rc::clone(&self.gate));
        let (window, has_connected) = (self.window.clone(), Rc::clone(&self.has_connected));
        let client = (self.start_client)(Box::new(move |event| {
            log.borrow_mut().handle(&event, local_time());
            if matches!(event, ClientEvent::Joined { .. }) && !has_connected.replace(true) {
                mark_connected(&window);
            }
            gate.ask();
        }));
        self.client.replace(Some(client));
    }

    /// Puts the list into `parent`.
    pub fn show_in(&self, parent: &HtmlElement) {
        match self.stage_in(parent) {
            Ok(stage) => {
                self.stage.replace(Some(stage));
                self.gate.ask();
            }
            Err(error) => leptos::logging::error!("the list cannot be shown: {error:?}"),
        }
    }

    fn stage_in(&self, parent: &HtmlElement) -> Result<Stage, JsValue> {
        let view = LogView::new(self.document.clone(), parent, &self.label)?;
        view.set_wrapping(self.is_wrapping.get(), &mut self.log.borrow_mut())?;
        let input = ScrollInput::new(&self.window, &self.document, view.scroller(), &self.log, &self.gate);
        let size = SizeWatch::new(view.scroller(), {
            let (log, stage, gate) =
                (Rc::clone(&self.log), Rc::downgrade(&self.stage), Rc::clone(&self.gate));
            move || {
                if let Some(stage) = stage.upgrade()
                    && let Some(stage) = stage.borrow().as_ref()
                {
                    report(stage.view.measure(&mut log.borrow_mut()));
                    gate.ask();
                }
            }
        })?;
        let fold = Listener::passive(view.scroller(), "click", {
            let (log, gate) = (Rc::clone(&self.log), Rc::clone(&self.gate));
            move |event: &Event| {
                if let Some(id) = line_to_fold(event) {
                    log.borrow_mut().toggle_open(id);
                    gate.ask();
                }
            }
        });
        Ok(Stage { view, input, _size: size, _fold: fold })
    }

    /// Opens the line that is looked at, or closes it.
    pub fn toggle_open(&self) {
        let mut log = self.log.borrow_mut();
        if let Some(id) = log.line_to_open() {
            log.toggle_open(id);
        }
        self.gate.ask();
    }

    /// Shows these fields of JSON lines as columns.
    pub fn set_columns(&self, names: &str) {
        self.log.borrow_mut().set_columns(names);
        self.gate.ask();
    }

    /// Wraps long lines, or does not.
    pub fn set_wrapping(&self, is_wrapping: bool) {
        self.is_wrapping.set(is_wrapping);
        if let Some(stage) = self.stage.borrow().as_ref() {
            report(stage.view.set_wrapping(is_wrapping, &mut self.log.borrow_mut()));
        }
        self.gate.ask();
    }

    /// Rows tell when their line came, or its number.
    pub fn set_shows_time(&self, shows_time: bool) {
        self.log.borrow_mut().set_shows_time(shows_time);
        self.gate.ask();
    }

    /// Holds the view where it is, or follows the end again.
    pub fn pause_or_follow(&self) {
        let is_following = self.log.borrow().viewport.is_following();
        if is_following {
            self.log.borrow_mut().viewport.leave_end();
            self.gate.ask();
        } else {
            self.follow();
        }
    }

    /// Gives the lines shown to the browser, to be kept as a file.
    pub fn save(&self) {
        if let Err(error) = save_lines(&self.document, &self.log.borrow()) {
            leptos::logging::error!("the lines cannot be saved: {error:?}");
        }
    }

    /// Changes what is looked for, or what is shown.
    pub fn find(&self, change: FindChange) {
        self.log.borrow_mut().find(|finding| change.apply(finding));
        self.gate.ask();
    }

    /// Goes to the next line with a hit, or to the one before.
    pub fn step(&self, is_forward: bool) {
        self.log.borrow_mut().step(is_forward);
        self.gate.ask();
    }

    /// Goes to the end and stays there.
    pub fn follow(&self) {
        self.log.borrow_mut().viewport.follow();
        if let Some(stage) = self.stage.borrow().as_ref() {
            // The button that was pressed is about to go. Fails only for elements that take no focus.
            stage.view.scroller().focus().unwrap_or_default();
        }
        self.gate.ask();
    }
}

impl Drop for LivePage {
    fn drop(&mut self) {
        // The list's listeners hold the gate, whose painting holds the list: cut that circle.
        drop(self.stage.take());
    }
}

/// Shows the log as it is now.
fn paint(document: &Document, log: &mut LiveLog, stage: Option<&mut Stage>, screen: Screen) -> Next {
    let mut is_moving = false;
    if let Some(stage) = stage {
        let at_rest = stage.input.is_at_rest();
        report(stage.view.paint(log, at_rest));
        is_moving = log.viewport.is_lagging();
    }
    let now = log.on_screen(local_time().unix_ms);
    screen.show(document, now);
    if is_moving || log.is_looking() {
        Next::Frame
    } else if log.is_counting_down() {
        Next::In { ms: COUNTDOWN_MS }
    } else {
        Next::Nothing
    }
}

/// The line whose fold was pressed.
fn line_to_fold(event: &Event) -> Option<u64> {
    let pressed: Element = event.target()?.dyn_into().ok()?;
    let fold = pressed.closest(".fold").ok()??;
    fold.parent_element()?.get_attribute("data-line-id")?.parse().ok()
}

/// A browser that refuses to make elements leaves nothing to show the error with.
fn report(outcome: Result<(), JsValue>) {
    if let Err(error) = outcome {
        leptos::logging::error!("the list cannot be painted: {error:?}");
    }
}

fn mark_connected(window: &Window) {
    if let Some(performance) = window.performance() {
        // Fails only for names that the browser keeps for itself.
        performance.mark(CONNECTED_MARK).unwrap_or_default();
    }
}
