//! The REST data plane: what application servers ask of the service.
//!
//! Here so far: health, and sending to all, to a group, to a user and to a connection. Every request but health
//! carries a token signed for its URL; a request is judged in the order token (401), parameters (400), body (415, 400).
//!
//! Source: REST data plane 2024-12-01.

mod error;
mod operation;
mod parameters;
mod payload;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use webpubsub_protocol::{
    message::{Metadata, Response as Message},
    token::{audience, verify},
};

use crate::{
    handshake::bearer_token,
    hub::{Audience, Hub},
    service::Service,
    websocket::message_reader::MAX_MESSAGE_BYTES,
};
use error::RestError;
use operation::{Operation, Recipient};
use parameters::SendParameters;

/// The versions of the data plane that are answered.
const API_VERSIONS: &str = "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01";
/// A client's name for its request, given back for its logs.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// Answers a request to `/api/…`.
pub(crate) async fn handle(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match carry_out(&service, &parts, body).await {
        Ok(status) => status.into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert("api-supported-versions", HeaderValue::from_static(API_VERSIONS));
    if let Some(id) = parts.headers.get(CLIENT_REQUEST_ID) {
        headers.insert(CLIENT_REQUEST_ID, id.clone());
    }
    response
}

async fn carry_out(service: &Service, parts: &Parts, body: Body) -> Result<StatusCode, RestError> {
    let operation = Operation::find(&parts.method, parts.uri.path());
    if matches!(operation, Ok(Operation::Health)) {
        return Ok(StatusCode::OK);
    }
    authenticate(service, parts)?;
    let Operation::Send { hub, recipient } = operation? else { return Ok(StatusCode::OK) };
    let parameters = SendParameters::read(parts.uri.query().unwrap_or_default())?;
    let kind = payload::Kind::from_content_type(parts.headers.get(header::CONTENT_TYPE))?;
    let body = read_body(body).await?;
    send(&service.hub(&hub), &recipient, &parameters, kind.payload(&body)?);
    Ok(StatusCode::ACCEPTED)
}

fn authenticate(service: &Service, parts: &Parts) -> Result<(), RestError> {
    let token = bearer_token(&parts.headers).ok_or(RestError::Unauthorized)?;
    let claims = verify(token, &service.settings().access_keys, Service::unix_time())
        .map_err(|_| RestError::Unauthorized)?;
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let host = service.settings().audience_host(&parts.headers);
    if audience::is_for_target(&claims, host, target) { Ok(()) } else { Err(RestError::Unauthorized) }
}

async fn read_body(body: Body) -> Result<bytes::Bytes, RestError> {
    match Limited::new(body, MAX_MESSAGE_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(RestError::bad_request(
            "Request",
            format!("The request body exceeds {MAX_MESSAGE_BYTES} bytes."),
        )),
        Err(_) => Err(RestError::bad_request("Request", "The request body was cut off.".to_owned())),
    }
}

fn send(
    hub: &Hub,
    recipient: &Recipient,
    parameters: &SendParameters,
    payload: webpubsub_protocol::payload::Payload<'_>,
) {
    let metadata = Metadata::new();
    let (audience, message) = match recipient {
        Recipient::Group(group) => {
            let group_name = group.as_str().to_owned();
            let message = Message::GroupMessage {
                group: group_name,
                from_user_id: None,
                payload,
                sequence_id: None,
                metadata,
            };
            (Audience::Group(group), message)
        }
        Recipient::Everyone => {
            (Audience::Everyone, Message::ServerMessage { payload, sequence_id: None, metadata })
        }
        Recipient::User(user) => {
            (Audience::User(user), Message::ServerMessage { payload, sequence_id: None, metadata })
        }
        Recipient::Connection(id) => {
            (Audience::Connection(id), Message::ServerMessage { payload, sequence_id: None, metadata })
        }
    };
    // A server's request is answered at once; what it sends too fast for a client, that client's outbox bounds.
    drop(hub.publish(audience, |id| parameters.excluded.iter().any(|excluded| excluded == id), message));
}
