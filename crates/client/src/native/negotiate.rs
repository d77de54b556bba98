//! Negotiation over HTTP.

use std::error::Error;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use super::{network::Network, trust::is_certificate_error};
use crate::{
    failure::ConnectFailure,
    negotiate::{Answer, MAX_ANSWER_BYTES, ServiceUrl, read_answer, shown_url},
    service_endpoint::{Credential, ServiceEndpoint, Source},
};

/// Negotiates once. The machine limits the time.
pub(crate) async fn negotiate(
    endpoint: &ServiceEndpoint,
    network: &Network,
) -> Result<ServiceUrl, ConnectFailure> {
    match &endpoint.source {
        Source::Negotiate { url, credential } => request(url, credential.as_ref(), network).await,
        Source::AccessUrl(url) => ServiceUrl::given(url),
        Source::Function(function) => function.call().await,
    }
}

async fn request(
    endpoint: &str,
    credential: Option<&Credential>,
    network: &Network,
) -> Result<ServiceUrl, ConnectFailure> {
    let url = shown_url(endpoint);
    let failed = |error: &(dyn Error + 'static)| {
        let (url, detail) = (url.clone(), innermost(error));
        match is_certificate_error(error) {
            true => ConnectFailure::UntrustedCertificate { url, detail },
            false => ConnectFailure::NegotiateUnreachable { url, detail },
        }
    };
    let unreachable = |error: reqwest::Error| failed(&error.without_url());
    let request = network.http().map_err(|error| failed(&error))?.get(endpoint);
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
