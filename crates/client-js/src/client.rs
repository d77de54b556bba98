//! The class that JavaScript sees.

use std::rc::Rc;

use js_sys::{Error, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::{ClientOptions, Outgoing, web::WebClient};
use webpubsub_protocol::name::{EventName, GroupName};

use crate::{
    content,
    options::{self, JsClientOptions, JsSendOptions, JsStreamOptions, SendOptions},
    promises::broken,
    session::{NOT_STARTED, Session},
    url_source::UrlSource,
};

/// A client of one hub. Once started it runs until it is stopped, whether anybody holds it or not.
#[wasm_bindgen]
pub struct WebPubSubClient {
    source: UrlSource,
    options: ClientOptions,
    session: Rc<Session>,
}

#[wasm_bindgen]
impl WebPubSubClient {
    /// A client that will connect where `source` says: the address of a negotiate endpoint, which answers `{"url": …}` to a
    /// GET, and is asked anew for each new connection; an object with a method `getClientAccessUrl`, which is asked as often;
    /// or a client access URL (`wss://…`) itself.
    ///
    /// # Errors
    /// When it is none of these, a group's name breaks the rules, or there is no such protocol.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "string | ClientCredential")] source: &JsValue,
        options: Option<JsClientOptions>,
    ) -> Result<WebPubSubClient, JsValue> {
        let session = Rc::new(Session::new());
        let error = |words: String| Error::new(&words);
        let options = options::client_options(options.as_ref()).map_err(error)?;
        Ok(Self { source: UrlSource::read(source).map_err(error)?, options, session })
    }

    /// Connects, and keeps connected until stopped. The promise is kept with the first connection. It is broken by a
    /// stop before that, and by a failure that trying again does not mend, as a wrong address is: then the client stops.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn start(&self) -> Promise {
        self.session.start(&self.source, self.options.clone())
    }

    /// Closes the connection, and makes no other. The event `stopped` is the last; the client may then be started anew.
    pub fn stop(&self) {
        if let Some(client) = self.session.client() {
            client.stop();
        }
    }

    /// Joins a group, on this connection and on each one to come.
    #[wasm_bindgen(js_name = joinGroup, unchecked_return_type = "Promise<void>")]
    pub fn join_group(&self, #[wasm_bindgen(unchecked_param_type = "string")] group: &JsValue) -> Promise {
        self.group_request(group, WebClient::join_group)
    }

    /// Leaves a group, and does not join it on connections to come.
    #[wasm_bindgen(js_name = leaveGroup, unchecked_return_type = "Promise<void>")]
    pub fn leave_group(&self, #[wasm_bindgen(unchecked_param_type = "string")] group: &JsValue) -> Promise {
        self.group_request(group, WebClient::leave_group)
    }

    /// Publishes to a group. The promise is kept when the service has the message, however often the connection is lost
    /// meanwhile, and broken when the service refuses it.
    #[wasm_bindgen(js_name = sendToGroup, unchecked_return_type = "Promise<void>")]
    pub fn send_to_group(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] group: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] content: &JsValue,
        #[wasm_bindgen(js_name = dataType, unchecked_param_type = "DataType")] data_type: &JsValue,
        options: Option<JsSendOptions>,
    ) -> Promise {
        let outgoing = self
            .session
            .group(group)
            .and_then(|group| Ok(Outgoing::to_group(group, content::read(content, data_type)?)));
        self.send(outgoing, options.as_ref())
    }

    /// Raises an event at the application's server; see `sendToGroup`.
    #[wasm_bindgen(js_name = sendEvent, unchecked_return_type = "Promise<void>")]
    pub fn send_event(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] content: &JsValue,
        #[wasm_bindgen(js_name = dataType, unchecked_param_type = "DataType")] data_type: &JsValue,
        options: Option<JsSendOptions>,
    ) -> Promise {
        let outgoing =
            event_name(name).and_then(|name| Ok(Outgoing::event(name, content::read(content, data_type)?)));
        self.send(outgoing, options.as_ref())
    }

    /// Asks the application's server, and resolves with its answer.
    #[wasm_bindgen(js_name = invokeEvent, skip_typescript)]
    pub fn invoke_event(&self, name: &JsValue, content: &JsValue, data_type: &JsValue) -> Promise {
        let has_no_content = content.is_undefined() && data_type.is_undefined();
        let asked = event_name(name).and_then(|name| {
            let payload = (!has_no_content).then(|| content::read(content, data_type)).transpose()?;
            Ok((name, payload))
        });
        let (name, payload) = match asked {
            Ok(asked) => asked,
            Err(words) => return broken(&words),
        };
        match self.session.client().map(|client| client.invoke(&name, payload)) {
            Some(Ok(invocation)) => self.session.keep_invocation(invocation),
            Some(Err(refused)) => broken(&refused.to_string()),
            None => broken(NOT_STARTED),
        }
    }

    /// Opens a stream to a group, on the present connection. Resolves once the service takes it.
    #[wasm_bindgen(js_name = openGroupStream, unchecked_return_type = "Promise<GroupStreamWriter>")]
    pub fn open_group_stream(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] group: &JsValue,
        options: Option<JsStreamOptions>,
    ) -> Promise {
        let asked = self
            .session
            .group(group)
            .and_then(|group| Ok((group, options::stream_options(options.as_ref())?)));
        match (asked, self.session.client()) {
            (Err(words), _) => broken(&words),
            (Ok(_), None) => broken(NOT_STARTED),
            (Ok((group, options)), Some(client)) => self.session.streams().open(&client, &group, options),
        }
    }

    /// Calls `listener` with each event of this name.
    ///
    /// # Errors
    /// When it cannot be called.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, event: &JsValue, listener: &JsValue) -> Result<(), JsValue> {
        if !listener.is_function() {
            return Err(Error::new("a listener must be a function").into());
        }
        self.session.events().add(event, listener);
        Ok(())
    }

    /// Calls it no more.
    #[wasm_bindgen(skip_typescript)]
    pub fn off(&self, event: &JsValue, listener: &JsValue) {
        self.session.events().remove(event, listener);
    }

    fn group_request<E: std::fmt::Display>(
        &self,
        group: &JsValue,
        ask: impl FnOnce(&WebClient, &GroupName) -> Result<u64, E>,
    ) -> Promise {
        let group = match self.session.group(group) {
            Ok(group) => group,
            Err(words) => return broken(&words),
        };
        match self.session.client().map(|client| ask(&client, &group)) {
            Some(Ok(ack_id)) => self.session.keep(ack_id),
            Some(Err(refused)) => broken(&refused.to_string()),
            None => broken(NOT_STARTED),
        }
    }

    fn send(&self, outgoing: Result<Outgoing, String>, options: Option<&JsSendOptions>) -> Promise {
        let SendOptions { no_echo, fire_and_forget } = SendOptions::read(options);
        let outgoing = match outgoing {
            Ok(outgoing) if no_echo => outgoing.without_echo(),
            Ok(outgoing) => outgoing,
            Err(words) => return broken(&words),
        };
        self.session.send(outgoing, fire_and_forget)
    }
}

fn event_name(name: &JsValue) -> Result<EventName, String> {
    let name = name.as_string().ok_or("the name of an event must be a string")?;
    EventName::new(&name).map_err(|error| error.to_string())
}
