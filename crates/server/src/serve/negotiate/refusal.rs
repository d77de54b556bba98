//! Why `/negotiate` gives no URL.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use webpubsub_protocol::name::{GroupName, NameError};

/// What is answered in place of a URL.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the user id (`id`) is longer than {limit} bytes")]
    UserIdTooLong { limit: usize },
    #[error("{0}")]
    GroupName(NameError),
    #[error(
        "one token is for {limit} groups at most, whose names have {bytes} bytes together; ask several times"
    )]
    TooManyGroups { limit: usize, bytes: usize },
    #[error("`role` is `viewer` or `publisher`, not `{given}`")]
    Role { given: String },
    #[error(
        "the group `{0}` may not be asked for here; start the server with `--allow-group PATTERN` to open it"
    )]
    GroupNotOpen(GroupName),
    #[error("this is not the publish key of this server")]
    WrongKey,
    #[error(
        "publishing needs the publish key of this server, as a bearer token (`tailcast stream --publish-key KEY`)"
    )]
    KeyMissing,
    #[error("nobody may publish here; start the server with `--publish-key KEY` to let some")]
    NobodyPublishes,
    #[error("this address asks too often; wait for {} s, or start the server with a higher `--negotiate-limit`", whole_seconds(*wait))]
    TooOften { wait: Duration },
}

/// Rounded up: who comes a moment early is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::UserIdTooLong { .. }
            | Self::GroupName(_)
            | Self::TooManyGroups { .. }
            | Self::Role { .. } => StatusCode::BAD_REQUEST,
            Self::WrongKey | Self::KeyMissing => StatusCode::UNAUTHORIZED,
            Self::GroupNotOpen(_) | Self::NobodyPublishes => StatusCode::FORBIDDEN,
            Self::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, format!("{self}\n")).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::TooOften { wait } = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        response
    }
}
