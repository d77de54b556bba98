//! How the data plane says no: a status, a code in a header, and a flat JSON body.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::operation::Recipients;

/// Why a request was not carried out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RestError {
    /// The token is missing, or does not count for this request.
    #[error("unauthorized")]
    Unauthorized,
    /// Something in the request is wrong.
    #[error("{message}")]
    BadRequest {
        /// The part that is wrong.
        target: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The body's type is none of ours.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// The data plane has no such operation.
    #[error("not found")]
    NotFound,
    /// What the request is about is not there.
    #[error("{message}")]
    Missing {
        /// The cloud service's code for it.
        code: &'static str,
        /// What is missing.
        target: &'static str,
        /// The same in words.
        message: String,
    },
    /// There is no room for what was asked.
    #[error("{0}")]
    Conflict(String),
    /// There is no room for another hub.
    #[error("the service has as many hubs as it takes")]
    TooManyHubs,
    /// The data plane has it, this service does not.
    #[error("{0}")]
    NotImplemented(&'static str),
}

impl RestError {
    pub(super) fn bad_request(target: &'static str, message: String) -> Self {
        Self::BadRequest { target, message }
    }

    /// There is no such connection, user or group.
    pub(super) fn missing(recipients: &Recipients) -> Self {
        let (code, target, name) = match recipients {
            Recipients::Everyone => return Self::NotFound,
            Recipients::Group(group) => ("Warning.Group.NotExisted", "Group", group.as_str()),
            Recipients::User(user) => ("Warning.User.NotExisted", "User", user.as_str()),
            Recipients::Connection(id) => ("Warning.Connection.NotExisted", "Connection", id.as_str()),
        };
        Self::Missing { code, target, message: format!("{target} `{name}` is not found.") }
    }

    /// There is nobody to put into a group.
    pub(super) fn no_member(recipients: &Recipients) -> Self {
        match Self::missing(recipients) {
            Self::Missing { target: "Connection", message, .. } => {
                Self::Missing { code: "Error.Connection.NotExisted", target: "Connection", message }
            }
            other => other,
        }
    }

    /// The connection is not there, or lacks the permission.
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
            Self::Unauthorized => return StatusCode::UNAUTHORIZED.into_response(),
            Self::UnsupportedMediaType => return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
            Self::NotFound => return StatusCode::NOT_FOUND.into_response(),
            Self::BadRequest { target, .. } => (StatusCode::BAD_REQUEST, "Error.BadRequest", *target),
            Self::Missing { code, target, .. } => (StatusCode::NOT_FOUND, *code, *target),
            Self::Conflict(_) => (StatusCode::CONFLICT, "Error.Connection.Conflict", "Connection"),
            Self::TooManyHubs => (StatusCode::SERVICE_UNAVAILABLE, "Error.Hub.TooMany", "hub"),
            Self::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented", "Request"),
        };
        let body = ErrorBody { code, message: &self.to_string(), target, details: [] };
        let json = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], json).into_response();
        if let Ok(code) = HeaderValue::from_str(code) {
            response.headers_mut().insert("x-ms-error-code", code);
        }
        response
    }
}
