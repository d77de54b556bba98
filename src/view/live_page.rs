//! Joins a client, the model and the view.
//!
//! Events go into the model in the client's own callback. The view and the signals follow once per frame.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::{Document, Event, HtmlElement, Window};

use super::{
    client::{Client, StartClient},
    clipboard::Clipboard,
    clock::local_time,
    file_reading::FileReading,
    frame_gate::{FrameGate, Next},
    listener::Listener,
    log_view::LogView,
    scroll_input::ScrollInput,
    size_watch::SizeWatch,
    text_selection::TextSelection,
};
use crate::model::{
    composer::Composer,
    destination::{Destination, read_lines},
    finding::FindState,
    line_store::{LineCounts, StoreLimits},
    live_log::{LiveLog, OnScreen},
    source::SourceLine,
    status::StatusLine,
    timeline::Bar,
};

mod commands;
mod connecting;
mod pressing;

use self::pressing::listen;

type Both<T> = (ReadSignal<T>, WriteSignal<T>);

/// Countdowns show seconds.
const COUNTDOWN_MS: i32 = 1_000;
/// How long the page's answer to something stands.
const SAID_FOR: Duration = Duration::from_secs(6);
/// Pause between drawings of the timeline's bars.
const BARS_PAUSE_MS: f64 = 500.0;

/// What surrounds the lines, as signals: set once per frame, and only when changed.
#[derive(Clone, Copy)]
pub struct Screen {
    /// The connection, in words.
    pub status: Both<StatusLine>,
    /// The sources.
    pub sources: Both<Vec<SourceLine>>,
    /// What became of what the reader sent, in words.
    pub sent: Both<String>,
    /// When lines came.
    pub bars: Both<Vec<Bar>>,
    /// Lines that came in the last second.
    pub rate: Both<u32>,
    /// The time of which lines are shown, in words.
    pub range: Both<Option<String>>,
    /// How many lines.
    pub counts: Both<LineCounts>,
    /// Lines that came since the reader left the end.
    pub new_lines: Both<Option<u64>>,
    /// Whether there is no line to show.
    pub is_empty: Both<bool>,
    /// The search.
    pub find: Both<FindState>,
    /// Lines that the selection touches.
    pub selected_lines: Both<u64>,
    /// The page's answer to what the reader did last; empty after a while.
    pub said: Both<String>,
    /// What a screen reader is to read out.
    pub speech: Both<String>,
    /// When the bars were drawn.
    bars_drawn_ms: StoredValue<f64>,
    /// The document's title, as last written.
    title: StoredValue<String>,
}

impl Screen {
    /// What surrounds a log at first.
    #[must_use]
    pub fn new(now: OnScreen) -> Self {
        Self {
            status: signal(now.status),
            sources: signal(now.sources),
            sent: signal(String::new()),
            bars: signal(Vec::new()),
            rate: signal(0),
            range: signal(None),
            bars_drawn_ms: StoredValue::new(0.0),
            counts: signal(LineCounts::default()),
            new_lines: signal(None),
            is_empty: signal(true),
            find: signal(FindState::default()),
            selected_lines: signal(0),
            said: signal(String::new()),
            speech: signal(String::new()),
            title: StoredValue::default(),
        }
    }

    fn show(&self, document: &Document, now: OnScreen) {
        if self.title.with_value(|title| *title != now.title) {
            document.set_title(&now.title);
            self.title.set_value(now.title);
        }
        show_one(self.status, now.status);
        show_one(self.sources, now.sources);
        show_one(self.rate, now.rate);
        show_one(self.range, now.range);
        show_one(self.counts, now.counts);
        show_one(self.new_lines, now.new_lines);
        show_one(self.is_empty, now.is_empty);
        show_one(self.find, now.find);
        show_one(self.selected_lines, now.selected_lines);
        show_one(self.speech, now.speech);
    }

    /// Draws the bars, now and then: nobody sees them grow by the frame.
    fn show_bars(&self, bars: &[Bar], unix_ms: f64) {
        let since_ms = (unix_ms - self.bars_drawn_ms.get_value()).abs();
        let (shown, show) = self.bars;
        if since_ms >= BARS_PAUSE_MS && shown.with_untracked(|shown| shown != bars) {
            self.bars_drawn_ms.set_value(unix_ms);
            show.set(bars.to_vec());
        }
    }

    /// Answers the reader, for a while.
    pub fn say(&self, words: String) {
        let (said, say) = self.said;
        say.set(words.clone());
        set_timeout(
            move || {
                // The page may be gone by then.
                if said.try_with_untracked(|said| *said == words) == Some(true) {
                    say.set(String::new());
                }
            },
            SAID_FOR,
        );
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
    selection: TextSelection,
    _size: SizeWatch,
    _listeners: [Listener; 3],
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
    clients: RefCell<Vec<Option<Box<dyn Client>>>>,
    composer: Rc<RefCell<Composer>>,
    is_wrapping: Cell<bool>,
    has_connected: Rc<Cell<bool>>,
    screen: Screen,
    clipboard: Clipboard,
    files: FileReading,
    _listeners: Vec<Listener>,
}

impl LivePage {
    /// A page without client and elements. `None` where there is no window.
    pub fn new(log: LiveLog, limits: StoreLimits, screen: Screen, start_client: StartClient) -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let names: Vec<&str> = log.sources().iter().map(|source| source.name.as_str()).collect();
        let label =
            format!("Lines of {} {}", if names.len() == 1 { "group" } else { "groups" }, names.join(", "));
        let log = Rc::new(RefCell::new(log));
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
        let clipboard = Clipboard::new(&document, &log, move |words| screen.say(words));
        let files = FileReading::new(&log, limits.bytes, {
            let gate = Rc::downgrade(&gate);
            move || gate.upgrade().iter().for_each(|gate| gate.ask())
        });
        let mut listeners = Vec::from(files.listen(&document));
        listeners.push(visibility);
        listeners.push(Listener::passive(&window, "hashchange", {
            let (window, log, gate) = (window.clone(), Rc::clone(&log), Rc::clone(&gate));
            move |_: &Event| go_to_fragment(&window, &log, &gate, screen)
        }));
        go_to_fragment(&window, &log, &gate, screen);
        Some(Self {
            window,
            document,
            label,
            log,
            stage,
            gate,
            start_client,
            clients: RefCell::default(),
            composer: Rc::default(),
            is_wrapping: Cell::new(false),
            has_connected: Rc::default(),
            screen,
            clipboard,
            files,
            _listeners: listeners,
        })
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
        let selection = TextSelection::new(self.document.clone());
        let listeners = listen(self, view.scroller());
        Ok(Stage { view, input, selection, _size: size, _listeners: listeners })
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
        let is_held = stage.input.holds_text();
        stage.selection.read(&stage.view, log, is_held);
        report(stage.view.paint(log, at_rest));
        if is_held {
            // The rows on the pointer's side may be others now.
            stage.selection.read(&stage.view, log, is_held);
        }
        stage.selection.show(&stage.view, log);
        is_moving = log.viewport.is_lagging();
    }
    let unix_ms = local_time().unix_ms;
    log.speak(unix_ms);
    let now = log.on_screen(unix_ms);
    screen.show_bars(log.store.timeline().bars(), unix_ms);
    screen.show(document, now);
    if is_moving || log.is_looking() {
        Next::Frame
    } else if log.is_counting_down(unix_ms) || log.has_to_speak() {
        Next::In { ms: COUNTDOWN_MS }
    } else {
        Next::Nothing
    }
}

/// Goes to the lines that the page's address names.
fn go_to_fragment(window: &Window, log: &RefCell<LiveLog>, gate: &FrameGate, screen: Screen) {
    let fragment = window.location().hash().unwrap_or_default();
    if let Some(lines) = read_lines(&fragment) {
        let said = log.borrow_mut().go_to_destination(Destination::Lines(lines));
        said.into_iter().for_each(|words| screen.say(words));
        gate.ask();
    }
}

/// A browser that refuses to make elements leaves nothing to show the error with.
fn report(outcome: Result<(), JsValue>) {
    if let Err(error) = outcome {
        leptos::logging::error!("the list cannot be painted: {error:?}");
    }
}
