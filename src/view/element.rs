//! The viewer for a custom element: what `tailcast.js` calls. The element itself, its attributes and its events, is JavaScript.
//!
//! A setting is a name and a value, as in the page's address; the element's attributes become a query.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Function, Promise};
use leptos::prelude::*;
use wasm_bindgen::{JsError, JsValue, prelude::wasm_bindgen};
use web_sys::HtmlElement;
use webpubsub_client::{
    ClientEvent, ClientOptions,
    web::{WebClient, negotiate_by},
};
use webpubsub_protocol::{payload::Payload, subprotocol::Subprotocol};

use super::{
    app::{LiveLogPage, Plan},
    client::{StartClient, Told, client_of, clients_of},
    page_address::{Negotiation, PageAddress, without_groups},
    settings::Settings,
    shared_client::share,
    surroundings::{Surroundings, Witness},
    viewer::Viewer,
};
use crate::model::live_log::{ExportFormat, ExportScope};

/// Texts that were sent and not answered yet: their numbers, and how their promises are kept and broken. They are few, and
/// are answered in order.
type Waiting = Rc<RefCell<Vec<(u64, Function, Function)>>>;

/// A viewer in an element. Freed, it ends.
#[wasm_bindgen]
pub struct ElementViewer {
    viewer: Rc<RefCell<Option<Rc<Viewer>>>>,
    waiting: Waiting,
    _mounted: Box<dyn std::any::Any>,
}

#[wasm_bindgen]
impl ElementViewer {
    /// Shows in `place` what `query` asks for. Addresses are relative to `base`. `negotiate`, when there is one, is called
    /// in place of a negotiate endpoint, and gives a promise of the service's URL. `tell` is called with the name of what
    /// happened and up to three values; messages are told only while `wants_messages` gives true.
    ///
    /// # Errors
    /// When the browser makes no elements. What is wrong with the settings is told, and shown.
    #[wasm_bindgen(constructor)]
    pub fn new(
        place: HtmlElement,
        query: &str,
        base: String,
        negotiate: Option<Function>,
        wants_messages: Function,
        tell: Function,
    ) -> Result<ElementViewer, JsError> {
        let words = |error: JsValue| JsError::new(&String::from(js_sys::Object::from(error).to_string()));
        let settings = Settings::of_query(query, base).map_err(words)?;
        let address = PageAddress::read(&settings);
        let waiting = Waiting::default();
        let witness = witness(Rc::clone(&waiting), wants_messages, tell.clone());
        let surroundings = Surroundings::element(&place, witness)
            .ok_or_else(|| JsError::new("the element is in no document"))?;
        if let Err(words) = &address {
            call(&tell, "error", &[words]);
        }
        let start_client = match &address {
            Ok(address) => clients(address, negotiate),
            Err(_) => Rc::new(|_, _| None),
        };
        let limits = address.as_ref().map(|address| address.limits).unwrap_or_default();
        let viewer = Rc::<RefCell<Option<Rc<Viewer>>>>::default();
        let started = Rc::clone(&viewer);
        let on_start = Box::new(move |running: Rc<Viewer>| {
            started.replace(Some(running));
            call(&tell, "ready", &[]);
        });
        let plan = Plan { address, start_client, limits, settings, surroundings, on_start };
        let mounted = leptos::mount::mount_to(place, move || view! { <LiveLogPage plan /> });
        Ok(Self { viewer, waiting, _mounted: Box::new(mounted) })
    }

    /// Sets what may be set while the viewer runs. Whether there is such a thing.
    pub fn set(&self, name: &str, value: Option<String>) -> bool {
        self.with(|viewer| viewer.set(name, value.as_deref())).unwrap_or(false)
    }

    /// The element has another place in its document. Browsers forget how far its lines were scrolled.
    pub fn moved(&self) {
        self.with(|viewer| viewer.page().moved());
    }

    /// Says something to the reader, for a while.
    pub fn say(&self, words: String) {
        self.with(|viewer| viewer.page().screen().say(words));
    }

    /// Puts text into the log, as if it had come in a message.
    pub fn append(&self, text: &str) {
        self.with(|viewer| viewer.page().append(text));
    }

    /// Takes all lines away.
    pub fn clear(&self) {
        self.with(|viewer| viewer.page().clear());
    }

    /// Has the browser keep lines as a file: those shown or all held, as JSON lines or text.
    pub fn download(&self, is_all: bool, is_json: bool) {
        let scope = if is_all { ExportScope::Held } else { ExportScope::Shown };
        let format = if is_json { ExportFormat::JsonLines } else { ExportFormat::Text };
        self.with(|viewer| viewer.page().save(scope, format));
    }

    /// Sends a text to the first group. The promise is kept once the service has it.
    pub fn send(&self, text: &str) -> Promise {
        let mut ends = None;
        let promise = Promise::new(&mut |keep, break_it| ends = Some((keep, break_it)));
        let Some((keep, break_it)) = ends else { return promise };
        let outcome = self.with(|viewer| viewer.page().publish(0, text));
        match outcome.unwrap_or_else(|| Err("the viewer does not run".to_owned())) {
            Ok(number) => {
                self.waiting.borrow_mut().push((number, keep, break_it));
            }
            Err(words) => settle(&break_it, Some(&words)),
        }
        promise
    }

    fn with<T>(&self, act: impl FnOnce(&Viewer) -> T) -> Option<T> {
        let viewer = self.viewer.borrow().clone();
        viewer.map(|viewer| act(&viewer))
    }
}

impl Drop for ElementViewer {
    fn drop(&mut self) {
        for (_, _, break_it) in self.waiting.take() {
            settle(&break_it, Some("the element is gone; the line may have been sent or not"));
        }
    }
}

/// What an element speaks where nothing else is said. The page around it is told of each message, and the binary form tells
/// neither who sent it nor that its data is JSON.
const ELEMENT_SUBPROTOCOL: Subprotocol = Subprotocol::ReliableJson;

/// How an element's clients are started: negotiated by a function, or else one for all elements with one address.
fn clients(address: &PageAddress, negotiate: Option<Function>) -> StartClient {
    let subprotocol = address.subprotocol.unwrap_or(ELEMENT_SUBPROTOCOL);
    let alone = clients_of(&PageAddress { subprotocol: Some(subprotocol), ..address.clone() });
    let negotiations = address.negotiations.clone();
    Rc::new(move |connection, sink| {
        let negotiation: &Negotiation = negotiations.get(connection)?;
        if let Some(negotiate) = &negotiate {
            let options = ClientOptions::new().prefer(subprotocol);
            let options = negotiation.groups.iter().cloned().fold(options, ClientOptions::join);
            let ask = negotiate_by(negotiate.clone());
            return Some(client_of(sink, |on_event| WebClient::start_with(options, ask, on_event)));
        }
        if negotiation.is_direct() {
            return alone(connection, sink);
        }
        let url = without_groups(&negotiation.url);
        Some(share(&url, subprotocol, negotiation.groups.clone(), sink))
    })
}

/// Tells the element's page what clients tell.
fn witness(waiting: Waiting, wants_messages: Function, tell: Function) -> Witness {
    Rc::new(move |connection, told| match told {
        Told::Event(event) => tell_event(event, &wants_messages, &tell),
        // Texts are sent to the first group, and that is on the first connection; numbers of others are other lines'.
        Told::Settled(number, outcome) if connection == 0 => {
            let at = waiting.borrow().iter().position(|(waiting, ..)| waiting == number);
            if let Some(at) = at {
                let (_, keep, break_it) = waiting.borrow_mut().remove(at);
                match outcome {
                    Ok(()) => settle(&keep, None),
                    Err(words) => settle(&break_it, Some(words)),
                }
            }
        }
        Told::Settled(..) => {}
    })
}

fn tell_event(event: &ClientEvent, wants_messages: &Function, tell: &Function) {
    match event {
        ClientEvent::Connected { connection_id, user_id, .. } => {
            call(tell, "connected", &[connection_id, user_id.as_deref().unwrap_or_default()]);
        }
        ClientEvent::Disconnected { reason } => call(tell, "disconnected", &[&reason.to_string()]),
        ClientEvent::Gap { messages } => {
            call(tell, "gap", &[&messages.map_or_else(String::new, |count| count.to_string())]);
        }
        ClientEvent::ConnectFailed { failure } => call(tell, "error", &[&failure.to_string()]),
        ClientEvent::JoinRefused { group, error } => {
            call(tell, "error", &[&format!("not allowed to join group `{group}`: {}", error.message)]);
        }
        ClientEvent::GroupMessage { group, from_user_id, payload, .. } => {
            tell_message(payload, group, from_user_id.as_deref(), wants_messages, tell);
        }
        ClientEvent::ServerMessage { payload, .. } => tell_message(payload, "", None, wants_messages, tell),
        _ => {}
    }
}

fn tell_message(
    payload: &Payload<'_>,
    group: &str,
    from: Option<&str>,
    wants_messages: &Function,
    tell: &Function,
) {
    if !wants_messages.call0(&JsValue::NULL).is_ok_and(|wants| wants.is_truthy()) {
        return;
    }
    match payload {
        Payload::Text(text) => call(tell, "message", &[group, from.unwrap_or_default(), text]),
        Payload::Json(json) => call(tell, "json", &[group, from.unwrap_or_default(), json]),
        Payload::Binary(bytes) | Payload::Protobuf(bytes) => {
            let arguments =
                js_sys::Array::of3(&group.into(), &from.into(), &js_sys::Uint8Array::from(&**bytes));
            arguments.unshift(&"binary".into());
            tell.apply(&JsValue::NULL, &arguments).map(drop).unwrap_or_default();
        }
    }
}

/// Calls a function of the page; what that throws is the page's own affair.
fn call(tell: &Function, name: &str, values: &[&str]) {
    let arguments: js_sys::Array = values.iter().map(|value| JsValue::from_str(value)).collect();
    arguments.unshift(&name.into());
    tell.apply(&JsValue::NULL, &arguments).map(drop).unwrap_or_default();
}

/// Keeps a promise, or breaks it in words.
fn settle(end: &Function, words: Option<&str>) {
    let value = words.map_or(JsValue::UNDEFINED, |words| js_sys::Error::new(words).into());
    end.call1(&JsValue::NULL, &value).map(drop).unwrap_or_default();
}
