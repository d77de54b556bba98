//! Where a client connects.

use std::future::ready;

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use webpubsub_client::{
    ClientEvent, ClientOptions,
    negotiate::ServiceUrl,
    web::{WebClient, negotiate_by},
};

/// Where to learn the service's URL, as JavaScript says it.
pub enum Place {
    /// It is this.
    Service(ServiceUrl),
    /// A negotiate endpoint tells it.
    Endpoint(String),
    /// A function gives it.
    Function(Function),
}

impl Place {
    /// Reads a text, or an object whose member `getClientAccessUrl` is a function or a text.
    ///
    /// # Errors
    /// In words, when it is neither.
    pub fn read(given: &JsValue) -> Result<Self, String> {
        if let Some(url) = given.as_string() {
            let scheme = url.split("://").next().unwrap_or_default().to_ascii_lowercase();
            return if ["ws", "wss"].contains(&scheme.as_str()) {
                service(&url)
            } else {
                Ok(Self::Endpoint(url))
            };
        }
        let member = Reflect::get(given, &"getClientAccessUrl".into()).unwrap_or(JsValue::UNDEFINED);
        if let Some(url) = member.as_string() {
            return service(&url);
        }
        match member.dyn_into::<Function>() {
            // The official SDK gives it an object, too.
            Ok(function) => Ok(Self::Function(function.bind1(given, &Object::new()).unchecked_into())),
            Err(_) => Err(
                "give the address of a negotiate endpoint, a client access URL (wss://…), or an object with \
                           getClientAccessUrl()"
                    .to_owned(),
            ),
        }
    }

    /// Starts a client that connects there.
    pub fn start(&self, options: ClientOptions, on_event: impl FnMut(ClientEvent) + 'static) -> WebClient {
        match self {
            Self::Service(url) => {
                let url = url.clone();
                WebClient::start_with(options, move || Box::pin(ready(Ok(url.clone()))), on_event)
            }
            Self::Endpoint(url) => WebClient::start(options, url.clone(), on_event),
            Self::Function(function) => {
                WebClient::start_with(options, negotiate_by(function.clone()), on_event)
            }
        }
    }
}

fn service(url: &str) -> Result<Place, String> {
    ServiceUrl::given(url).map(Place::Service).map_err(|failure| failure.to_string())
}
