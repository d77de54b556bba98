//! REST data plane: operations for application servers.
//!
//! Every request except the health check has a token, signed for its URL. Checks in this order: token (401), path and
//! parameters (400, 404), body (415, 400), existence (404). All stable API versions behave alike.
//!
//! Source: REST data plane 2024-12-01.

mod authorization;
mod body;
mod client_token;
mod error;
mod listing;
mod membership;
pub(crate) mod not_offered;
mod operation;
mod parameters;
mod payload;
mod permission;
mod recipients;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request as HttpRequest, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use webpubsub_protocol::{
    close::Close,
    message::{Metadata, Response as Message},
    payload::Payload,
};

use crate::{
    broadcast::Broadcast, clock::Arrival, connection::ClientConnection, hub::Hub, metadata_headers,
    registry::Registry,
};
use error::RestError;
use listing::PageRequest;
use operation::{HubOperation, RestRequest};
use parameters::{API_VERSIONS, QueryParameters};
use recipients::Recipients;

/// Request id of the client, returned in the response for its logs.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// Handles a request to `/api/…`.
pub(crate) async fn handle(
    State(registry): State<Arc<Registry>>,
    arrival: Arrival,
    request: HttpRequest,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let request = RestRequest::find(&parts.method, parts.uri.path());
    let operation = request.as_ref().map_or("none", RestRequest::name);
    let outcome = execute(&registry, request, &parts, &mut body, arrival).await;
    body::discard(body).await;
    if let Err(error) = &outcome {
        tracing::debug!(method = %parts.method, path = parts.uri.path(), %error, "REST request refused");
    }
    let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
    registry.metrics().record_request(operation, response.status().as_u16());
    let headers = response.headers_mut();
    headers.insert("api-supported-versions", HeaderValue::from_static(API_VERSIONS));
    if let Some(id) = parts.headers.get(CLIENT_REQUEST_ID) {
        headers.insert(CLIENT_REQUEST_ID, id.clone());
    }
    response
}

async fn execute(
    registry: &Registry,
    request: Result<RestRequest, RestError>,
    parts: &Parts,
    body: &mut Body,
    arrival: Arrival,
) -> Result<Response, RestError> {
    let query = parts.uri.query().unwrap_or_default();
    if matches!(request, Ok(RestRequest::Health)) {
        return QueryParameters::read(query).map(|_| StatusCode::OK.into_response());
    }
    let service_url = authorization::authorize(registry, parts, arrival.unix_time)?;
    let RestRequest::Hub(hub_name, operation) = request? else { return Ok(StatusCode::OK.into_response()) };
    let parameters = QueryParameters::read(query)?;
    let hub = registry.get_or_create_hub(&hub_name).ok_or(RestError::TooManyHubs)?;
    match operation {
        HubOperation::Send(recipients) => {
            let filter = parameters.filter()?;
            let ttl_seconds = parameters.time_to_live()?;
            let metadata = metadata_headers::read(&parts.headers).ok_or_else(|| {
                let message =
                    "The `X-WebPubSub-Metadata-…` headers are invalid, or exceed the limits.".to_owned();
                RestError::bad_request("metadata", message)
            })?;
            let kind = payload::BodyKind::from_content_type(parts.headers.get(header::CONTENT_TYPE))?;
            let body = body::read(&parts.headers, body).await?;
            let message = message(&recipients, kind.payload(&body)?, metadata);
            let mut broadcast = Broadcast::new(&message, arrival.instant);
            broadcast.expire_after(ttl_seconds);
            registry.history().clock().synchronize(arrival.instant, arrival.time);
            let is_excluded = |connection: &ClientConnection| parameters.is_excluded(connection.id.as_str());
            // REST requests are not throttled: the outbox limit of each receiver bounds the queued frames.
            drop(hub.fan_out(recipients.audience(), filter.as_ref(), is_excluded, &mut broadcast));
            Ok(StatusCode::ACCEPTED.into_response())
        }
        HubOperation::Close(recipients) => {
            close(&hub, &recipients, &parameters)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        HubOperation::Exists(recipients) => match hub.has_any(recipients.audience()) {
            true => Ok(StatusCode::OK.into_response()),
            false => Err(RestError::missing(&recipients)),
        },
        HubOperation::AddToGroup(recipients, group) => membership::add(&hub, &recipients, &group),
        HubOperation::RemoveFromGroups(recipients, group) => {
            membership::remove(&hub, &recipients, group.as_ref());
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        HubOperation::ChangeGroups { add } => {
            let content_type = payload::json_content_type(parts.headers.get(header::CONTENT_TYPE))?;
            let body = body::read(&parts.headers, body).await?;
            membership::change_filtered(&hub, add, &content_type.utf8(&body))?;
            Ok(StatusCode::OK.into_response())
        }
        HubOperation::ListMembers(group) => listing::list(
            &hub,
            PageRequest {
                hub_name: hub_name.as_str(),
                group: &group,
                parameters: &parameters,
                parts,
                service_url: &service_url,
                keys: &registry.settings().access_keys,
                now: arrival.unix_time,
            },
        ),
        HubOperation::GenerateToken => {
            client_token::generate(registry, &hub_name, &parameters, parts, arrival.unix_time)
        }
        HubOperation::Permission(action, permission, id) => {
            permission::execute(&hub, action, permission, &id, &parameters)
        }
    }
}

/// Creates the message of a send operation. Only group messages name their source.
fn message<'a>(recipients: &'a Recipients, payload: Payload<'a>, metadata: Metadata) -> Message<'a> {
    match recipients {
        Recipients::Group(group) => Message::GroupMessage {
            group: group.as_str().into(),
            from_user_id: None,
            payload,
            sequence: None,
            metadata,
            stream: None,
        },
        _ => Message::ServerMessage { payload, sequence: None, metadata },
    }
}

fn close(hub: &Hub, recipients: &Recipients, parameters: &QueryParameters) -> Result<(), RestError> {
    let message = match parameters.one_not_empty("reason")? {
        Some(reason) => format!("Application server closed the connection. Reason: {reason}"),
        None => "Application server closed the connection.".to_owned(),
    };
    for connection in hub.select(recipients.audience(), None) {
        if parameters.is_excluded(connection.id.as_str()) {
            continue;
        }
        connection.disconnect(message.clone(), Close::NORMAL);
    }
    Ok(())
}
