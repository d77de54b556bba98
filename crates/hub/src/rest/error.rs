//! How the data plane says no: a status, a code in a header, and a flat JSON body.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

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
    /// The data plane has it, this version of the service does not.
    #[error("{0}")]
    NotImplemented(&'static str),
}

impl RestError {
    pub(super) fn bad_request(target: &'static str, message: String) -> Self {
        Self::BadRequest { target, message }
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
