//! A viewer in a test's document, with the test in place of the clients; or one of its components alone.

use std::{cell::RefCell, ops::Deref, rc::Rc};

use leptos::prelude::*;
use web_sys::HtmlElement;
use webpubsub_client::{ClientEvent, HistoryAccess};
use webpubsub_protocol::{message::Metadata, name::GroupName, payload::Payload, subprotocol::Subprotocol};

use crate::{
    app::app::{App, Plan},
    browser::{
        client::{ClientReport, Renewal, ReportSink, StartClient, ViewerClient},
        host::Host,
        page_address::PageAddress,
        scheduler::PENDING,
        settings::{SettingValues, Settings},
    },
    controller::WeakController,
    model::line_store::StoreLimits,
};

mod component_stage;
mod events;
mod stage;

pub use self::{
    component_stage::{ComponentStage, row_of},
    events::{
        bubbling_event, enter_text, frames_until, is_open, key_event, next_event, next_frame, point_at,
        turn_wheel, value,
    },
    stage::{Mounted, Stage, document},
};

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

    fn renew_history(&self, _: &HistoryAccess) -> Renewal {
        Box::pin(std::future::ready(Err("this test has no history".to_owned())))
    }
}

thread_local! {
    /// The viewer mounted last. A test that panics does not remove its own, whose listeners would then handle the keys of the next.
    static LAST: RefCell<Option<(Owner, HtmlElement)>> = const { RefCell::new(None) };
}

/// A whole viewer. Removed when dropped. There is one at a time: they listen to the same document.
pub struct TestPage {
    sinks: Rc<RefCell<Vec<(usize, ReportSink)>>>,
    published: Rc<RefCell<Vec<String>>>,
    running: Rc<()>,
    controller: WeakController,
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
        let page = Self::mounted(href, limits);
        page.rendered().await;
        page
    }

    /// Returns the viewer of an address, which has rendered nothing yet.
    pub fn mounted(href: &str, limits: StoreLimits) -> Self {
        if let Some((owner, root)) = LAST.take() {
            owner.cleanup();
            root.remove();
        }
        forget_view();
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
        let controller = Rc::new(RefCell::new(WeakController::new()));
        let started = Rc::clone(&controller);
        let plan = Plan {
            address: PageAddress::read(&settings_of(href)).map_err(|error| error.to_string()),
            start_client,
            limits,
            settings: Settings::of_page(&window).unwrap(),
            host: Host::standalone().unwrap(),
            on_start: Box::new(move |controller| drop(started.replace(controller))),
        };
        let mounted = Mounted::new(stage.root(), move || view! { <App plan /> });
        LAST.set(Some((mounted.owner().clone(), stage.root().clone())));
        let controller = controller.take();
        Self { stage, sinks, published, running, controller, mounted: Some(mounted) }
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
        enter_text(&self.get(selector), text);
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
            history: None,
        });
        self.report(ClientEvent::Joined { group: GroupName::new("stream").unwrap() });
    }

    pub fn receive(&self, text: impl Into<String>) {
        let payload = Payload::Text(text.into().into());
        let (group, metadata) = ("stream".into(), Metadata::new());
        self.report(ClientEvent::GroupMessage {
            group,
            from_user_id: None,
            payload,
            metadata,
            stream: None,
            sequence_id: None,
        });
    }

    /// Number of clients started.
    pub fn clients(&self) -> usize {
        self.sinks.borrow().len()
    }

    /// Grows by one with each client that runs.
    pub fn running(&self) -> Rc<()> {
        Rc::clone(&self.running)
    }

    /// The controller, which the viewer owns.
    pub fn controller(&self) -> WeakController {
        self.controller.clone()
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

    /// Texts of the rows, in the order of the document.
    pub fn texts(&self) -> Vec<String> {
        self.texts_of(".row .text")
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
        let log = self.get("#log");
        turn_wheel(&log, px);
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

impl Deref for TestPage {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
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

/// Removes what the viewer has stored.
pub fn clear_storage() {
    web_sys::window().unwrap().local_storage().unwrap().unwrap().clear().unwrap();
}

/// The settings that an address requests.
fn settings_of(href: &str) -> Settings {
    let (_, query) = href.split_once('?').unwrap_or_default();
    Settings::new(SettingValues::from_query(query), href.to_owned())
}

/// Removes the view of the last test from the page's address, without an event.
fn forget_view() {
    let window = web_sys::window().unwrap();
    let path = window.location().pathname().unwrap();
    window.history().unwrap().replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&path)).unwrap();
}
