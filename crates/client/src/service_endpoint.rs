//! Source of the URLs that a client connects to.

use std::{fmt, future::Future};

use crate::{
    failure::ConnectFailure,
    negotiate::{ServiceUrl, shown_url},
    platform::{BoxFuture, MaybeSend, MaybeSync, Shared},
};

/// Source of the URLs that a client connects to. It is asked again for each new connection, so that a connection never uses an
/// expired token.
///
/// A text is converted by its scheme: `ws://` and `wss://` are client access URLs, anything else is the URL of a negotiate
/// endpoint, in browsers also a relative one.
///
/// ```
/// # #[cfg(feature = "native")] {
/// use webpubsub_client::ServiceEndpoint;
///
/// let negotiate = ServiceEndpoint::from("https://example.com/negotiate").with_bearer_token("secret");
/// let access_url = ServiceEndpoint::from("wss://example.com/client/hubs/chat?access_token=…");
/// let function = ServiceEndpoint::from_fn(|| async {
///     // Sign a token here, or ask a server of your own.
///     Ok::<_, std::io::Error>("wss://example.com/client/hubs/chat?access_token=…".to_owned())
/// });
/// # }
/// ```
#[derive(Clone)]
pub struct ServiceEndpoint {
    pub(crate) source: Source,
}

#[derive(Clone)]
pub(crate) enum Source {
    Negotiate { url: String, credential: Option<Credential> },
    AccessUrl(String),
    Function(Shared<dyn UrlFunction>),
}

/// Credential of the header `Authorization`.
#[derive(Clone)]
pub(crate) enum Credential {
    Bearer(String),
    Basic { user: String, password: String },
}

/// Function that returns the URL of a service.
pub(crate) trait UrlFunction: MaybeSend + MaybeSync {
    fn call(&self) -> BoxFuture<Result<ServiceUrl, ConnectFailure>>;
}

struct Called<F>(F);

impl<F, O> UrlFunction for Called<F>
where
    F: Fn() -> O + MaybeSend + MaybeSync,
    O: Future<Output = Result<ServiceUrl, ConnectFailure>> + MaybeSend + 'static,
{
    fn call(&self) -> BoxFuture<Result<ServiceUrl, ConnectFailure>> {
        Box::pin((self.0)())
    }
}

impl ServiceEndpoint {
    /// The negotiate endpoint at `url`: a `GET` returns `{"url": "wss://…"}`.
    #[must_use]
    pub fn negotiate(url: impl Into<String>) -> Self {
        Self { source: Source::Negotiate { url: url.into(), credential: None } }
    }

    /// A client access URL, `wss://HOST/client/hubs/HUB?access_token=…`. When its token has expired, the client cannot open a new
    /// connection; prefer a negotiate endpoint or a function.
    #[must_use]
    pub fn access_url(url: impl Into<String>) -> Self {
        Self { source: Source::AccessUrl(url.into()) }
    }

    /// A function that returns a client access URL. A failure is reported, and the function is called again later.
    #[must_use]
    pub fn from_fn<F, E>(function: impl Fn() -> F + MaybeSend + MaybeSync + 'static) -> Self
    where
        F: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: fmt::Display,
    {
        Self::from_function(move || {
            let url = function();
            async move {
                match url.await {
                    Ok(url) => ServiceUrl::given(&url),
                    Err(error) => Err(ConnectFailure::NegotiateFunction { detail: error.to_string() }),
                }
            }
        })
    }

    pub(crate) fn from_function<F>(function: impl Fn() -> F + MaybeSend + MaybeSync + 'static) -> Self
    where
        F: Future<Output = Result<ServiceUrl, ConnectFailure>> + MaybeSend + 'static,
    {
        Self { source: Source::Function(Shared::new(Called(function))) }
    }

    /// Sends a bearer token to the negotiate endpoint, in place of an earlier credential. Ignored without such an endpoint.
    #[must_use]
    pub fn with_bearer_token(self, token: impl Into<String>) -> Self {
        self.with(Credential::Bearer(token.into()))
    }

    /// Sends a user name and a password (HTTP Basic) to the negotiate endpoint, in place of an earlier credential. Ignored without
    /// such an endpoint.
    #[must_use]
    pub fn with_basic_auth(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.with(Credential::Basic { user: user.into(), password: password.into() })
    }

    fn with(mut self, given: Credential) -> Self {
        if let Source::Negotiate { credential, .. } = &mut self.source {
            *credential = Some(given);
        }
        self
    }
}

impl From<&str> for ServiceEndpoint {
    fn from(url: &str) -> Self {
        Self::from(url.to_owned())
    }
}

impl From<String> for ServiceEndpoint {
    fn from(url: String) -> Self {
        let is_access_url = url.starts_with("ws://") || url.starts_with("wss://");
        if is_access_url { Self::access_url(url) } else { Self::negotiate(url) }
    }
}

impl fmt::Debug for ServiceEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.source {
            Source::Negotiate { url, .. } | Source::AccessUrl(url) => shown_url(url),
            Source::Function(_) => "function".to_owned(),
        };
        f.debug_tuple("ServiceEndpoint").field(&place).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_an_access_url_or_a_negotiate_endpoint_by_its_scheme() {
        let access = ServiceEndpoint::from("wss://h/client/hubs/x?access_token=secret");
        assert!(matches!(access.source, Source::AccessUrl(_)));
        for url in ["https://h/negotiate", "http://h", "/negotiate"] {
            assert!(matches!(ServiceEndpoint::from(url).source, Source::Negotiate { .. }), "{url}");
        }
    }

    #[test]
    fn its_debug_output_has_no_secret() {
        let endpoints = [
            ServiceEndpoint::from("wss://h/client/hubs/x?access_token=secret"),
            ServiceEndpoint::from("https://ada:secret@h/negotiate").with_bearer_token("secret"),
        ];
        for endpoint in endpoints {
            assert!(!format!("{endpoint:?}").contains("secret"), "{endpoint:?}");
        }
    }
}
