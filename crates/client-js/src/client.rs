//! The class `WebPubSubClient`.

use std::rc::Rc;

use js_sys::{Error, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::{ClientOptions, GroupRefused, Outgoing, web::WebClient};
use webpubsub_protocol::name::{EventName, GroupName};

use crate::{
    client_session::ClientSession,
    content,
    options::{self, JsClientOptions, JsSendOptions, JsStreamOptions, SendOptions},
    promises::Promises,
    rejection::{ErrorClass, Rejection},
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
    /// `create_error` is the function that creates an error from the reason of a rejection.
    ///
    /// # Errors
    /// If `source` is none of these, the name of a group is invalid, or the protocol is unknown.
    #[wasm_bindgen(constructor)]
    pub fn new(
        source: &JsValue,
        options: Option<JsClientOptions>,
        create_error: &JsValue,
    ) -> Result<WebPubSubClient, JsValue> {
        let (given, session_options) =
            options::client_options(options.as_ref()).map_err(|message| invalid(&message, create_error))?;
        let source = UrlSource::read(source).map_err(|message| invalid(&message, create_error))?;
        let session = Rc::new(ClientSession::new(session_options, create_error));
        Ok(Self { source, options: given, session })
    }

    /// Connects, and reconnects until stopped. The promise resolves with the first connection. It rejects if the client
    /// is stopped before, or if connecting fails for a reason that a retry does not change, such as a wrong address: then
    /// the client stops.
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
    #[wasm_bindgen(js_name = joinGroup)]
    pub fn join_group(&self, group: &JsValue) -> Promise {
        self.group_request(group, |client, group| {
            client.join_group(group).inspect(|ack_id| self.session.expect_join(*ack_id, group.clone()))
        })
    }

    /// Leaves a group, and does not join it on later connections.
    #[wasm_bindgen(js_name = leaveGroup)]
    pub fn leave_group(&self, group: &JsValue) -> Promise {
        self.group_request(group, WebClient::leave_group)
    }

    /// Rejects the promise of a request, which is not sent (again). A request that was sent already may be carried out.
    pub fn withdraw(&self, promise: &JsValue, rejection: &JsValue) {
        self.session.withdraw(promise, rejection);
    }

    /// Rejects the promise of an invocation, and cancels it.
    #[wasm_bindgen(js_name = withdrawInvocation)]
    pub fn withdraw_invocation(&self, promise: &JsValue, rejection: &JsValue) {
        self.session.withdraw_invocation(promise, rejection);
    }

    /// Publishes to a group. The promise resolves when the service acknowledges the message, however often the connection
    /// is lost until then, and rejects if the service refuses it.
    #[wasm_bindgen(js_name = sendToGroup)]
    pub fn send_to_group(
        &self,
        group: &JsValue,
        content: &JsValue,
        data_type: &JsValue,
        options: Option<JsSendOptions>,
    ) -> Promise {
        let outgoing = self
            .session
            .group(group)
            .and_then(|group| Ok(Outgoing::to_group(group, content::read(content, data_type)?)));
        self.send(outgoing, options.as_ref())
    }

    /// Sends an event to the application's server; see `sendToGroup`.
    #[wasm_bindgen(js_name = sendEvent)]
    pub fn send_event(
        &self,
        name: &JsValue,
        content: &JsValue,
        data_type: &JsValue,
        options: Option<JsSendOptions>,
    ) -> Promise {
        let outgoing =
            event_name(name).and_then(|name| Ok(Outgoing::event(name, content::read(content, data_type)?)));
        self.send(outgoing, options.as_ref())
    }

    /// Invokes an event of the application's server, and resolves with the answer.
    #[wasm_bindgen(js_name = invokeEvent)]
    pub fn invoke_event(&self, name: &JsValue, content: &JsValue, data_type: &JsValue) -> Promise {
        let has_no_content = content.is_undefined() && data_type.is_undefined();
        let arguments = event_name(name).and_then(|name| {
            let payload = (!has_no_content).then(|| content::read(content, data_type)).transpose()?;
            Ok((name, payload))
        });
        let (name, payload) = match arguments {
            Ok(arguments) => arguments,
            Err(message) => return self.session.rejected(&invocation_argument(message)),
        };
        match self.session.client().map(|client| client.invoke(&name, payload)) {
            Some(Ok(invocation)) => self.session.invocation_promise(invocation),
            Some(Err(refused)) => {
                self.session.rejected(&Rejection::not_begun(refused, ErrorClass::Invocation))
            }
            None => self.session.rejected(&Rejection::not_started().of_class(ErrorClass::Invocation)),
        }
    }

    /// Opens a stream to a group, on the current connection. Resolves when the service accepts it.
    #[wasm_bindgen(js_name = openGroupStream)]
    pub fn open_group_stream(&self, group: &JsValue, options: Option<JsStreamOptions>) -> Promise {
        let arguments = self
            .session
            .group(group)
            .and_then(|group| Ok((group, options::stream_options(options.as_ref())?)));
        match (arguments, self.session.client()) {
            (Err(message), _) => self.session.rejected(&Rejection::argument(message)),
            (Ok(_), None) => self.session.rejected(&Rejection::not_started()),
            (Ok((group, options)), Some(client)) => self.session.streams().open(&client, &group, options),
        }
    }

    /// Adds a listener for the events of this name.
    ///
    /// # Errors
    /// If it is no function.
    pub fn on(&self, event: &JsValue, listener: &JsValue) -> Result<(), JsValue> {
        if !listener.is_function() {
            return Err(Error::new("a listener must be a function").into());
        }
        self.session.events().add(event, listener);
        Ok(())
    }

    /// Removes a listener.
    pub fn off(&self, event: &JsValue, listener: &JsValue) {
        self.session.events().remove(event, listener);
    }

    fn group_request(
        &self,
        group: &JsValue,
        request: impl FnOnce(&WebClient, &GroupName) -> Result<u64, GroupRefused>,
    ) -> Promise {
        let group = match self.session.group(group) {
            Ok(group) => group,
            Err(message) => return self.session.rejected(&send_argument(message)),
        };
        match self.session.client().map(|client| request(&client, &group)) {
            Some(Ok(ack_id)) => self.session.ack_promise(ack_id),
            Some(Err(refused)) => {
                let has_stopped = refused == GroupRefused::Stopped;
                self.session.rejected(&Rejection::group(&refused, has_stopped))
            }
            None => self.session.rejected(&Rejection::not_started().of_class(ErrorClass::Message)),
        }
    }

    fn send(&self, outgoing: Result<Outgoing, String>, options: Option<&JsSendOptions>) -> Promise {
        let SendOptions { no_echo, fire_and_forget } = SendOptions::read(options);
        let outgoing = match outgoing {
            Ok(outgoing) if no_echo => outgoing.without_echo(),
            Ok(outgoing) => outgoing,
            Err(message) => return self.session.rejected(&send_argument(message)),
        };
        self.session.send(outgoing, fire_and_forget)
    }
}

fn send_argument(message: String) -> Rejection {
    Rejection::argument(message).of_class(ErrorClass::Message)
}

fn invocation_argument(message: String) -> Rejection {
    Rejection::argument(message).of_class(ErrorClass::Invocation)
}

/// Returns the error of an invalid argument of the constructor.
fn invalid(message: &str, create_error: &JsValue) -> JsValue {
    Promises::new(create_error).error(&Rejection::argument(message.to_owned()))
}

fn event_name(name: &JsValue) -> Result<EventName, String> {
    let name = name.as_string().ok_or("the name of an event must be a string")?;
    EventName::new(&name).map_err(|error| error.to_string())
}
