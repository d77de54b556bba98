//! A viewer in a test's document, with the test in place of the clients.

use std::{any::Any, cell::RefCell, rc::Rc};

use js_sys::Promise;
use leptos::{mount::mount_to, prelude::*};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, HtmlElement, KeyboardEvent, KeyboardEventInit, WheelEvent, WheelEventInit};
use webpubsub_client::ClientEvent;
use webpubsub_protocol::{message::Metadata, name::GroupName, payload::Payload, subprotocol::Subprotocol};

use crate::{
    app::app::{App, Plan},
    browser::{
        client::{ClientReport, ReportSink, StartClient, ViewerClient},
        host::Host,
        page_address::PageAddress,
        scheduler::PENDING,
        settings::{SettingValues, Settings},
    },
    model::line_store::StoreLimits,
};

/// Height of the viewer: the list gets what header and toolbar leave.
pub const PAGE_PX: u32 = 600;

/// A client that records what it is to publish, and takes at most three texts.
struct TestClient {
    _running: Option<Rc<()>>,
    published: Rc<RefCell<Vec<String>>>,
}

impl ViewerClient for TestClient {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        let mut published = self.published.borrow_mut();
        if published.len() >= 3 {
            return Err("the in-flight window is full".to_owned());
        }
        published.push(format!("{group}: {text}"));
        Ok(published.len() as u64)
    }
}

/// An element in the test's document with the style sheet, removed when dropped.
pub struct Stage {
    root: HtmlElement,
}

impl Stage {
    pub fn new() -> Self {
        let document = document();
        let root: HtmlElement = document.create_element("div").unwrap().unchecked_into();
        root.set_attribute("style", &format!("position: relative; height: {PAGE_PX}px")).unwrap();
        let style = document.create_element("style").unwrap();
        style.set_text_content(Some(include_str!("../assets/style.css")));
        root.append_child(&style).unwrap();
        document.body().unwrap().append_child(&root).unwrap();
        Self { root }
    }

    pub fn root(&self) -> &HtmlElement {
        &self.root
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.root.remove();
    }
}

/// A mounted view: unmounted and cleaned up when dropped.
pub struct Mounted {
    view: Option<Box<dyn Any>>,
    owner: Owner,
}

impl Mounted {
    /// Mounts a view under an owner of its own, as the element does.
    pub fn new<N: IntoView + 'static>(root: &HtmlElement, view: impl FnOnce() -> N + 'static) -> Self {
        let owner = Owner::default();
        let root = root.clone();
        let view = owner.with(|| mount_to(root, view));
        Self { view: Some(Box::new(view)), owner }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(self.view.take());
        self.owner.cleanup();
    }
}

/// A whole viewer. Removed when dropped.
pub struct TestPage {
    sinks: Rc<RefCell<Vec<(usize, ReportSink)>>>,
    published: Rc<RefCell<Vec<String>>>,
    running: Rc<()>,
    mounted: Option<Mounted>,
    stage: Stage,
}

impl TestPage {
    /// Returns a viewer of the group `stream`, rendered once.
    pub async fn new(limits: StoreLimits) -> Self {
        Self::at("http://127.0.0.1:8080/?id=ada", limits).await
    }

    /// Returns a connected viewer that has received and rendered these lines.
    pub async fn showing(lines: &str) -> Self {
        let page = Self::new(StoreLimits::default()).await;
        page.connect();
        page.receive(lines);
        page.rendered().await;
        page
    }

    /// Returns the viewer of an address, rendered once.
    pub async fn at(href: &str, limits: StoreLimits) -> Self {
        let stage = Stage::new();
        let sinks = Rc::new(RefCell::new(Vec::new()));
        let running = Rc::new(());
        let published = Rc::new(RefCell::new(Vec::new()));
        let start_client: StartClient = Rc::new({
            let (sinks, running) = (Rc::clone(&sinks), Rc::downgrade(&running));
            let published = Rc::clone(&published);
            move |connection, sink| {
                sinks.borrow_mut().push((connection, sink));
                Some(Box::new(TestClient { _running: running.upgrade(), published: Rc::clone(&published) }))
            }
        });
        let window = web_sys::window().unwrap();
        let (_, query) = href.split_once('?').unwrap_or_default();
        let requested = Settings::new(SettingValues::from_query(query), href.to_owned());
        let plan = Plan {
            address: PageAddress::read(&requested),
            start_client,
            limits,
            settings: Settings::of_page(&window).unwrap(),
            host: Host::standalone().unwrap(),
            on_start: Box::new(drop),
        };
        let mounted = Mounted::new(stage.root(), move || view! { <App plan /> });
        let page = Self { stage, sinks, published, running, mounted: Some(mounted) };
        page.rendered().await;
        page
    }

    /// Reports an event of the newest client.
    pub fn report(&self, event: ClientEvent) {
        let mut sinks = self.sinks.borrow_mut();
        (sinks.last_mut().unwrap().1)(ClientReport::Event(event));
    }

    /// Reports something of the newest client of a connection.
    pub fn report_of(&self, connection: usize, report: ClientReport) {
        let mut sinks = self.sinks.borrow_mut();
        let sink = sinks.iter_mut().rev().find(|(of, _)| *of == connection);
        (sink.unwrap().1)(report);
    }

    /// What the viewer published, as `group: text`.
    pub fn published(&self) -> Vec<String> {
        self.published.borrow().clone()
    }

    /// Types into a field, as a user does.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let field = self.get(selector);
        // Fields of all kinds have a value.
        js_sys::Reflect::set(&field, &"value".into(), &text.into()).unwrap();
        field.dispatch_event(&input_event()).unwrap();
        self.rendered().await;
    }

    /// Clicks, and waits until what follows is rendered.
    pub async fn click(&self, selector: &str) {
        self.get(selector).click();
        self.rendered().await;
    }

    pub fn connect(&self) {
        self.report(ClientEvent::Connecting);
        self.report(ClientEvent::Connected {
            connection_id: "c1".into(),
            user_id: Some("ada".into()),
            subprotocol: Subprotocol::ReliableJson,
        });
        self.report(ClientEvent::Joined { group: GroupName::new("stream").unwrap() });
    }

    pub fn receive(&self, text: impl Into<String>) {
        let payload = Payload::Text(text.into().into());
        let (group, metadata) = ("stream".into(), Metadata::new());
        self.report(ClientEvent::GroupMessage { group, from_user_id: None, payload, metadata, stream: None });
    }

    /// Number of clients started.
    pub fn clients(&self) -> usize {
        self.sinks.borrow().len()
    }

    /// Grows by one with each client that runs.
    pub fn running(&self) -> Rc<()> {
        Rc::clone(&self.running)
    }

    /// Waits until everything reported so far is in the document, and what follows from it as well.
    pub async fn rendered(&self) {
        /// A render may cause one or two more: a size, a scroll position.
        const MIN_FRAMES: usize = 3;
        /// A viewer that renders for ever is for the assertions to judge.
        const MAX_FRAMES: usize = 200;
        let mut frames = 0;
        while frames < MIN_FRAMES || (PENDING.get() > 0 && frames < MAX_FRAMES) {
            next_frame().await;
            frames += 1;
        }
    }

    pub fn find(&self, selector: &str) -> Option<HtmlElement> {
        self.stage.root().query_selector(selector).unwrap().map(Element::unchecked_into)
    }

    pub fn get(&self, selector: &str) -> HtmlElement {
        self.find(selector).unwrap_or_else(|| panic!("no element matches {selector}"))
    }

    pub fn attribute(&self, selector: &str, name: &str) -> String {
        self.get(selector).get_attribute(name).unwrap_or_default()
    }

    pub fn text(&self, selector: &str) -> String {
        self.get(selector).text_content().unwrap_or_default()
    }

    pub fn count(&self, selector: &str) -> u32 {
        self.stage.root().query_selector_all(selector).unwrap().length()
    }

    /// Texts of the rows, in the order of the document.
    pub fn texts(&self) -> Vec<String> {
        self.all(".row .text").iter().map(|text| text.text_content().unwrap_or_default()).collect()
    }

    /// All elements that match, in the order of the document.
    pub fn all(&self, selector: &str) -> Vec<HtmlElement> {
        let found = self.stage.root().query_selector_all(selector).unwrap();
        (0..found.length()).map(|at| found.get(at).unwrap().unchecked_into()).collect()
    }

    /// Text of the topmost row in view, and how many pixels its top is above the view's.
    pub fn top_row(&self) -> (String, i32) {
        let view_top = self.get("#log").get_bounding_client_rect().top();
        for row in self.all(".row") {
            let area = row.get_bounding_client_rect();
            if area.bottom() > view_top {
                let text = row.query_selector(".text").unwrap().unwrap().text_content().unwrap_or_default();
                return (text, (view_top - area.top()).round() as i32);
            }
        }
        panic!("no row is in view");
    }

    /// Whether the end of the log is in view.
    pub fn sees_end(&self) -> bool {
        let log = self.get("#log");
        log.scroll_top() + log.client_height() >= log.scroll_height() - 1
    }

    /// Turns the wheel, and scrolls as a browser would.
    pub async fn wheel(&self, px: i32) {
        let init = WheelEventInit::new();
        init.set_delta_y(f64::from(px));
        init.set_bubbles(true);
        let log = self.get("#log");
        log.dispatch_event(&WheelEvent::new_with_event_init_dict("wheel", &init).unwrap()).unwrap();
        log.set_scroll_top(log.scroll_top() + px);
        self.rendered().await;
    }

    /// Presses a key in the log: `n`, `Shift+End`, `Ctrl+A`.
    pub async fn press(&self, key: &str) {
        self.press_in("#log", key).await;
    }

    /// Presses a key in an element.
    pub async fn press_in(&self, selector: &str, name: &str) {
        self.get(selector).dispatch_event(&key_event(name)).unwrap();
        self.rendered().await;
    }
}

impl Drop for TestPage {
    fn drop(&mut self) {
        // Before its place in the document.
        drop(self.mounted.take());
    }
}

/// `line 1`, `line 2`, … as one message.
pub fn numbered(numbers: std::ops::RangeInclusive<u32>) -> String {
    numbers.map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n")
}

pub async fn next_frame() {
    let frame = Promise::new(&mut |resolve, _| {
        web_sys::window().unwrap().request_animation_frame(&resolve).unwrap();
    });
    JsFuture::from(frame).await.unwrap();
}

pub fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

/// Removes what the viewer has stored.
pub fn clear_storage() {
    web_sys::window().unwrap().local_storage().unwrap().unwrap().clear().unwrap();
}

/// The event of a field that was typed into.
pub fn input_event() -> web_sys::Event {
    let init = web_sys::EventInit::new();
    init.set_bubbles(true);
    web_sys::Event::new_with_event_init_dict("input", &init).unwrap()
}

/// The event of a key with its modifiers: `n`, `Shift+End`, `Ctrl+A`.
pub fn key_event(name: &str) -> KeyboardEvent {
    let mut key = name;
    let init = KeyboardEventInit::new();
    while let Some((modifier, rest)) = key.split_once('+').filter(|(_, rest)| !rest.is_empty()) {
        match modifier {
            "Ctrl" => init.set_ctrl_key(true),
            "Alt" => init.set_alt_key(true),
            _ => init.set_shift_key(true),
        }
        key = rest;
    }
    init.set_key(key);
    init.set_bubbles(true);
    init.set_cancelable(true);
    KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap()
}
