//! `tailcast publish`: sends one message to all clients of a hub, through the REST API of the service.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{StatusCode, header::CONTENT_TYPE};
use webpubsub_protocol::{
    connection_string::ConnectionString,
    name::HubName,
    token::{Claims, UnixTime, sign},
};

use crate::{cli::PublishOptions, failure::Failure, usage_error::UsageError};

/// Timeout of the request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Lifetime of the request's token. It allows for a small clock difference.
const TOKEN_LIFETIME_SECONDS: u64 = 60;

/// Sends the message. Returns when the service has accepted it.
pub(crate) async fn run(options: PublishOptions) -> Result<(), Failure> {
    let service = ConnectionString::parse(&options.connection_string).map_err(UsageError::from)?;
    let hub = HubName::new(&options.hub).map_err(UsageError::from)?;
    let url = service.endpoint.send_to_all_url(&hub);
    let claims = Claims::new(url.clone(), unix_time(), TOKEN_LIFETIME_SECONDS);
    let token = sign(&claims, &service.access_key)
        .map_err(|error| Failure::runtime(format!("cannot sign the access token: {error}")))?;
    let unreachable = |error: reqwest::Error| {
        let cause = root_cause(&error);
        Failure::runtime(format!("{} cannot be reached: {cause}", service.endpoint))
    };
    let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().map_err(unreachable)?;
    let request =
        client.post(&url).bearer_auth(token).header(CONTENT_TYPE, "text/plain").body(options.message);
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
