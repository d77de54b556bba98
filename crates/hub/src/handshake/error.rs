//! Rejections of a handshake.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    admission::AdmissionError,
    event_handler::{ConnectRejection, RejectionBody},
};

/// Rejection of a handshake. The message goes to the client: it helps to correct the request, and reveals nothing else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HandshakeError {
    /// The request is not a WebSocket handshake.
    #[error("not a WebSocket handshake: {0}")]
    NotAHandshake(&'static str),
    /// The URL has no hub, or an invalid one.
    #[error("invalid hub in the URL: {0}")]
    Hub(String),
    /// The token is missing or invalid.
    #[error("{0}")]
    Unauthorized(String),
    /// A group of the token is invalid.
    #[error("invalid group in the access token: {0}")]
    Group(String),
    /// The query parameters for a simple client are invalid.
    #[error("{0}")]
    Query(String),
    /// The subprotocol is not offered by the client, or not valid in a header.
    #[error("{0}")]
    Subprotocol(String),
    /// The event handler rejected the connection, with this status.
    #[error("the event handler rejected the connection")]
    Rejected(ConnectRejection),
    /// A limit of connections is reached.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The operating system provides no randomness for a connection id.
    #[error("the service cannot create a connection id: the operating system provides no randomness")]
    Randomness,
}

impl IntoResponse for HandshakeError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotAHandshake(_)
            | Self::Hub(_)
            | Self::Group(_)
            | Self::Query(_)
            | Self::Subprotocol(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Rejected(rejection) => {
                StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Admission(AdmissionError::Full) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Admission(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Randomness => StatusCode::INTERNAL_SERVER_ERROR,
        };
        tracing::debug!(%status, error = %self, "handshake rejected");
        if let Self::Rejected(rejection) = &self
            && let Some(body) = rejection.body()
        {
            return forwarded(status, body);
        }
        let mut response = (status, format!("{self}\n")).into_response();
        if let Self::Admission(AdmissionError::Handshakes { wait }) = self {
            response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        response
    }
}

/// Returns the response of an event handler.
fn forwarded(status: StatusCode, body: &RejectionBody) -> Response {
    let mut response = Response::new(Body::from(body.bytes.clone()));
    *response.status_mut() = status;
    let content_type = body.content_type.as_deref().and_then(|name| HeaderValue::from_str(name).ok());
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}
