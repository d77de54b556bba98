//! Errors of `/negotiate`.

use std::time::Duration;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use webpubsub_protocol::name::{GroupName, NameError};

/// Error response, with the reason as plain text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NegotiateError {
    #[error("the user id (`id`) is longer than {limit} bytes")]
    UserIdTooLong { limit: usize },
    #[error(
        "the request has several `{name}` headers, so the user is unknown; the proxy must replace this header of its clients"
    )]
    SeveralUserHeaders { name: HeaderName },
    #[error("{0}")]
    InvalidGroupName(NameError),
    #[error(
        "too many groups for one token: at most {limit}, with names of {bytes} bytes in total; send several requests"
    )]
    TooManyGroups { limit: usize, bytes: usize },
    #[error("`role` must be `viewer` or `publisher`, not `{given}`")]
    InvalidRole { given: String },
    #[error(
        "the group `{0}` is not open on this server; start it with `--allow-group PATTERN` to open the group"
    )]
    GroupNotOpen(GroupName),
    #[error("wrong publish key; use the key that the server was started with")]
    WrongPublishKey,
    #[error(
        "publishing requires the publish key of this server as a bearer token (`tailcast stream --publish-key KEY`)"
    )]
    PublishKeyRequired,
    #[error("publishing is disabled on this server; start it with `--publish-key KEY` to enable it")]
    PublishingDisabled,
    #[error("too many requests from this address; wait {} s, or start the server with a higher `--negotiate-limit`", whole_seconds(*wait))]
    RateLimited { wait: Duration },
}

/// Rounds up, as an earlier request would be refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl NegotiateError {
    fn status(&self) -> StatusCode {
        match self {
            Self::UserIdTooLong { .. }
            | Self::SeveralUserHeaders { .. }
            | Self::InvalidGroupName(_)
            | Self::TooManyGroups { .. }
            | Self::InvalidRole { .. } => StatusCode::BAD_REQUEST,
            Self::WrongPublishKey | Self::PublishKeyRequired => StatusCode::UNAUTHORIZED,
            Self::GroupNotOpen(_) | Self::PublishingDisabled => StatusCode::FORBIDDEN,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl IntoResponse for NegotiateError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, format!("{self}\n")).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::RateLimited { wait } = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        response
    }
}
