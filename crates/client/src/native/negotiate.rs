//! Asking a negotiate endpoint over HTTP.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use super::{
    proxy,
    trust::{additional, is_certificate_error},
};
use crate::{
    failure::ConnectFailure,
    negotiate::{Answer, MAX_ANSWER_BYTES, ServiceUrl, read_answer, shown_url},
};

type UrlFuture = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;

/// Where to ask for a URL, and what to show for it. It is asked again for each new connection, so that no token is used
/// that has expired meanwhile.
#[derive(Clone)]
pub struct NegotiateEndpoint {
    source: Source,
}

#[derive(Clone)]
enum Source {
    Http { url: String, credential: Option<Credential> },
    Call(Arc<dyn Fn() -> UrlFuture + Send + Sync>),
}

/// Credential of the header `Authorization`.
#[derive(Clone)]
enum Credential {
    Bearer(String),
    Basic { user: String, password: String },
}

impl NegotiateEndpoint {
    /// The endpoint at `url`.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { source: Source::Http { url, credential: None } }
    }

    /// No endpoint, but a function that gives the service's URL, `wss://HOST/client/hubs/HUB?access_token=…`, or says
    /// in words why it cannot. It may fail as often as it likes: each failure is told, and it is called again later.
    #[must_use]
    pub fn from_fn<F>(url: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, String>> + Send + 'static,
    {
        Self { source: Source::Call(Arc::new(move || Box::pin(url()))) }
    }

    /// Presents `credential` as a bearer token. Means nothing to a function.
    #[must_use]
    pub fn with_credential(self, given: String) -> Self {
        self.with(Credential::Bearer(given))
    }

    /// Sends a user name and a password (HTTP Basic), in place of an earlier credential. Ignored with a function.
    #[must_use]
    pub fn with_login(self, user: String, password: String) -> Self {
        self.with(Credential::Basic { user, password })
    }

    fn with(mut self, given: Credential) -> Self {
        if let Source::Http { credential, .. } = &mut self.source {
            *credential = Some(given);
        }
        self
    }
}

impl fmt::Debug for NegotiateEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.source {
            Source::Http { url, .. } => shown_url(url),
            Source::Call(_) => A_FUNCTION.to_owned(),
        };
        f.debug_tuple("NegotiateEndpoint").field(&place).finish()
    }
}

/// What encrypts. Fails when the application has chosen a provider already, which then serves as well.
pub(super) fn choose_crypto_provider() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// What stands in place of a URL where a function was asked.
const A_FUNCTION: &str = "the function that gives the URL";

/// One HTTP client for the process: it keeps connections and the system's certificates.
pub(super) fn http_client() -> Result<&'static reqwest::Client, reqwest::Error> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client);
    }
    choose_crypto_provider();
    let additional = additional().iter().map(|certificate| reqwest::Certificate::from_der(certificate));
    let mut builder = reqwest::Client::builder();
    for certificate in additional {
        builder = builder.tls_certs_merge([certificate?]);
    }
    if proxy::is_direct() {
        builder = builder.no_proxy();
    }
    let client = builder.build()?;
    Ok(CLIENT.get_or_init(|| client))
}

/// Asks once. The machine bounds how long it may take.
pub(super) async fn negotiate(endpoint: NegotiateEndpoint) -> Result<ServiceUrl, ConnectFailure> {
    match endpoint.source {
        Source::Http { url, credential } => ask(&url, credential.as_ref()).await,
        Source::Call(call) => match call().await {
            Ok(answer) => ServiceUrl::given(&answer),
            Err(detail) => Err(ConnectFailure::NegotiateUnreachable { url: A_FUNCTION.to_owned(), detail }),
        },
    }
}

async fn ask(endpoint: &str, credential: Option<&Credential>) -> Result<ServiceUrl, ConnectFailure> {
    let url = shown_url(endpoint);
    let unreachable = |error: reqwest::Error| {
        let (url, error) = (url.clone(), error.without_url());
        let detail = innermost(&error);
        match is_certificate_error(&error) {
            true => ConnectFailure::UntrustedCertificate { url, detail },
            false => ConnectFailure::NegotiateUnreachable { url, detail },
        }
    };
    let request = http_client().map_err(unreachable)?.get(endpoint);
    let request = match credential {
        Some(Credential::Bearer(token)) => request.bearer_auth(token),
        Some(Credential::Basic { user, password }) => request.basic_auth(user, Some(password)),
        None => request,
    };
    let mut response = match request.send().await {
        Err(error) if error.is_builder() => return Err(ConnectFailure::NegotiateAddress { url }),
        sent => sent.map_err(unreachable)?,
    };
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.map(str::to_owned);
    let answer = Answer {
        status: response.status().as_u16(),
        content_type: &content_type,
        retry_after: retry_after.as_deref(),
        body: None,
    };
    let body = if !answer.needs_body() {
        None
    } else if response.status().is_success() {
        read_body(&mut response).await.map_err(unreachable)?
    } else {
        // The status is the failure, whether or not its reason can be read.
        read_body(&mut response).await.ok().flatten()
    };
    read_answer(endpoint, Answer { body: body.as_deref(), ..answer })
}

/// Reads the body of a response; `None` if it is longer than [`MAX_ANSWER_BYTES`]. The rest of a longer one is not
/// read.
async fn read_body(response: &mut reqwest::Response) -> Result<Option<String>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(String::from_utf8_lossy(&body).into_owned()))
}

/// The cause at the bottom says what happened ("Connection refused"); those above it, in which layer.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
