//! Access tokens for clients, signed by the service.

use axum::{
    Json,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use webpubsub_protocol::{
    endpoint::Endpoint,
    name::{GroupName, HubName},
    token::{Claims, UnixTime, sign},
};

use super::{error::RestError, parameters::QueryParameters};
use crate::{registry::Registry, settings::host};

/// Default lifetime of a token, in minutes.
const DEFAULT_MINUTES: u64 = 60;
/// Maximum lifetime of a token, in minutes: that of an int32 (REST data plane 2024-12-01).
const MAX_MINUTES: u64 = i32::MAX as u64;

#[derive(Serialize)]
struct TokenResponse {
    token: String,
}

/// Signs a token with the claims in the query: `userId`, `role`…, `group`…, `minutesToExpire`.
pub(super) fn generate(
    registry: &Registry,
    hub: &HubName,
    parameters: &QueryParameters,
    parts: &Parts,
    now: UnixTime,
) -> Result<Response, RestError> {
    let minutes = parameters.number("minutesToExpire", 1, MAX_MINUTES)?.unwrap_or(DEFAULT_MINUTES);
    match parameters.one_not_empty("clientType")?.map(str::to_ascii_lowercase).as_deref() {
        None | Some("default") => {}
        Some("mqtt") => {
            return Err(RestError::NotImplemented("MQTT tokens are not supported by this service"));
        }
        Some(_) => {
            let message = "`clientType` must be Default or MQTT.".to_owned();
            return Err(RestError::bad_request("clientType", message));
        }
    }
    let groups: Vec<String> = parameters.all("group").map(str::to_owned).collect();
    for group in &groups {
        GroupName::new(group).map_err(|error| RestError::bad_request("group", error.to_string()))?;
    }
    let claims = Claims {
        user_id: parameters.one_not_empty("userId")?.map(str::to_owned),
        roles: parameters.all("role").map(str::to_owned).collect(),
        groups,
        ..Claims::new(Endpoint::plain(host(&parts.headers)).client_audience(hub), now, minutes * 60)
    };
    let key = registry.settings().access_keys.first();
    let key = key.ok_or(RestError::NotImplemented("The service has no access key to sign tokens with."))?;
    let token = sign(&claims, key).map_err(|error| {
        RestError::bad_request("Request", format!("The token cannot be signed: {error}."))
    })?;
    Ok(Json(TokenResponse { token }).into_response())
}
