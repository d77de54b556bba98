//! Options that an application sets.

use std::time::Duration;

use js_sys::Array;
use serde::{Deserialize, Deserializer, de::Error};
use serde_wasm_bindgen::preserve;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::{
    ClientOptions, FIRST_PAUSE, LONGEST_PAUSE, PING_INTERVAL, PONG_TIMEOUT, StreamOptions,
};
use webpubsub_protocol::{name::GroupName, stream::PublisherError, subprotocol::Subprotocol};

use crate::properties;

// Nothing ensures that a value has the type that it claims.
#[wasm_bindgen]
extern "C" {
    /// Options of a client.
    pub type JsClientOptions;

    /// Options of a message or an event.
    pub type JsSendOptions;

    /// Options of a stream.
    pub type JsStreamOptions;

    /// The reason with which a stream is aborted.
    pub type JsStreamEndError;
}

/// Options of a client that its session carries out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SessionOptions {
    /// Whether a lost connection that cannot be recovered is replaced by a new one.
    pub reconnects: bool,
    /// Whether the first connection is attempted again after a temporary failure.
    pub retries_start: bool,
    /// Limit of the attempts to replace a lost connection, after the first one.
    pub max_retries: Option<u32>,
}

/// Reads the options of a client. The package has checked the numbers.
///
/// # Errors
/// A sentence that names the option, if `groups` is no array of valid names or `protocol` is unknown.
pub fn client_options(options: Option<&JsClientOptions>) -> Result<(ClientOptions, SessionOptions), String> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Given {
        #[serde(deserialize_with = "group_names")]
        groups: Vec<GroupName>,
        #[serde(deserialize_with = "protocol")]
        protocol: Option<Subprotocol>,
        reconnects: Option<bool>,
        rejoins: Option<bool>,
        retries_start: bool,
        max_retries: Option<u32>,
        first_pause_ms: Option<u32>,
        longest_pause_ms: Option<u32>,
        /// 0 for none.
        ping_interval_ms: Option<u32>,
        /// 0 for none.
        pong_timeout_ms: Option<u32>,
    }

    let given: Given = read(options)?;
    let milliseconds = |given: u32| Duration::from_millis(given.into());
    let unless_zero =
        |given: Option<u32>, default| given.map_or(Some(default), |ms| (ms > 0).then(|| milliseconds(ms)));
    let mut options = ClientOptions::new().stop_on_lasting_failure().retry_pauses(
        given.first_pause_ms.map_or(FIRST_PAUSE, milliseconds),
        given.longest_pause_ms.map_or(LONGEST_PAUSE, milliseconds),
    );
    options = options.keep_alive(
        unless_zero(given.ping_interval_ms, PING_INTERVAL),
        unless_zero(given.pong_timeout_ms, PONG_TIMEOUT),
    );
    if given.rejoins == Some(false) {
        options = options.without_rejoining();
    }
    options = given.groups.into_iter().fold(options, ClientOptions::join);
    let session = SessionOptions {
        reconnects: given.reconnects.unwrap_or(true),
        retries_start: given.retries_start,
        max_retries: given.max_retries,
    };
    Ok((given.protocol.into_iter().fold(options, ClientOptions::prefer), session))
}

/// Options of a message or an event.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SendOptions {
    /// Leaves the sender out.
    #[serde(deserialize_with = "truthy")]
    pub no_echo: bool,
    /// Requests no acknowledgement.
    #[serde(deserialize_with = "truthy")]
    pub fire_and_forget: bool,
}

impl SendOptions {
    /// Reads the options of a message or an event.
    pub fn read(options: Option<&JsSendOptions>) -> Self {
        // Every value has a truthiness.
        read(options).unwrap_or_default()
    }
}

/// Reads the options of a stream.
///
/// # Errors
/// A sentence that names the option, if the idle time-out is no time.
pub fn stream_options(options: Option<&JsStreamOptions>) -> Result<StreamOptions, String> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Given {
        #[serde(deserialize_with = "truthy")]
        no_echo: bool,
        #[serde(deserialize_with = "idle_timeout")]
        idle_timeout_in_ms: Option<Duration>,
        #[serde(deserialize_with = "string")]
        stream_id: Option<String>,
    }

    let Given { no_echo, idle_timeout_in_ms, stream_id } = read(options)?;
    let mut options = StreamOptions::new();
    if no_echo {
        options = options.without_echo();
    }
    options = stream_id.into_iter().fold(options, StreamOptions::id);
    Ok(idle_timeout_in_ms.into_iter().fold(options, StreamOptions::idle_timeout))
}

/// Reads the reason with which a stream is aborted. What is no string is ignored.
pub fn publisher_error(error: Option<&JsStreamEndError>) -> PublisherError {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Given {
        #[serde(deserialize_with = "string")]
        message: Option<String>,
        #[serde(deserialize_with = "string")]
        user_error_code: Option<String>,
    }

    let Given { message, user_error_code } = read(error).unwrap_or_default();
    PublisherError { message, user_error_code }
}

/// Reads the name of a group.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn group_name(name: &JsValue) -> Result<GroupName, String> {
    let name = name.as_string().ok_or("the name of a group must be a string")?;
    GroupName::new(&name).map_err(|error| error.to_string())
}

fn read<T: Default + serde::de::DeserializeOwned>(
    options: Option<&impl AsRef<JsValue>>,
) -> Result<T, String> {
    options.map_or_else(|| Ok(T::default()), |options| properties::read(options.as_ref()))
}

fn group_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<GroupName>, D::Error> {
    // An array only: a string is a sequence, too.
    let names: Array = preserve::deserialize(deserializer)
        .map_err(|_| D::Error::custom("`groups` must be an array of names"))?;
    names.iter().map(|name| group_name(&name).map_err(D::Error::custom)).collect()
}

fn protocol<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Subprotocol>, D::Error> {
    match String::deserialize(deserializer).as_deref() {
        Ok("json.reliable") => Ok(Some(Subprotocol::ReliableJson)),
        Ok("json") => Ok(Some(Subprotocol::Json)),
        Ok("protobuf.reliable") => Ok(Some(Subprotocol::ReliableProtobuf)),
        Ok("protobuf") => Ok(Some(Subprotocol::Protobuf)),
        _ => Err(D::Error::custom(
            "`protocol` must be \"json.reliable\", \"json\", \"protobuf.reliable\" or \"protobuf\"",
        )),
    }
}

fn idle_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = f64::deserialize(deserializer).map(|milliseconds| milliseconds / 1_000.0);
    match seconds.map(Duration::try_from_secs_f64) {
        Ok(Ok(timeout)) if !timeout.is_zero() => Ok(Some(timeout)),
        _ => Err(D::Error::custom("`idleTimeoutInMs` must be a number above 0")),
    }
}

/// Deserializes a value of any type as JavaScript's `if` sees it.
fn truthy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    preserve::deserialize(deserializer).map(|value: JsValue| value.is_truthy())
}

/// Deserializes a string; `None` for a value of another type.
fn string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(String::deserialize(deserializer).ok())
}

#[cfg(test)]
mod tests {
    use wasm_bindgen::JsCast;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn value<T: JsCast>(expression: &str) -> T {
        js_sys::eval(expression).unwrap().unchecked_into()
    }

    fn refusal(options: &str) -> String {
        client_options(Some(&value(options))).unwrap_err()
    }

    #[wasm_bindgen_test]
    fn a_wrong_client_option_is_refused_by_its_name() {
        for wrong in ["({ groups: 'chat' })", "({ groups: new Set(['chat']) })", "({ groups: 5 })"] {
            assert_eq!(refusal(wrong), "`groups` must be an array of names", "{wrong}");
        }
        assert_eq!(refusal("({ groups: [5] })"), "the name of a group must be a string");
        for wrong in
            ["({ protocol: 'xml' })", "({ protocol: { get json() { throw 1 } } })", "({ protocol: 1 })"]
        {
            let words = refusal(wrong);
            assert!(words.starts_with("`protocol` must be \"json.reliable\""), "{wrong}: {words}");
        }
        for fine in ["({ groups: null, protocol: null })", "({ groups: [], more: 1 })", "'text'"] {
            assert!(client_options(Some(&value(fine))).is_ok(), "{fine}");
        }
    }

    #[wasm_bindgen_test]
    fn send_options_go_by_truthiness() {
        let options = |expression: &str| SendOptions::read(Some(&value(expression)));
        assert_eq!(
            options("({ noEcho: 1, fireAndForget: '' })"),
            SendOptions { no_echo: true, fire_and_forget: false }
        );
        let both = SendOptions { no_echo: true, fire_and_forget: true };
        assert_eq!(options("({ noEcho: {}, fireAndForget: true })"), both);
        for none in ["({})", "({ noEcho: null, fireAndForget: NaN })", "({ get noEcho() { throw 1 } })", "7"]
        {
            assert_eq!(options(none), SendOptions::default(), "{none}");
        }
        assert_eq!(SendOptions::read(None), SendOptions::default());
    }

    #[wasm_bindgen_test]
    fn an_idle_timeout_is_a_positive_number() {
        for wrong in ["0", "-1", "NaN", "Infinity", "'5'", "5n"] {
            let options = value(&format!("({{ idleTimeoutInMs: {wrong} }})"));
            let refused = stream_options(Some(&options)).unwrap_err();
            assert_eq!(refused, "`idleTimeoutInMs` must be a number above 0", "{wrong}");
        }
        assert!(stream_options(Some(&value("({ noEcho: true, idleTimeoutInMs: 20.5 })"))).is_ok());
    }

    #[wasm_bindgen_test]
    fn an_abort_reason_consists_of_strings() {
        let error = publisher_error(Some(&value("({ message: 'failed', userErrorCode: 5 })")));
        assert_eq!(error, PublisherError { message: Some("failed".to_owned()), user_error_code: None });
        let error = publisher_error(Some(&value("new Error('failed')")));
        assert_eq!(error.message.as_deref(), Some("failed"));
    }
}
