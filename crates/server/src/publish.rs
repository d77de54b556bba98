//! `tailcast publish`: one message to every client of a hub, through the REST data plane.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{StatusCode, header::CONTENT_TYPE};
use webpubsub_protocol::{
    connection_string::ConnectionString,
    name::HubName,
    token::{Claims, UnixTime, sign},
};

use crate::{cli::PublishOptions, failure::Failure};

/// How long the request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long its token is good for: one request, and clocks that differ a little.
const TOKEN_LIFETIME_SECONDS: u64 = 60;

/// Sends the message; done when the service has accepted it.
pub(crate) async fn run(options: PublishOptions) -> Result<(), Failure> {
    let service = ConnectionString::parse(&options.connection_string)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let hub = HubName::new(&options.hub).map_err(|error| Failure::usage(error.to_string()))?;
    let url = service.endpoint.send_to_all_url(&hub);
    let claims = Claims::new(url.clone(), unix_time(), TOKEN_LIFETIME_SECONDS);
    let token = sign(&claims, &service.access_key)
        .map_err(|error| Failure::at_run_time(format!("the access token could not be written: {error}")))?;
    let unreachable = |error: reqwest::Error| {
        let cause = innermost(&error);
        Failure::at_run_time(format!("{} cannot be reached: {cause}", service.endpoint))
    };
    let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().map_err(unreachable)?;
    let request =
        client.post(&url).bearer_auth(token).header(CONTENT_TYPE, "text/plain").body(options.message);
    let response = request.send().await.map_err(unreachable)?;
    match response.status() {
        StatusCode::ACCEPTED => Ok(()),
        StatusCode::UNAUTHORIZED => Err(Failure::at_run_time(format!(
            "{} does not accept this access key (401); compare it with the one that the service shows",
            service.endpoint
        ))),
        status => {
            let body = response.text().await.unwrap_or_default();
            let words = format!("{} answered {status} {}", service.endpoint, body.trim());
            Err(Failure::at_run_time(words.trim_end().to_owned()))
        }
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The present time.
pub(crate) fn unix_time() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
}
