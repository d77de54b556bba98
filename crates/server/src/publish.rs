//! `tailcast publish`: sends one message to all clients of a hub, through the REST API of the service.

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use reqwest::{Certificate, StatusCode, header::CONTENT_TYPE};
use webpubsub_client::native::TrustError;
use webpubsub_protocol::{
    connection_string::ConnectionString,
    name::HubName,
    token::{Claims, UnixTime, sign},
};

use crate::{cli::PublishOptions, failure::Failure, secret, target::CaCertError, usage_error::UsageError};

/// Timeout of the request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Lifetime of the request's token. It allows for a small clock difference.
const TOKEN_LIFETIME_SECONDS: u64 = 60;

/// Sends the message. Returns when the service has accepted it.
pub(crate) async fn run(options: PublishOptions) -> Result<(), Failure> {
    let (service, hub, message) = options.parts()?;
    let hub = HubName::new(hub).map_err(UsageError::from)?;
    let trusted = options.ca_cert.as_deref().map(trusted_certificates).transpose()?.unwrap_or_default();
    let url = service.endpoint.send_to_all_url(&hub);
    let claims = Claims::new(url.clone(), unix_time(), TOKEN_LIFETIME_SECONDS);
    let token = sign(&claims, &service.access_key)
        .map_err(|error| Failure::runtime(format!("cannot sign the access token: {error}")))?;
    let unreachable = |error: reqwest::Error| {
        let cause = root_cause(&error);
        Failure::runtime(format!("{} cannot be reached: {cause}", service.endpoint))
    };
    let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).tls_certs_merge(trusted).build();
    let client = client.map_err(unreachable)?;
    let request =
        client.post(&url).bearer_auth(token).header(CONTENT_TYPE, "text/plain").body(message.to_owned());
    let response = request.send().await.map_err(unreachable)?;
    match response.status() {
        StatusCode::ACCEPTED => Ok(()),
        StatusCode::UNAUTHORIZED => Err(Failure::runtime(format!(
            "{} rejected the access key (401 Unauthorized); compare it with the key that the service shows",
            service.endpoint
        ))),
        status => {
            let body = response.text().await.unwrap_or_default();
            let reason = match body.trim() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            Err(Failure::runtime(format!("{} answered {status}{reason}", service.endpoint)))
        }
    }
}

impl PublishOptions {
    /// Returns the connection string, the name of the hub, and the message.
    fn parts(&self) -> Result<(ConnectionString, &str, &str), UsageError> {
        let (given, hub, message) = match &*self.message {
            [given, hub, message] => (Some(&**given), hub, message),
            [given, _] if secret::is_connection_string(given) => return Err(UsageError::NoMessage),
            [hub, message] => (None, hub, message),
            // The parser accepts no other number.
            _ => return Err(UsageError::NoConnectionString),
        };
        let service = secret::connection_string(given, self.connection_string_file.as_deref())?;
        Ok((service, hub, message))
    }
}

/// Reads the certificates of `--ca-cert`.
fn trusted_certificates(path: &Path) -> Result<Vec<Certificate>, UsageError> {
    let failed = |error: CaCertError| UsageError::CaCert { path: path.to_owned(), error };
    let pem = std::fs::read(path).map_err(|error| failed(error.into()))?;
    let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if certificates.is_empty() {
        return Err(failed(TrustError::NoCertificate.into()));
    }
    Ok(certificates)
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Returns the current time.
pub(crate) fn unix_time() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
}
