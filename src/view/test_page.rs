//! A page in a test's document, whose client is the test.

use std::{any::Any, cell::RefCell, rc::Rc};

use js_sys::Promise;
use leptos::{mount::mount_to, prelude::*};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, HtmlElement, KeyboardEvent, KeyboardEventInit, WheelEvent, WheelEventInit};
use webpubsub_client::ClientEvent;
use webpubsub_protocol::{message::Metadata, name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::{
    app::{LiveLogPage, Plan},
    client::{Client, Sink, StartClient, Told},
    frame_gate::WAITING,
    page_address::PageAddress,
    settings::Settings,
    surroundings::Surroundings,
};
use crate::model::line_store::StoreLimits;

/// Height of the whole page: the list gets what the header leaves.
pub const PAGE_PX: u32 = 600;

/// A client that only notes what it is to publish, and takes three texts at most.
struct TestClient {
    _running: Option<Rc<()>>,
    published: Rc<RefCell<Vec<String>>>,
}

impl Client for TestClient {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        let mut published = self.published.borrow_mut();
        if published.len() >= 3 {
            return Err("as many as may be".to_owned());
        }
        published.push(format!("{group}: {text}"));
        Ok(published.len() as u64)
    }
}

/// Gone from the document when dropped.
pub struct TestPage {
    root: HtmlElement,
    sinks: Rc<RefCell<Vec<(usize, Sink)>>>,
    published: Rc<RefCell<Vec<String>>>,
    running: Rc<()>,
    unmount: Option<Box<dyn Any>>,
}

impl TestPage {
    /// A page of the group `stream`, painted once.
    pub async fn new(limits: StoreLimits) -> Self {
        Self::at("http://127.0.0.1:8080/?id=ada", limits).await
    }

    /// A connected page that has got and painted these lines.
    pub async fn showing(lines: &str) -> Self {
        let page = Self::new(StoreLimits::default()).await;
        page.connect();
        page.receive(lines);
        page.painted().await;
        page
    }

    /// The page that this address asks for, painted once.
    pub async fn at(href: &str, limits: StoreLimits) -> Self {
        let document = document();
        let root: HtmlElement = document.create_element("div").unwrap().unchecked_into();
        let frame = format!("position: relative; height: {PAGE_PX}px");
        root.set_attribute("style", &frame).unwrap();
        let style = document.create_element("style").unwrap();
        style.set_text_content(Some(include_str!("../../assets/style.css")));
        root.append_child(&style).unwrap();
        document.body().unwrap().append_child(&root).unwrap();

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
        let asked = Settings::of_query(query, href.to_owned()).unwrap();
        let plan = Plan {
            address: PageAddress::read(&asked),
            start_client,
            limits,
            settings: Settings::of_page(&window).unwrap(),
            surroundings: Surroundings::page().unwrap(),
            on_start: Box::new(drop),
        };
        let unmount = mount_to(root.clone(), move || view! { <LiveLogPage plan /> });
        let page = Self { root, sinks, published, running, unmount: Some(Box::new(unmount)) };
        page.painted().await;
        page
    }

    /// Tells the page's newest client's events.
    pub fn tell(&self, event: ClientEvent) {
        let mut sinks = self.sinks.borrow_mut();
        (sinks.last_mut().unwrap().1)(Told::Event(event));
    }

    /// Tells what the newest client of a connection has to tell.
    pub fn tell_of(&self, connection: usize, told: Told) {
        let mut sinks = self.sinks.borrow_mut();
        let sink = sinks.iter_mut().rev().find(|(of, _)| *of == connection);
        (sink.unwrap().1)(told);
    }

    /// What the page published, as `group: text`.
    pub fn published(&self) -> Vec<String> {
        self.published.borrow().clone()
    }

    /// Types into a field, as a reader does.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let field: web_sys::HtmlInputElement = self.get(selector).unchecked_into();
        field.set_value(text);
        field.dispatch_event(&typed()).unwrap();
        self.painted().await;
    }

    pub fn connect(&self) {
        self.tell(ClientEvent::Connecting);
        self.tell(ClientEvent::Connected {
            connection_id: "c1".into(),
            user_id: Some("ada".into()),
            subprotocol: Subprotocol::ReliableJson,
        });
        self.tell(ClientEvent::Joined { group: GroupName::new("stream").unwrap() });
    }

    pub fn receive(&self, text: impl Into<String>) {
        let payload = Payload::Text(text.into().into());
        let (group, metadata) = ("stream".into(), Metadata::new());
        self.tell(ClientEvent::GroupMessage { group, from_user_id: None, payload, metadata, stream: None });
    }

    /// How many clients were started.
    pub fn clients(&self) -> usize {
        self.sinks.borrow().len()
    }

    /// Grows by one with each client that runs.
    pub fn running(&self) -> Rc<()> {
        Rc::clone(&self.running)
    }

    /// Waits until everything told so far is in the document, and what that causes as well.
    /// Waits until all is painted that there is to paint.
    pub async fn painted(&self) {
        /// What a painting causes (a size, a scroll position) asks for one or two more.
        const AT_LEAST: usize = 3;
        /// A page that goes on for ever is for the assertions to judge.
        const AT_MOST: usize = 200;
        let mut frames = 0;
        while frames < AT_LEAST || (WAITING.get() > 0 && frames < AT_MOST) {
            next_frame().await;
            frames += 1;
        }
    }

    pub fn find(&self, selector: &str) -> Option<HtmlElement> {
        self.root.query_selector(selector).unwrap().map(Element::unchecked_into)
    }

    pub fn get(&self, selector: &str) -> HtmlElement {
        self.find(selector).unwrap_or_else(|| panic!("there is no {selector}"))
    }

    pub fn attribute(&self, selector: &str, name: &str) -> String {
        self.get(selector).get_attribute(name).unwrap_or_default()
    }

    pub fn text(&self, selector: &str) -> String {
        self.get(selector).text_content().unwrap_or_default()
    }

    pub fn count(&self, selector: &str) -> u32 {
        self.root.query_selector_all(selector).unwrap().length()
    }

    /// Texts of the rows, in the order of the document.
    pub fn texts(&self) -> Vec<String> {
        let rows = self.root.query_selector_all(".row .text").unwrap();
        (0..rows.length()).map(|at| rows.get(at).unwrap().text_content().unwrap_or_default()).collect()
    }

    /// All elements that `selector` finds, in the order of the document.
    pub fn all(&self, selector: &str) -> Vec<HtmlElement> {
        let found = self.root.query_selector_all(selector).unwrap();
        (0..found.length()).map(|at| found.get(at).unwrap().unchecked_into()).collect()
    }

    /// The text of the topmost row that is in view, and how many pixels its top is above the view's.
    pub fn top_row(&self) -> (String, i32) {
        let view_top = self.get("#log").get_bounding_client_rect().top();
        let rows = self.root.query_selector_all(".row").unwrap();
        for at in 0..rows.length() {
            let row: Element = rows.get(at).unwrap().unchecked_into();
            let place = row.get_bounding_client_rect();
            if place.bottom() > view_top {
                let text = row.query_selector(".text").unwrap().unwrap().text_content().unwrap_or_default();
                return (text, (view_top - place.top()).round() as i32);
            }
        }
        panic!("no row is in view");
    }

    /// Whether the last row's lower end is in view.
    pub fn sees_end(&self) -> bool {
        let log = self.get("#log");
        log.scroll_top() + log.client_height() >= log.scroll_height() - 1
    }

    /// Turns the wheel and scrolls as a browser would.
    pub async fn wheel(&self, px: i32) {
        let turned = WheelEventInit::new();
        turned.set_delta_y(f64::from(px));
        turned.set_bubbles(true);
        let log = self.get("#log");
        log.dispatch_event(&WheelEvent::new_with_event_init_dict("wheel", &turned).unwrap()).unwrap();
        log.set_scroll_top(log.scroll_top() + px);
        self.painted().await;
    }

    /// Presses a key in the list: `n`, `Shift+End`, `Ctrl+A`.
    pub async fn press(&self, key: &str) {
        self.press_in("#log", key).await;
    }

    /// Presses a key in some element.
    pub async fn press_in(&self, selector: &str, name: &str) {
        let mut key = name;
        let pressed = KeyboardEventInit::new();
        while let Some((held, rest)) = key.split_once('+').filter(|(_, rest)| !rest.is_empty()) {
            match held {
                "Ctrl" => pressed.set_ctrl_key(true),
                "Alt" => pressed.set_alt_key(true),
                _ => pressed.set_shift_key(true),
            }
            key = rest;
        }
        pressed.set_key(key);
        pressed.set_bubbles(true);
        let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &pressed).unwrap();
        self.get(selector).dispatch_event(&event).unwrap();
        self.painted().await;
    }
}

impl Drop for TestPage {
    fn drop(&mut self) {
        self.unmount.take();
        self.root.remove();
    }
}

/// `1`, `2`, … joined to one message.
pub fn numbered(numbers: std::ops::RangeInclusive<u32>) -> String {
    numbers.map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n")
}

pub async fn next_frame() {
    let frame = Promise::new(&mut |resolve, _| {
        web_sys::window().unwrap().request_animation_frame(&resolve).unwrap();
    });
    JsFuture::from(frame).await.unwrap();
}

fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

/// What a browser tells of a field that was typed into.
pub fn typed() -> web_sys::Event {
    let said = web_sys::EventInit::new();
    said.set_bubbles(true);
    web_sys::Event::new_with_event_init_dict("input", &said).unwrap()
}
