//! Authorization of a request: its access token.

use axum::http::{HeaderValue, header, request::Parts};
use webpubsub_protocol::token::{
    TokenError, UnixTime, audience,
    entra::{EntraError, EntraToken},
    verify,
};

use crate::{
    handshake::{EncryptedClient, bearer_token},
    registry::Registry,
    settings::host,
};

/// Reason for which a request is not authorized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AuthorizationError {
    /// There is no token.
    #[error("the request has no access token; send it as `Authorization: Bearer TOKEN`")]
    Missing,
    /// The scheme of the header is another one.
    #[error(
        "the `Authorization` header has another scheme than `Bearer`; send `Authorization: Bearer TOKEN`"
    )]
    Scheme,
    /// The token is invalid.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is valid, but for another request.
    #[error("the access token is for {given}; sign it for the URL of the request, which ends in `{path}`")]
    Audience {
        /// Audience of the token.
        given: String,
        /// Path of the request.
        path: String,
    },
    /// The token is from Microsoft Entra ID.
    #[error(transparent)]
    Entra(#[from] EntraError),
}

impl AuthorizationError {
    /// Returns the value of `WWW-Authenticate` (RFC 6750, section 3).
    pub(super) fn challenge(&self) -> HeaderValue {
        const WITHOUT_REASON: HeaderValue = HeaderValue::from_static("Bearer");
        if matches!(self, Self::Missing | Self::Scheme) {
            return WITHOUT_REASON;
        }
        let is_valid = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        let description: String = self.to_string().chars().filter(is_valid).collect();
        HeaderValue::from_str(&format!("Bearer error=\"invalid_token\", error_description=\"{description}\""))
            .unwrap_or(WITHOUT_REASON)
    }
}

/// Checks the token of a request. Returns the URL of the service as the client knows it, without a slash at its end.
pub(super) fn authorize(
    registry: &Registry,
    parts: &Parts,
    now: UnixTime,
) -> Result<String, AuthorizationError> {
    if !parts.headers.contains_key(header::AUTHORIZATION) {
        return Err(AuthorizationError::Missing);
    }
    let token = bearer_token(&parts.headers).ok_or(AuthorizationError::Scheme)?;
    let settings = registry.settings();
    let path = parts.uri.path();
    let refusal = match verify(token, &settings.access_keys, now) {
        Ok(claims) => {
            let is_for = |host: Option<&str>, path: &str| audience::is_for_target(&claims, host, path);
            if settings.is_valid_audience(&parts.headers, path, is_for) {
                return Ok(service_url(registry, parts, audience::is_encrypted(&claims)));
            }
            let given = claims
                .audiences
                .first()
                .map_or_else(|| "nothing (`aud`)".to_owned(), |url| format!("`{url}`"));
            AuthorizationError::Audience { given, path: path.to_owned() }
        }
        Err(error) => error.into(),
    };
    match EntraToken::read(token) {
        Some(token) if settings.allows_unverified_entra_tokens => {
            token.check_unverified(now)?;
            Ok(service_url(registry, parts, false))
        }
        Some(_) => Err(EntraError::NotAllowed.into()),
        None => Err(refusal),
    }
}

/// Returns the URL of the service: the public one, or that of the request. Its scheme follows from the connection, or from the
/// URL that the client signed.
fn service_url(registry: &Registry, parts: &Parts, is_signed_for_tls: bool) -> String {
    if let Some(public) = &registry.settings().public_url {
        return public.to_string();
    }
    let is_encrypted = is_signed_for_tls || parts.extensions.get::<EncryptedClient>().is_some();
    format!("{}://{}", if is_encrypted { "https" } else { "http" }, host(&parts.headers))
}
