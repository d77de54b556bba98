//! What JavaScript may set, read from its objects. Nothing is trusted to be what the types say.

use std::time::Duration;

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use webpubsub_client::{ClientOptions, StreamOptions};
use webpubsub_protocol::{name::GroupName, stream::PublisherError, subprotocol::Subprotocol};

#[wasm_bindgen]
extern "C" {
    /// How to connect.
    #[wasm_bindgen(typescript_type = "ClientOptions")]
    pub type GivenOptions;

    #[wasm_bindgen(method, getter, catch)]
    fn groups(this: &GivenOptions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn protocol(this: &GivenOptions) -> Result<JsValue, JsValue>;

    /// How to send.
    #[wasm_bindgen(typescript_type = "SendOptions")]
    pub type SendOptions;

    #[wasm_bindgen(method, getter, catch, js_name = noEcho)]
    fn no_echo(this: &SendOptions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = fireAndForget)]
    fn fire_and_forget(this: &SendOptions) -> Result<JsValue, JsValue>;

    /// How to open a stream.
    #[wasm_bindgen(typescript_type = "OpenGroupStreamOptions")]
    pub type GivenStreamOptions;

    #[wasm_bindgen(method, getter, catch, js_name = noEcho)]
    fn no_echo(this: &GivenStreamOptions) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = idleTimeoutInMs)]
    fn idle_timeout_in_ms(this: &GivenStreamOptions) -> Result<JsValue, JsValue>;

    /// Why a stream ends before its time.
    #[wasm_bindgen(typescript_type = "StreamEndError")]
    pub type StreamEndError;

    #[wasm_bindgen(method, getter, catch)]
    fn message(this: &StreamEndError) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = userErrorCode)]
    fn user_error_code(this: &StreamEndError) -> Result<JsValue, JsValue>;
}

/// What a getter gives; one that throws gives nothing.
fn given(value: Result<JsValue, JsValue>) -> JsValue {
    value.unwrap_or(JsValue::UNDEFINED)
}

/// Reads how to connect.
///
/// # Errors
/// In words, when a group's name breaks the rules, or there is no such protocol.
pub fn client_options(options: Option<&GivenOptions>) -> Result<ClientOptions, String> {
    let mut client_options = ClientOptions::new().stop_on_lasting_failure();
    let Some(options) = options else { return Ok(client_options) };
    let groups = given(options.groups());
    if !groups.is_null() && !groups.is_undefined() {
        let groups = groups.dyn_ref::<Array>().ok_or("`groups` must be an array of names")?;
        for group in groups.iter() {
            client_options = client_options.join(group_name(&group)?);
        }
    }
    let protocol = given(options.protocol());
    match protocol.as_string().as_deref() {
        Some("json.reliable") => Ok(client_options),
        Some("json") => Ok(client_options.prefer(Subprotocol::Json)),
        Some("protobuf.reliable") => Ok(client_options.prefer(Subprotocol::ReliableProtobuf)),
        Some("protobuf") => Ok(client_options.prefer(Subprotocol::Protobuf)),
        None if protocol.is_undefined() || protocol.is_null() => Ok(client_options),
        _ => Err("`protocol` must be \"json.reliable\", \"json\", \"protobuf.reliable\" or \"protobuf\""
            .to_owned()),
    }
}

/// Reads the name of a group.
///
/// # Errors
/// In words, what is wrong with it.
pub fn group_name(name: &JsValue) -> Result<GroupName, String> {
    let name = name.as_string().ok_or("the name of a group must be a string")?;
    GroupName::new(&name).map_err(|error| error.to_string())
}

/// Whether the sender is to be left out, and whether no acknowledgement is asked for.
pub fn send_options(options: Option<&SendOptions>) -> (bool, bool) {
    options.map_or((false, false), |options| {
        (given(options.no_echo()).is_truthy(), given(options.fire_and_forget()).is_truthy())
    })
}

/// Reads how to open a stream.
///
/// # Errors
/// In words, when its time is none.
pub fn stream_options(options: Option<&GivenStreamOptions>) -> Result<StreamOptions, String> {
    let mut stream_options = StreamOptions::new();
    let Some(options) = options else { return Ok(stream_options) };
    if given(options.no_echo()).is_truthy() {
        stream_options = stream_options.without_echo();
    }
    let idle_timeout = given(options.idle_timeout_in_ms());
    if idle_timeout.is_undefined() || idle_timeout.is_null() {
        return Ok(stream_options);
    }
    let seconds = idle_timeout.as_f64().map(|milliseconds| milliseconds / 1_000.0);
    match seconds.map(Duration::try_from_secs_f64) {
        Some(Ok(timeout)) if !timeout.is_zero() => Ok(stream_options.idle_timeout(timeout)),
        _ => Err("`idleTimeoutInMs` must be a number above 0".to_owned()),
    }
}

/// Reads why a stream ends before its time.
pub fn publisher_error(error: Option<&StreamEndError>) -> PublisherError {
    PublisherError {
        message: error.and_then(|error| given(error.message()).as_string()),
        user_error_code: error.and_then(|error| given(error.user_error_code()).as_string()),
    }
}
