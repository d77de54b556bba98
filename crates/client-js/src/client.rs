//! The class `WebPubSubClient`.

use std::rc::Rc;

use js_sys::{Error, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::{ClientOptions, Outgoing, web::WebClient};
use webpubsub_protocol::name::{EventName, GroupName};

use crate::{
    client_session::{ClientSession, NOT_STARTED},
    content,
    options::{self, JsClientOptions, JsSendOptions, JsStreamOptions, SendOptions},
    promises::rejected,
    url_source::UrlSource,
};

/// A client of one hub. A started client runs until it is stopped, even if nothing references it.
#[wasm_bindgen]
pub struct WebPubSubClient {
    source: UrlSource,
    options: ClientOptions,
    session: Rc<ClientSession>,
}

#[wasm_bindgen]
impl WebPubSubClient {
    /// Creates a client. `source` provides the client access URL: the address of a negotiate endpoint, which answers
    /// `{"url": …}` to a GET and is requested for each new connection; an object with a method `getClientAccessUrl`, which
    /// is called for each new connection; or the URL (`wss://…`) itself.
    ///
    /// # Errors
    /// If `source` is none of these, the name of a group is invalid, or the protocol is unknown.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "string | ClientCredential")] source: &JsValue,
        options: Option<JsClientOptions>,
    ) -> Result<WebPubSubClient, JsValue> {
        let session = Rc::new(ClientSession::new());
        let error = |message: String| Error::new(&message);
        let options = options::client_options(options.as_ref()).map_err(error)?;
        Ok(Self { source: UrlSource::read(source).map_err(error)?, options, session })
    }

    /// Connects, and reconnects until stopped. The promise resolves with the first connection. It rejects if the client
    /// is stopped before, or if connecting fails for a reason that a retry does not change, such as a wrong address: then
    /// the client stops.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn start(&self) -> Promise {
        self.session.start(&self.source, self.options.clone())
    }

    /// Closes the connection and does not reconnect. The last event is `stopped`; then the client may be started again.
    pub fn stop(&self) {
        if let Some(client) = self.session.client() {
            client.stop();
        }
    }

    /// Joins a group, on this connection and on all later ones.
    #[wasm_bindgen(js_name = joinGroup, unchecked_return_type = "Promise<void>")]
    pub fn join_group(&self, #[wasm_bindgen(unchecked_param_type = "string")] group: &JsValue) -> Promise {
        self.group_request(group, WebClient::join_group)
    }

    /// Leaves a group, and does not join it on later connections.
    #[wasm_bindgen(js_name = leaveGroup, unchecked_return_type = "Promise<void>")]
    pub fn leave_group(&self, #[wasm_bindgen(unchecked_param_type = "string")] group: &JsValue) -> Promise {
        self.group_request(group, WebClient::leave_group)
    }

    /// Publishes to a group. The promise resolves when the service acknowledges the message, however often the connection
    /// is lost until then, and rejects if the service refuses it.
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

    /// Sends an event to the application's server; see `sendToGroup`.
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

    /// Invokes an event of the application's server, and resolves with the answer.
    #[wasm_bindgen(js_name = invokeEvent, skip_typescript)]
    pub fn invoke_event(&self, name: &JsValue, content: &JsValue, data_type: &JsValue) -> Promise {
        let has_no_content = content.is_undefined() && data_type.is_undefined();
        let arguments = event_name(name).and_then(|name| {
            let payload = (!has_no_content).then(|| content::read(content, data_type)).transpose()?;
            Ok((name, payload))
        });
        let (name, payload) = match arguments {
            Ok(arguments) => arguments,
            Err(message) => return rejected(&message),
        };
        match self.session.client().map(|client| client.invoke(&name, payload)) {
            Some(Ok(invocation)) => self.session.invocation_promise(invocation),
            Some(Err(refused)) => rejected(&refused.to_string()),
            None => rejected(NOT_STARTED),
        }
    }

    /// Opens a stream to a group, on the current connection. Resolves when the service accepts it.
    #[wasm_bindgen(js_name = openGroupStream, unchecked_return_type = "Promise<GroupStreamWriter>")]
    pub fn open_group_stream(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] group: &JsValue,
        options: Option<JsStreamOptions>,
    ) -> Promise {
        let arguments = self
            .session
            .group(group)
            .and_then(|group| Ok((group, options::stream_options(options.as_ref())?)));
        match (arguments, self.session.client()) {
            (Err(message), _) => rejected(&message),
            (Ok(_), None) => rejected(NOT_STARTED),
            (Ok((group, options)), Some(client)) => self.session.streams().open(&client, &group, options),
        }
    }

    /// Adds a listener for the events of this name.
    ///
    /// # Errors
    /// If it is no function.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, event: &JsValue, listener: &JsValue) -> Result<(), JsValue> {
        if !listener.is_function() {
            return Err(Error::new("a listener must be a function").into());
        }
        self.session.events().add(event, listener);
        Ok(())
    }

    /// Removes a listener.
    #[wasm_bindgen(skip_typescript)]
    pub fn off(&self, event: &JsValue, listener: &JsValue) {
        self.session.events().remove(event, listener);
    }

    fn group_request<E: std::fmt::Display>(
        &self,
        group: &JsValue,
        request: impl FnOnce(&WebClient, &GroupName) -> Result<u64, E>,
    ) -> Promise {
        let group = match self.session.group(group) {
            Ok(group) => group,
            Err(message) => return rejected(&message),
        };
        match self.session.client().map(|client| request(&client, &group)) {
            Some(Ok(ack_id)) => self.session.ack_promise(ack_id),
            Some(Err(refused)) => rejected(&refused.to_string()),
            None => rejected(NOT_STARTED),
        }
    }

    fn send(&self, outgoing: Result<Outgoing, String>, options: Option<&JsSendOptions>) -> Promise {
        let SendOptions { no_echo, fire_and_forget } = SendOptions::read(options);
        let outgoing = match outgoing {
            Ok(outgoing) if no_echo => outgoing.without_echo(),
            Ok(outgoing) => outgoing,
            Err(message) => return rejected(&message),
        };
        self.session.send(outgoing, fire_and_forget)
    }
}

fn event_name(name: &JsValue) -> Result<EventName, String> {
    let name = name.as_string().ok_or("the name of an event must be a string")?;
    EventName::new(&name).map_err(|error| error.to_string())
}
