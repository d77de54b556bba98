//! Client of a request: rate limit by address, scheme, and the user that a proxy names.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use webpubsub_hub::RateLimit;
use webpubsub_negotiate::{RequestScheme, VerifiedUser};

use crate::{serve::config::ServeConfig, service::forwarded::ClientInfo};

/// Rules for clients.
pub(super) struct CallerPolicy {
    /// Header in which a trusted proxy sends the id of the user.
    user_header: Option<HeaderName>,
    /// The lock is never held across an await.
    rate_limit: Option<Mutex<RateLimit>>,
}

/// Refusal of a request, with the reason as plain text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallerError {
    #[error(
        "the request has several `{name}` headers, so the user is unknown; the proxy must replace this header of its clients"
    )]
    SeveralUserHeaders { name: HeaderName },
    #[error("too many requests from this address; wait {} s, or start the server with a higher `--negotiate-limit`", whole_seconds(*wait))]
    RateLimited { wait: Duration },
}

/// Rounds up, as an earlier request would be refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl IntoResponse for CallerError {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        match self {
            Self::SeveralUserHeaders { .. } => (StatusCode::BAD_REQUEST, text).into_response(),
            Self::RateLimited { wait } => {
                let retry_after = HeaderValue::from(whole_seconds(wait));
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after)], text).into_response()
            }
        }
    }
}

impl CallerPolicy {
    pub(super) fn new(config: &ServeConfig) -> Self {
        Self {
            user_header: config.listen.proxies.user_header.clone(),
            rate_limit: config.negotiate_limit.map(|limit| Mutex::new(RateLimit::per_minute(limit))),
        }
    }

    fn check_rate(&self, client: &ClientInfo, now: Instant) -> Result<(), CallerError> {
        let Some(limit) = &self.rate_limit else { return Ok(()) };
        let mut limit = limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.check(client.address, now).map_err(|wait| CallerError::RateLimited { wait })
    }

    /// Returns the user that the proxy names; `None` without such a header in the configuration.
    fn verified_user(&self, headers: &HeaderMap) -> Result<Option<VerifiedUser>, CallerError> {
        let Some(name) = &self.user_header else { return Ok(None) };
        // A client could add its own header before or after that of a proxy that does not replace it.
        if headers.get_all(name).iter().count() > 1 {
            return Err(CallerError::SeveralUserHeaders { name: name.clone() });
        }
        let value = headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        Ok(Some(VerifiedUser(value.map(str::to_owned))))
    }
}

/// Refuses requests beyond the rate limit.
pub(super) async fn check_rate(
    State(policy): State<Arc<CallerPolicy>>,
    Extension(client): Extension<ClientInfo>,
    request: Request,
    next: Next,
) -> Response {
    match policy.check_rate(&client, Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Adds scheme and user to requests.
pub(super) async fn identify(
    State(policy): State<Arc<CallerPolicy>>,
    Extension(client): Extension<ClientInfo>,
    mut request: Request,
    next: Next,
) -> Response {
    let user = match policy.verified_user(request.headers()) {
        Ok(user) => user,
        Err(error) => return error.into_response(),
    };
    let scheme = if client.is_encrypted { RequestScheme::Https } else { RequestScheme::Http };
    request.extensions_mut().insert(scheme);
    if let Some(user) = user {
        request.extensions_mut().insert(user);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_two_user_headers_is_refused() {
        let name = HeaderName::from_static("x-user");
        let user = |values: &[&'static str]| {
            let headers =
                values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect();
            CallerPolicy { user_header: Some(name.clone()), rate_limit: None }.verified_user(&headers)
        };
        let verified = |user: &str| Ok(Some(VerifiedUser(Some(user.to_owned()))));
        assert_eq!(user(&["ada"]), verified("ada"));
        assert_eq!(user(&["CN=Ada, O=Example"]), verified("CN=Ada, O=Example"));
        assert_eq!(user(&[]), Ok(Some(VerifiedUser(None))));
        let refused = Err(CallerError::SeveralUserHeaders { name: name.clone() });
        assert_eq!(user(&["mallory", "ada"]), refused);
        assert_eq!(user(&["ada", "ada"]), refused);
    }
}
