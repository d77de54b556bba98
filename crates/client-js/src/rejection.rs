//! Reasons of rejected promises, from which the package creates its error classes.

use serde::Serialize;
use wasm_bindgen::JsValue;
use webpubsub_client::{
    ConnectFailure, InvokeFailure, SendFailure, SendRefused, StartRefused, StreamFailure, WriteRefused,
};
use webpubsub_protocol::message::AckError;

/// Class of an error in JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(clippy::enum_variant_names, reason = "these are the names of the official package")]
pub enum ErrorClass {
    /// Failure of a message, an event, a join or a leave.
    #[serde(rename = "SendMessageError")]
    Message,
    /// Failure of an invocation.
    #[serde(rename = "InvocationError")]
    Invocation,
    /// Any other failure.
    #[serde(rename = "WebPubSubError")]
    Other,
}

/// Reason of a rejected promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    class: ErrorClass,
    /// Kind of the failure, which programs can rely on.
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<ErrorDetail>,
}

/// Error of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ErrorDetail {
    name: String,
    message: String,
}

impl From<&AckError> for ErrorDetail {
    fn from(error: &AckError) -> Self {
        Self { name: error.name.to_string(), message: error.message.clone() }
    }
}

impl Rejection {
    fn new(class: ErrorClass, code: &'static str, message: impl Into<String>) -> Self {
        Self { class, code, message: message.into(), error_detail: None }
    }

    fn with_detail(self, error: &AckError) -> Self {
        Self { error_detail: Some(error.into()), ..self }
    }

    /// Sets the class of an argument that is refused before it is known what it is for.
    pub fn of_class(self, class: ErrorClass) -> Self {
        Self { class, ..self }
    }

    /// Refusal of an argument.
    pub fn argument(message: String) -> Self {
        Self::new(ErrorClass::Other, "InvalidArgument", message)
    }

    /// Refusal of a request to a client that does not run.
    pub fn not_started() -> Self {
        Self::new(ErrorClass::Other, "NotStarted", "the client was not started")
    }

    /// Refusal to start a client that runs.
    pub fn already_started() -> Self {
        let message = "the client runs already; after stop(), wait for the event `stopped`";
        Self::new(ErrorClass::Other, "AlreadyStarted", message)
    }

    /// End of everything that was pending when the client stopped.
    pub fn stopped(class: ErrorClass, cause: Option<&str>) -> Self {
        let message = "the client has stopped";
        let message = cause.map_or_else(|| message.to_owned(), |cause| format!("{message}: {cause}"));
        Self::new(class, "Stopped", message)
    }

    /// Refusal of a message or a fragment, of which too many wait.
    pub fn queue_full(message: &str) -> Self {
        Self::new(ErrorClass::Message, "QueueFull", message)
    }

    /// Refusal of a step of a stream that has ended.
    pub fn stream_ended() -> Self {
        Self::new(ErrorClass::Other, "StreamEnded", "the stream has ended")
    }

    /// Failure of a message, an event, a join or a leave.
    pub fn send(failure: &SendFailure) -> Self {
        let new = |code| Self::new(ErrorClass::Message, code, failure.to_string());
        match failure {
            SendFailure::Refused(error) => new("Refused").with_detail(error),
            SendFailure::NotTaken(refused) => Self::not_sent(refused),
            SendFailure::Stopped => new("Stopped"),
            _ => new("Failed"),
        }
    }

    /// Refusal of a message or an event by the client itself.
    pub fn not_sent(refused: &SendRefused) -> Self {
        let code = match refused {
            SendRefused::WindowFull(_) => "QueueFull",
            SendRefused::TooLarge { .. } => "TooLarge",
            SendRefused::NotJson(_) => "InvalidArgument",
            SendRefused::NotConnected(_) => "NotConnected",
            SendRefused::Stopped(_) => "Stopped",
            _ => "Failed",
        };
        Self::new(ErrorClass::Message, code, refused.to_string())
    }

    /// Refusal of a join or a leave by the client itself: its window is full, or it has stopped.
    pub fn group(refused: &impl std::fmt::Display, has_stopped: bool) -> Self {
        let code = if has_stopped { "Stopped" } else { "QueueFull" };
        Self::new(ErrorClass::Message, code, refused.to_string())
    }

    /// Failure of an invocation.
    pub fn invoke(failure: &InvokeFailure) -> Self {
        let new = |code| Self::new(ErrorClass::Invocation, code, failure.to_string());
        match failure {
            InvokeFailure::Refused(error) => new("Refused").with_detail(error),
            InvokeFailure::ConnectionLost => new("ConnectionLost"),
            InvokeFailure::NotTaken(refused) => Self::not_begun(*refused, ErrorClass::Invocation),
            InvokeFailure::Stopped => new("Stopped"),
            _ => new("Failed"),
        }
    }

    /// Refusal of an invocation or a stream by the client itself.
    pub fn not_begun(refused: StartRefused, class: ErrorClass) -> Self {
        let code = match refused {
            StartRefused::NotConnected => "NotConnected",
            StartRefused::TooMany { .. } => "QueueFull",
            StartRefused::Unsupported => "Unsupported",
            StartRefused::Stopped => "Stopped",
            StartRefused::Payload => "InvalidArgument",
            _ => "Failed",
        };
        Self::new(class, code, refused.to_string())
    }

    /// End of a stream before its publisher ended it.
    pub fn stream(failure: &StreamFailure) -> Self {
        let new = |code| Self::new(ErrorClass::Other, code, failure.to_string());
        match failure {
            StreamFailure::Closed(error) => new("Refused").with_detail(error),
            StreamFailure::ConnectionLost => new("ConnectionLost"),
            StreamFailure::NotTaken(refused) => Self::not_begun(*refused, ErrorClass::Other),
            StreamFailure::Unanswered { .. } => new("TimedOut"),
            StreamFailure::Stopped => new("Stopped"),
            _ => new("Failed"),
        }
    }

    /// Refusal of a fragment.
    pub fn write(refused: &WriteRefused) -> Self {
        let code = match refused {
            WriteRefused::Full(_) => "QueueFull",
            WriteRefused::Ended(_) => "StreamEnded",
            WriteRefused::Payload(_) => "InvalidArgument",
            _ => "Failed",
        };
        Self::new(ErrorClass::Other, code, refused.to_string())
    }

    /// Failure to connect.
    pub fn connect(failure: &ConnectFailure) -> Self {
        Self::new(ErrorClass::Other, connect_code(failure), failure.to_string())
    }

    /// Refusal of a join that the client requested itself, on a new connection.
    pub fn join(error: &AckError) -> Self {
        Self::send(&SendFailure::Refused(error.clone()))
    }

    /// Converts the reason to an object of JavaScript.
    pub fn to_object(&self) -> JsValue {
        // There is nothing here that cannot be serialized.
        serde_wasm_bindgen::to_value(self).unwrap_or_default()
    }
}

/// Returns the kind of a failure to connect.
pub fn connect_code(failure: &ConnectFailure) -> &'static str {
    match failure {
        ConnectFailure::NegotiateUnreachable { .. } => "Unreachable",
        ConnectFailure::UntrustedCertificate { .. } => "Untrusted",
        ConnectFailure::NegotiateOrigin { .. } => "OriginNotAllowed",
        ConnectFailure::NegotiateFunction { .. } => "CredentialFailed",
        ConnectFailure::NotAServiceUrl { .. } | ConnectFailure::NegotiateAddress { .. } => "InvalidUrl",
        ConnectFailure::NegotiateStatus { .. } => "NegotiateStatus",
        ConnectFailure::NegotiateAnswer { .. } => "InvalidAnswer",
        ConnectFailure::Refused { .. } => "ConnectionRefused",
        ConnectFailure::NoSubprotocol { .. } => "Unsupported",
        ConnectFailure::TimedOut { .. } => "TimedOut",
        _ => "Failed",
    }
}

#[cfg(test)]
mod tests {
    use js_sys::JSON;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn a_refusal_has_the_error_of_the_service() {
        let error = AckError { name: "Forbidden".into(), message: "no".into() };
        let refused = Rejection::send(&SendFailure::Refused(error));
        let json = String::from(JSON::stringify(&refused.to_object()).unwrap());
        let begin = r#"{"class":"SendMessageError","code":"Refused","message":"#;
        let end = r#""errorDetail":{"name":"Forbidden","message":"no"}}"#;
        assert!(json.starts_with(begin) && json.ends_with(end), "{json}");
    }
}
