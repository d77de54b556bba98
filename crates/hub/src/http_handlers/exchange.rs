//! Request bodies and responses of event handlers.

use std::collections::BTreeMap;

use axum::http::header;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use webpubsub_protocol::{name::GroupName, payload::Payload};

use super::delivery::HandlerResponse;
use crate::{
    content_type::ContentType,
    event_handler::{ConnectRejection, ConnectRequest, ConnectResponse, EventError, EventReply},
    metadata_headers,
};

/// Characters that may surround a JSON value (RFC 8259, section 2).
const JSON_WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Body of a `connect` event. All values are lists.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectRequestBody<'a> {
    claims: BTreeMap<String, Vec<String>>,
    query: BTreeMap<&'a str, Vec<&'a str>>,
    headers: BTreeMap<&'a str, Vec<&'a str>>,
    subprotocols: &'a [String],
    client_certificates: [(); 0],
}

/// Encodes the body of a `connect` event.
pub(super) fn connect_request_body(request: &ConnectRequest<'_>) -> Result<String, serde_json::Error> {
    let mut query: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in request.query {
        query.entry(name).or_default().push(value);
    }
    let mut headers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in request.headers {
        headers.entry(name).or_default().push(value);
    }
    let Value::Object(claims) = serde_json::to_value(request.claims)? else { return Ok("{}".to_owned()) };
    let claims = claims.into_iter().map(|(name, value)| (name, texts(value))).collect();
    let body = ConnectRequestBody {
        claims,
        query,
        headers,
        subprotocols: request.subprotocols,
        client_certificates: [],
    };
    serde_json::to_string(&body)
}

fn texts(claim: Value) -> Vec<String> {
    match claim {
        Value::Array(values) => values.into_iter().flat_map(texts).collect(),
        Value::String(text) => vec![text],
        other => vec![other.to_string()],
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectResponseBody {
    user_id: Option<String>,
    groups: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    subprotocol: Option<String>,
}

/// Parses the response to a `connect` event.
pub(super) fn parse_connect_response(response: HandlerResponse) -> Result<ConnectResponse, ConnectRejection> {
    let failed = || ConnectRejection::new(500);
    if !response.status.is_success() {
        let content_type = response.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let rejection = ConnectRejection::new(response.status.as_u16());
        return Err(rejection.with_body(content_type, response.body.into_shared()));
    }
    let body = response.body.as_bytes();
    if body.trim_ascii().is_empty() {
        return Ok(ConnectResponse::default());
    }
    let response: Option<ConnectResponseBody> = serde_json::from_slice(body).map_err(|error| {
        tracing::warn!(%error, "invalid response to the connect event");
        failed()
    })?;
    let Some(response) = response else { return Ok(ConnectResponse::default()) };
    let groups: Vec<GroupName> = response
        .groups
        .unwrap_or_default()
        .iter()
        .map(|name| GroupName::new(name))
        .collect::<Result<_, _>>()
        .map_err(|error| {
            tracing::warn!(%error, "invalid group in the response to the connect event");
            failed()
        })?;
    Ok(ConnectResponse {
        user_id: response.user_id,
        // An empty list leaves the groups of the token, as in the cloud service.
        groups: (!groups.is_empty()).then_some(groups),
        roles: response.roles,
        subprotocol: response.subprotocol.filter(|name| !name.is_empty()),
    })
}

/// Parses the response to a user event; `None` if it is empty.
///
/// The payload is the body itself where no conversion is needed: a copy would not count in the memory budget.
pub(super) fn parse_event_response(response: HandlerResponse) -> Result<Option<EventReply>, EventError> {
    let failed = |reason: &str| EventError::Failed(reason.to_owned());
    if !response.status.is_success() {
        return Err(EventError::Failed(format!("it responded with status {}", response.status)));
    }
    let metadata = metadata_headers::read(&response.headers)
        .ok_or_else(|| failed("the metadata headers of its response are invalid, or exceed the limits"))?;
    let body = response.body.into_vec();
    if body.is_empty() {
        let annotated = (!metadata.is_empty()).then(|| Payload::Text("".into()));
        return Ok(annotated.map(|payload| EventReply { payload, metadata }));
    }
    let content_type = match response.headers.get(header::CONTENT_TYPE) {
        Some(value) => Some(ContentType::parse(value).ok_or_else(|| {
            failed("the content type of its response is not ASCII, or names no known character encoding (`charset`)")
        })?),
        None => None,
    };
    let payload = match content_type.as_ref().map(|content_type| (content_type.media_type(), content_type)) {
        None | Some(("application/octet-stream", _)) => Payload::Binary(body.into()),
        Some(("text/plain", content_type)) => Payload::Text(content_type.decode_owned(body).into()),
        Some(("application/json", content_type)) => {
            let json = into_json(content_type.utf8_owned(body));
            let reason = "its response has the content type of JSON, but is not valid JSON";
            Payload::Json(json.ok_or_else(|| failed(reason))?.into())
        }
        Some(("application/x-protobuf", _)) => Payload::Protobuf(body.into()),
        Some(_) => {
            return Err(failed(
                "the content type of its response is not text/plain, application/json, application/octet-stream or application/x-protobuf",
            ));
        }
    };
    Ok(Some(EventReply { payload, metadata }))
}

/// Returns the JSON value of a body, without the whitespace around it; `None` if it is not valid JSON.
fn into_json(body: Vec<u8>) -> Option<String> {
    let mut json = String::from_utf8(body).ok()?;
    serde_json::from_str::<&RawValue>(&json).ok()?;
    json.truncate(json.trim_end_matches(JSON_WHITESPACE).len());
    json.drain(..json.len() - json.trim_start_matches(JSON_WHITESPACE).len());
    Some(json)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::http_handlers::delivery::ResponseBody;

    fn response(status: u16, content_type: Option<&'static str>, body: &'static str) -> HandlerResponse {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        HandlerResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: ResponseBody::uncharged(body),
        }
    }

    #[test]
    fn an_empty_response_accepts_and_its_fields_override_the_token() {
        for body in ["", "null", " \n"] {
            assert_eq!(
                parse_connect_response(response(200, None, body)),
                Ok(ConnectResponse::default()),
                "{body:?}"
            );
        }
        let full = r#"{"userId":"","groups":["g"],"roles":[],"subprotocol":"s","states":{}}"#;
        let accepted = parse_connect_response(response(200, None, full)).unwrap();
        assert_eq!(accepted.user_id.as_deref(), Some(""));
        assert_eq!(accepted.groups, Some(vec![GroupName::new("g").unwrap()]));
        assert_eq!(accepted.roles, Some(vec![]));
        assert_eq!(accepted.subprotocol.as_deref(), Some("s"));
        let no_groups = parse_connect_response(response(200, None, r#"{"groups":[]}"#)).unwrap();
        assert_eq!(no_groups, ConnectResponse::default());
    }

    #[test]
    fn error_statuses_reject_the_client_and_invalid_responses_are_failures() {
        let status_of =
            |status, body| parse_connect_response(response(status, None, body)).unwrap_err().status();
        assert_eq!(status_of(401, "why"), 401);
        assert_eq!(status_of(429, ""), 429);
        assert_eq!(status_of(302, ""), 302);
        let teapot = response(418, Some("text/html; charset=utf-8"), "<p>no");
        let forwarded =
            ConnectRejection::new(418).with_body(Some("text/html; charset=utf-8".to_owned()), "<p>no");
        assert_eq!(parse_connect_response(teapot), Err(forwarded));
        for invalid in ["<html>", r#"{"groups":[" "]}"#, r#"{"groups":[null]}"#, r#"{"roles":[null]}"#, "[]"]
        {
            assert_eq!(status_of(200, invalid), 500, "{invalid}");
        }
    }

    #[test]
    fn the_content_type_determines_the_payload_of_a_reply() {
        let payload = |content_type, body| {
            parse_event_response(response(200, content_type, body)).unwrap().unwrap().payload
        };
        assert_eq!(payload(Some("text/plain; charset=utf-8"), "a"), Payload::Text("a".into()));
        assert_eq!(payload(Some("Application/JSON"), " {\"n\": 1.0}"), Payload::Json("{\"n\": 1.0}".into()));
        assert_eq!(payload(Some("text/plain; charset=utf-16be"), "\0a"), Payload::Text("a".into()));
        assert_eq!(payload(None, "a"), Payload::Binary(b"a".to_vec().into()));
        assert_eq!(parse_event_response(response(204, None, "")), Ok(None));
        for (status, content_type, body) in [
            (500, None, ""),
            (404, None, "x"),
            (200, Some("text/html"), "x"),
            (200, Some("text/plain; charset=unknown"), "x"),
            (200, Some("application/json"), "{"),
        ] {
            assert!(
                parse_event_response(response(status, content_type, body)).is_err(),
                "{status} {content_type:?}"
            );
        }
    }
}
