//! Error responses of the data plane: status, code in a header, and a flat JSON body.
//!
//! Source: REST data plane, error responses.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{authorization::AuthorizationError, recipients::Recipients};

/// Failure of a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RestError {
    /// The token is missing, or not valid for this request.
    #[error("unauthorized: {0}")]
    Unauthorized(#[from] AuthorizationError),
    /// A part of the request is invalid.
    #[error("{message}")]
    BadRequest {
        /// Name of the invalid part.
        target: &'static str,
        /// Reason.
        message: String,
    },
    /// The content type of the body is not supported.
    #[error("the content type of the body is not supported; send {0}")]
    UnsupportedMediaType(&'static str),
    /// The data plane has no such operation.
    #[error(
        "no operation of the data plane has this method and path; compare both with the REST reference of Azure Web PubSub"
    )]
    NotFound,
    /// The connection, user or group does not exist.
    #[error("{message}")]
    Missing {
        /// Error code of the cloud service.
        code: &'static str,
        /// Kind of the missing object.
        target: &'static str,
        /// Reason.
        message: String,
    },
    /// A limit of the connection is reached.
    #[error("{0}")]
    Conflict(String),
    /// The hub limit is reached.
    #[error("The service has reached its limit of hubs: retry later.")]
    TooManyHubs,
    /// The data plane has the operation, but this service does not implement it.
    #[error("{0}")]
    NotImplemented(&'static str),
}

impl RestError {
    pub(super) fn bad_request(target: &'static str, message: String) -> Self {
        Self::BadRequest { target, message }
    }

    /// Returns the error for a connection, user or group that does not exist.
    pub(super) fn missing(recipients: &Recipients) -> Self {
        let (code, target, name) = match recipients {
            Recipients::Everyone => return Self::NotFound,
            Recipients::Group(group) => ("Warning.Group.NotExisted", "Group", group.as_str()),
            Recipients::User(user) => ("Warning.User.NotExisted", "User", user.as_str()),
            Recipients::Connection(id) => ("Warning.Connection.NotExisted", "Connection", id.as_str()),
        };
        Self::Missing { code, target, message: format!("{target} `{name}` is not found.") }
    }

    /// Returns the error for a missing connection or user that should join a group.
    pub(super) fn no_member(recipients: &Recipients) -> Self {
        match Self::missing(recipients) {
            Self::Missing { target: "Connection", message, .. } => {
                Self::Missing { code: "Error.Connection.NotExisted", target: "Connection", message }
            }
            other => other,
        }
    }

    /// Returns the error for a connection that does not exist or lacks the permission.
    pub(super) fn no_permission(id: &str) -> Self {
        let message = format!("Connection `{id}` is not found, or lacks the permission.");
        Self::Missing { code: "Info.Connection.NotExisted", target: "Connection", message }
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    target: &'a str,
    details: [(); 0],
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let (status, code, target) = match &self {
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "Error.Unauthorized", "Authorization"),
            Self::UnsupportedMediaType(_) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Error.UnsupportedMediaType", "Content-Type")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "Error.NotFound", "Request"),
            Self::BadRequest { target, .. } => (StatusCode::BAD_REQUEST, "Error.BadRequest", *target),
            Self::Missing { code, target, .. } => (StatusCode::NOT_FOUND, *code, *target),
            Self::Conflict(_) => (StatusCode::CONFLICT, "Error.Connection.Conflict", "Connection"),
            Self::TooManyHubs => (StatusCode::SERVICE_UNAVAILABLE, "Error.Hub.TooMany", "hub"),
            Self::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented", "Request"),
        };
        let body = ErrorBody { code, message: &self.to_string(), target, details: [] };
        let json = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], json).into_response();
        let headers = response.headers_mut();
        if let Ok(code) = HeaderValue::from_str(code) {
            headers.insert("x-ms-error-code", code);
        }
        if let Self::Unauthorized(error) = &self {
            headers.insert(header::WWW_AUTHENTICATE, error.challenge());
        }
        response
    }
}
