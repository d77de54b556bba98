//! Joins a client, the model and the view.
//!
//! Events go into the model in the client's own callback. The view and what surrounds it follow once per frame.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wasm_bindgen::JsValue;
use web_sys::{Document, Event, EventTarget, HtmlElement, Window};

use super::{
    client::{Client, StartClient},
    clipboard::Clipboard,
    clock::local_time,
    file_reading::FileReading,
    frame_gate::{FrameGate, Next},
    listener::Listener,
    log_view::LogView,
    screen::Screen,
    scroll_input::ScrollInput,
    size_watch::SizeWatch,
    surroundings::Surroundings,
    text_selection::TextSelection,
    timeline_strip::last_bar,
};
use crate::model::{
    composer::Composer,
    destination::{Destination, read_lines},
    grouped_number::counted,
    line_store::StoreLimits,
    live_log::LiveLog,
    timeline::outline,
};

mod commands;
mod connecting;
mod pressing;

use self::pressing::listen;

/// Countdowns show seconds.
const COUNTDOWN_MS: i32 = 1_000;

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
    surroundings: Surroundings,
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
    pub fn new(
        log: LiveLog,
        limits: StoreLimits,
        screen: Screen,
        start_client: StartClient,
        surroundings: Surroundings,
    ) -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let names: Vec<&str> = log.sources().iter().map(|source| source.name.as_str()).collect();
        let label =
            format!("Lines of {} {}", if names.len() == 1 { "group" } else { "groups" }, names.join(", "));
        let log = Rc::new(RefCell::new(log));
        let stage = Rc::new(RefCell::new(None));
        let painting = {
            let (surroundings, log, stage) = (surroundings.clone(), Rc::clone(&log), Rc::clone(&stage));
            move || paint(&surroundings, &mut log.borrow_mut(), stage.borrow_mut().as_mut(), screen)
        };
        let looking = {
            let log = Rc::clone(&log);
            move || {
                let mut log = log.borrow_mut();
                // In a flood one slice after each painting: it would hold up what pours in.
                log.look_on() && !log.viewport.is_flooded()
            }
        };
        let gate = Rc::new(FrameGate::new(painting, looking)?);
        log.borrow_mut().set_hidden(document.hidden());
        let visibility = Listener::passive(&document, "visibilitychange", {
            let (document, log) = (document.clone(), Rc::clone(&log));
            move |_: &Event| log.borrow_mut().set_hidden(document.hidden())
        });
        let around: &EventTarget = surroundings.events();
        let clipboard = Clipboard::new(&document, around, &log, move |words| screen.say(words));
        let files = FileReading::new(&log, limits.bytes, {
            let gate = Rc::downgrade(&gate);
            move || gate.upgrade().iter().for_each(|gate| gate.ask())
        });
        let mut listeners = Vec::from(files.listen(around));
        listeners.push(visibility);
        if surroundings.is_page() {
            listeners.push(Listener::passive(&window, "hashchange", {
                let (window, log, gate) = (window.clone(), Rc::clone(&log), Rc::clone(&gate));
                move |_: &Event| go_to_fragment(&window, &log, &gate, screen)
            }));
            go_to_fragment(&window, &log, &gate, screen);
        }
        Some(Self {
            window,
            document,
            surroundings,
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

    /// What surrounds the lines.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.screen
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
        let input =
            ScrollInput::new(&self.window, &self.surroundings, view.scroller(), &self.log, &self.gate);
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
        let selection = TextSelection::new(self.document.clone(), self.surroundings.clone());
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
fn paint(surroundings: &Surroundings, log: &mut LiveLog, stage: Option<&mut Stage>, screen: Screen) -> Next {
    let unix_ms = local_time().unix_ms;
    log.viewport.set_flooded(log.store.timeline().is_flood(unix_ms));
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
    log.speak(unix_ms);
    let now = log.on_screen(unix_ms);
    if screen.wants_bars(log.store.timeline().bars(), unix_ms) {
        draw_bars(log, screen);
    }
    surroundings.show_title(&now.title);
    screen.show(now);
    if is_moving || log.is_looking() {
        Next::Frame { is_urgent: is_moving || !log.viewport.is_flooded() }
    } else if log.is_counting_down(unix_ms) || log.has_to_speak() {
        Next::In { ms: COUNTDOWN_MS }
    } else {
        Next::Nothing
    }
}

/// Draws how many lines came when.
fn draw_bars(log: &LiveLog, screen: Screen) {
    let bars = log.store.timeline().bars();
    let outlines: Vec<String> =
        (0..bars.first().map_or(0, |bar| bar.len())).map(|kind| outline(bars, kind)).collect();
    if screen.read(|shown| shown.outlines != outlines) {
        screen.change(|shown| (shown.bars, shown.outlines) = (bars.len(), outlines));
        tell_brush(log, screen);
    }
}

/// Says when the bars chosen are, or the last one.
fn tell_brush(log: &LiveLog, screen: Screen) {
    let (from, to) = screen.read(|shown| {
        shown
            .brush
            .map_or((last_bar(shown), last_bar(shown)), |(start, end)| (start.min(end), start.max(end)))
    });
    let chosen = log.store.timeline().bars().iter().skip(from).take(to + 1 - from);
    let lines = chosen.flatten().map(|count| u64::from(*count)).sum::<u64>();
    let time = log.range_words((from, to), local_time().offset_minutes);
    screen.change(|shown| shown.brush_words = format!("{time}: {}", counted(lines, "line", "lines")));
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
