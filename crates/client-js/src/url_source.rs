//! Sources of client access URLs.

use std::future::ready;

use js_sys::{Function, Object};
use serde::Deserialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::{JsCast, JsValue};
use webpubsub_client::{
    ClientEvent, ClientOptions,
    negotiate::ServiceUrl,
    web::{WebClient, negotiate_by},
};

use crate::properties;

/// Source of the client access URL of each new connection.
pub enum UrlSource {
    /// A URL that all connections share.
    Fixed(ServiceUrl),
    /// The address of a negotiate endpoint.
    Endpoint(String),
    /// A function that returns a URL or a promise of one.
    Function(Function),
}

/// An object that provides client access URLs, as in the official SDK.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Credential {
    #[serde(deserialize_with = "preserve::deserialize")]
    get_client_access_url: JsValue,
}

impl UrlSource {
    /// Reads a string, or an object whose `getClientAccessUrl` is a function or a string.
    ///
    /// # Errors
    /// A sentence that names what is accepted.
    pub fn read(given: &JsValue) -> Result<Self, String> {
        if let Some(url) = given.as_string() {
            let scheme = url.split("://").next().unwrap_or_default().to_ascii_lowercase();
            return if ["ws", "wss"].contains(&scheme.as_str()) {
                fixed(&url)
            } else {
                Ok(Self::Endpoint(url))
            };
        }
        let Credential { get_client_access_url } = properties::read(given)?;
        if let Some(url) = get_client_access_url.as_string() {
            return fixed(&url);
        }
        match get_client_access_url.dyn_into::<Function>() {
            // The official SDK passes an object, too.
            Ok(function) => Ok(Self::Function(function.bind1(given, &Object::new()).unchecked_into())),
            Err(_) => Err(
                "give the address of a negotiate endpoint, a client access URL (wss://…), or an object with \
                           getClientAccessUrl()"
                    .to_owned(),
            ),
        }
    }

    /// Starts a client that gets its URLs from this source.
    pub fn start(&self, options: ClientOptions, on_event: impl FnMut(ClientEvent) + 'static) -> WebClient {
        match self {
            Self::Fixed(url) => {
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

fn fixed(url: &str) -> Result<UrlSource, String> {
    ServiceUrl::given(url).map(UrlSource::Fixed).map_err(|failure| failure.to_string())
}
