//! Rejections of a history request.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use webpubsub_protocol::name::GroupName;

use super::query::QueryError;

/// Rejection of a history request. The message goes to the client.
#[derive(Debug, thiserror::Error)]
pub(super) enum HistoryError {
    /// The hub or the group in the URL is invalid.
    #[error("invalid name in the URL: {0}")]
    Name(String),
    /// The token is missing, or not valid for this hub.
    #[error("{0}")]
    Token(String),
    /// The token does not allow to join the group.
    #[error("the access token does not allow to join the group `{0}`, so its history cannot be read with it")]
    Forbidden(GroupName),
    /// An event handler decides about clients.
    #[error(
        "the event handler of this hub decides about its clients: an access token alone does not open its history"
    )]
    HandlerDecides,
    /// A parameter is invalid.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The group has no history.
    #[error("the group `{0}` has no history: it is switched off (`--history`)")]
    Off(GroupName),
    /// Memory or hubs are short.
    #[error("the service has no memory for a further response: retry later")]
    Full,
}

impl IntoResponse for HistoryError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Name(_) | Self::Query(_) => StatusCode::BAD_REQUEST,
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::HandlerDecides => StatusCode::FORBIDDEN,
            Self::Off(_) => StatusCode::NOT_FOUND,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, format!("{self}\n")).into_response()
    }
}
