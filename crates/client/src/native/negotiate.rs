//! Asking a negotiate endpoint over HTTP.

use std::{fmt, sync::OnceLock};

use crate::{
    failure::ConnectFailure,
    negotiate::{MAX_ANSWER_BYTES, ServiceUrl, read_answer, without_query},
};

/// Where to ask for a URL, and what to show for it.
#[derive(Clone)]
pub struct NegotiateEndpoint {
    url: String,
    credential: Option<String>,
}

impl NegotiateEndpoint {
    /// The endpoint at `url`.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { url, credential: None }
    }

    /// Presents `credential` as a bearer token.
    #[must_use]
    pub fn with_credential(self, credential: String) -> Self {
        Self { credential: Some(credential), ..self }
    }
}

impl fmt::Debug for NegotiateEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NegotiateEndpoint").field(&without_query(&self.url)).finish()
    }
}

/// One HTTP client for the process: it keeps connections and the system's certificates.
fn http_client() -> Result<&'static reqwest::Client, reqwest::Error> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client);
    }
    // Fails when the application has chosen a provider already, which then serves as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().build()?;
    Ok(CLIENT.get_or_init(|| client))
}

/// Asks once. The machine bounds how long it may take.
pub(super) async fn negotiate(endpoint: NegotiateEndpoint) -> Result<ServiceUrl, ConnectFailure> {
    let url = without_query(&endpoint.url).to_owned();
    let unreachable = |error: reqwest::Error| ConnectFailure::NegotiateUnreachable {
        url: url.clone(),
        detail: innermost(&error.without_url()),
    };
    let answer_is = |found: String| ConnectFailure::NegotiateAnswer { url: url.clone(), found };
    let mut request = http_client().map_err(unreachable)?.get(&endpoint.url);
    if let Some(credential) = &endpoint.credential {
        request = request.bearer_auth(credential);
    }
    let mut response = match request.send().await {
        Err(error) if error.is_builder() => return Err(ConnectFailure::NegotiateAddress { url }),
        sent => sent.map_err(unreachable)?,
    };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            return Err(answer_is(format!("more than {MAX_ANSWER_BYTES} bytes")));
        }
    }
    read_answer(&endpoint.url, response.status().as_u16(), &String::from_utf8_lossy(&body))
}

/// The cause at the bottom says what happened ("Connection refused"); those above it, in which layer.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
