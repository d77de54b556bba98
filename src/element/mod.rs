//! The viewer of the custom element `<tail-cast>`, as `tailcast.js` calls it. Attributes, methods and events of the element are
//! JavaScript; settings and details of events cross over by serde.

use std::{any::Any, cell::RefCell, rc::Rc};

use js_sys::{Function, Promise};
use leptos::{mount::mount_to, prelude::*};
use serde::Deserialize;
use wasm_bindgen::{JsError, JsValue, prelude::wasm_bindgen};
use web_sys::HtmlElement;
use webpubsub_client::{ServiceEndpoint, Subprotocol};

use crate::{
    app::app::{App, Plan},
    browser::{
        client::{ClientReport, StartClient, clients_of, start_client},
        host::{Host, ReportObserver},
        page_address::{NegotiateTarget, PageAddress, without_groups},
        settings::{SettingValues, Settings},
        shared_client::share,
    },
    controller::{LogController, WeakController},
    model::export::{ExportFormat, ExportScope},
};

mod events;

use self::events::ElementEvents;

/// Texts that were published and not acknowledged yet: their numbers, and how their promises are resolved and rejected. They are few,
/// and acknowledged in order.
type Unacknowledged = Rc<RefCell<Vec<(u64, Function, Function)>>>;

/// Options of a viewer, as `tailcast.js` passes them.
#[derive(Deserialize)]
struct ElementOptions {
    /// Settings by the names of the page's address.
    settings: SettingValues,
    /// Address against which relative addresses are resolved.
    base: String,
}

/// A viewer in an element. Ends when it is freed.
#[wasm_bindgen]
pub struct ElementViewer {
    controller: Rc<RefCell<Option<WeakController>>>,
    unacknowledged: Unacknowledged,
    /// Unmounted before its owner is cleaned up: no effect runs on signals that are gone.
    mounted: Option<Box<dyn Any>>,
    owner: Owner,
}

#[wasm_bindgen]
impl ElementViewer {
    /// Mounts a viewer in `place`. `options` are the settings and the base address. `negotiate`, if given, is called in place of a
    /// negotiate endpoint and returns a promise of the service's URL. `emit` is called with the name of an event and its detail;
    /// messages are emitted only while `wants_messages` returns true.
    ///
    /// # Errors
    /// An error when options are no options, or the browser makes no elements. Unusable settings are emitted and shown.
    #[wasm_bindgen(constructor)]
    pub fn new(
        place: HtmlElement,
        options: JsValue,
        negotiate: Option<Function>,
        wants_messages: Function,
        emit: Function,
    ) -> Result<ElementViewer, JsError> {
        let options: ElementOptions =
            serde_wasm_bindgen::from_value(options).map_err(|error| JsError::new(&error.to_string()))?;
        let settings = Settings::new(options.settings, options.base);
        let address = PageAddress::read(&settings).map_err(|error| error.to_string());
        let unacknowledged = Unacknowledged::default();
        let events = ElementEvents::new(emit, wants_messages);
        let host = Host::embedded(&place, observer(Rc::clone(&unacknowledged), events.clone()))
            .ok_or_else(|| JsError::new("the element is in no document"))?;
        if let Err(reason) = &address {
            events.error(reason);
        }
        let start_client = match &address {
            Ok(address) => start_clients(address, negotiate),
            Err(_) => Rc::new(|_, _| None),
        };
        let limits = address.as_ref().map(|address| address.limits).unwrap_or_default();
        let controller = Rc::<RefCell<Option<WeakController>>>::default();
        let started = Rc::clone(&controller);
        let on_start = Box::new(move |running: WeakController| {
            started.replace(Some(running));
            events.ready();
        });
        let plan = Plan { address, start_client, limits, settings, host, on_start };
        // No child of whatever owner is current: an element that a handler of another viewer inserts would end with that one.
        let owner = Owner::default();
        let mounted = owner.with(|| mount_to(place, move || view! { <App plan /> }));
        Ok(Self { controller, unacknowledged, mounted: Some(Box::new(mounted)), owner })
    }

    /// Sets a setting that may change while the viewer runs. Returns whether there is one of this name.
    pub fn set(&self, name: &str, value: Option<String>) -> bool {
        self.with(|controller| controller.set(name, value.as_deref())).unwrap_or(false)
    }

    /// Restores the scroll position after the element has moved in its document: browsers forget it.
    pub fn moved(&self) {
        self.with(|controller| controller.moved());
    }

    /// Shows a message that disappears after a while.
    #[wasm_bindgen(js_name = showToast)]
    pub fn show_toast(&self, message: String) {
        self.with(|controller| controller.show_toast(message));
    }

    /// Appends text to the log, as if it had been received in a message.
    pub fn append(&self, text: &str) {
        self.with(|controller| controller.append(text));
    }

    /// Removes all lines.
    pub fn clear(&self) {
        self.with(|controller| controller.clear());
    }

    /// Downloads lines as a file: the visible ones or all, as JSON lines or as text.
    pub fn download(&self, is_all: bool, is_json: bool) {
        let scope = if is_all { ExportScope::Held } else { ExportScope::Visible };
        let format = if is_json { ExportFormat::JsonLines } else { ExportFormat::Text };
        self.with(|controller| controller.download(scope, format));
    }

    /// Publishes a text to the first group. The promise is resolved when the service has acknowledged it.
    pub fn send(&self, text: &str) -> Promise {
        let mut ends = None;
        let promise = Promise::new(&mut |resolve, reject| ends = Some((resolve, reject)));
        let Some((resolve, reject)) = ends else { return promise };
        let outcome = self.with(|controller| controller.publish(0, text));
        match outcome.unwrap_or_else(|| Err("the viewer is not running".to_owned())) {
            Ok(number) => self.unacknowledged.borrow_mut().push((number, resolve, reject)),
            Err(reason) => settle(&reject, Some(&reason)),
        }
        promise
    }

    fn with<T>(&self, act: impl FnOnce(&Rc<LogController>) -> T) -> Option<T> {
        let controller = self.controller.borrow().as_ref().and_then(WeakController::upgrade);
        controller.as_ref().map(act)
    }
}

impl Drop for ElementViewer {
    fn drop(&mut self) {
        drop(self.mounted.take());
        // Handlers and effects hold the owner: dropping it alone would clean up nothing.
        self.owner.cleanup();
        for (_, _, reject) in self.unacknowledged.take() {
            settle(&reject, Some("the element was removed; the line may have been delivered or not"));
        }
    }
}

/// Subprotocol of an element. The host page receives each message with its sender and data type, which only the JSON form contains.
const ELEMENT_SUBPROTOCOL: Subprotocol = Subprotocol::ReliableJson;

/// Returns the function that starts an element's clients: negotiated by a function, or else shared by all elements of one endpoint.
fn start_clients(address: &PageAddress, negotiate: Option<Function>) -> StartClient {
    let subprotocol = address.subprotocol.unwrap_or(ELEMENT_SUBPROTOCOL);
    let unshared = clients_of(&PageAddress { subprotocol: Some(subprotocol), ..address.clone() });
    let targets = address.targets.clone();
    Rc::new(move |connection, sink| {
        let target: &NegotiateTarget = targets.get(connection)?;
        if let Some(negotiate) = &negotiate {
            let endpoint = ServiceEndpoint::from_js_function(negotiate.clone());
            return Some(start_client(endpoint, subprotocol, &target.groups, sink));
        }
        if target.is_direct() {
            return unshared(connection, sink);
        }
        let url = without_groups(&target.url);
        Some(share(&url, subprotocol, target.groups.clone(), sink))
    })
}

/// Returns the observer that emits what clients report, and settles the promises of published texts.
fn observer(unacknowledged: Unacknowledged, events: ElementEvents) -> ReportObserver {
    Rc::new(move |connection, report| match report {
        ClientReport::Event(event) => events.emit(event),
        // Texts are published to the first group, on the first connection. Other numbers are lines of the composer.
        ClientReport::Settled(number, outcome) if connection == 0 => {
            let at = unacknowledged.borrow().iter().position(|(other, ..)| other == number);
            if let Some(at) = at {
                let (_, resolve, reject) = unacknowledged.borrow_mut().remove(at);
                match outcome {
                    Ok(()) => settle(&resolve, None),
                    Err(reason) => settle(&reject, Some(reason)),
                }
            }
        }
        ClientReport::Settled(..) => {}
    })
}

/// Resolves a promise, or rejects it with an `Error`.
fn settle(end: &Function, reason: Option<&str>) {
    let value = reason.map_or(JsValue::UNDEFINED, |reason| js_sys::Error::new(reason).into());
    if let Err(error) = end.call1(&JsValue::NULL, &value) {
        leptos::logging::error!("a promise cannot be settled: {error:?}");
    }
}
