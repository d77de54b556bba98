//! What is asked of handlers, and what their answers mean.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use webpubsub_protocol::{name::GroupName, payload::Payload};

use super::delivery::HandlerResponse;
use crate::{
    event_handler::{ConnectRejection, ConnectRequest, ConnectResponse, EventError, EventReply},
    metadata_headers,
};

/// The body of a `connect` event. Every value is a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectRequestBody<'a> {
    claims: BTreeMap<String, Vec<String>>,
    query: BTreeMap<&'a str, Vec<&'a str>>,
    headers: BTreeMap<&'a str, Vec<String>>,
    subprotocols: &'a [String],
    client_certificates: [(); 0],
}

/// Writes the body of a `connect` event.
pub(super) fn connect_request_body(request: &ConnectRequest<'_>) -> Result<String, serde_json::Error> {
    let mut query: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in request.query {
        query.entry(name).or_default().push(value);
    }
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str()).or_default().push(value);
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

/// Reads what a handler says to a `connect` event.
pub(super) fn parse_connect_response(answer: &HandlerResponse) -> Result<ConnectResponse, ConnectRejection> {
    let failed = ConnectRejection(StatusCode::INTERNAL_SERVER_ERROR);
    if !answer.status.is_success() {
        // Only a failure can be the client's answer; a redirection, say, is none.
        let is_failure = answer.status.is_client_error() || answer.status.is_server_error();
        return Err(if is_failure { ConnectRejection(answer.status) } else { failed });
    }
    if answer.body.trim_ascii().is_empty() {
        return Ok(ConnectResponse::default());
    }
    let response: Option<ConnectResponseBody> = serde_json::from_slice(&answer.body).map_err(|error| {
        tracing::warn!(%error, "the connect handler's answer is not what it should be");
        failed
    })?;
    let Some(response) = response else { return Ok(ConnectResponse::default()) };
    let groups: Vec<GroupName> = response
        .groups
        .unwrap_or_default()
        .iter()
        .map(|name| GroupName::new(name))
        .collect::<Result<_, _>>()
        .map_err(|error| {
            tracing::warn!(%error, "the connect handler's answer names an invalid group");
            failed
        })?;
    Ok(ConnectResponse {
        user_id: response.user_id,
        // No groups at all leave those of the token.
        groups: (!groups.is_empty()).then_some(groups),
        roles: response.roles,
        subprotocol: response.subprotocol.filter(|name| !name.is_empty()),
    })
}

/// Reads what a handler says to a client's event: what to send to that client, if anything.
pub(super) fn parse_event_response(answer: &HandlerResponse) -> Result<Option<EventReply>, EventError> {
    let failed = |words: &str| EventError::Failed(words.to_owned());
    if !answer.status.is_success() {
        return Err(EventError::Failed(format!("it answered {}", answer.status)));
    }
    let metadata =
        metadata_headers::read(&answer.headers).ok_or_else(|| failed("its annotations break the rules"))?;
    let body = &answer.body[..];
    if body.is_empty() {
        let annotated = (!metadata.is_empty()).then(|| Payload::Text("".into()));
        return Ok(annotated.map(|payload| EventReply { payload, metadata }));
    }
    let content_type = answer.headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str);
    let content_type = content_type.transpose().map_err(|_| failed("its content type is unreadable"))?;
    let media_type = content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    let is = |name: &str| media_type.is_some_and(|given| given.eq_ignore_ascii_case(name));
    let payload = if media_type.is_none() || is("application/octet-stream") {
        Payload::Binary(body.to_vec().into())
    } else if is("text/plain") {
        Payload::Text(String::from_utf8_lossy(body).into_owned().into())
    } else if is("application/json") {
        let json: &RawValue =
            serde_json::from_slice(body).map_err(|_| failed("its answer claims to be JSON and is not"))?;
        Payload::Json(json.get().to_owned().into())
    } else if is("application/x-protobuf") {
        Payload::Protobuf(body.to_vec().into())
    } else {
        return Err(failed("its answer is of no type that a client can be sent"));
    };
    Ok(Some(EventReply { payload, metadata }))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    fn answer(status: u16, content_type: Option<&'static str>, body: &'static str) -> HandlerResponse {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        HandlerResponse { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }

    #[test]
    fn an_empty_answer_accepts_and_a_full_one_decides() {
        for body in ["", "null", " \n"] {
            assert_eq!(
                parse_connect_response(&answer(200, None, body)),
                Ok(ConnectResponse::default()),
                "{body:?}"
            );
        }
        let full = r#"{"userId":"","groups":["g"],"roles":[],"subprotocol":"s","states":{}}"#;
        let decided = parse_connect_response(&answer(200, None, full)).unwrap();
        assert_eq!(decided.user_id.as_deref(), Some(""));
        assert_eq!(decided.groups, Some(vec![GroupName::new("g").unwrap()]));
        assert_eq!(decided.roles, Some(vec![]));
        assert_eq!(decided.subprotocol.as_deref(), Some("s"));
        let no_groups = parse_connect_response(&answer(200, None, r#"{"groups":[]}"#)).unwrap();
        assert_eq!(no_groups, ConnectResponse::default());
    }

    #[test]
    fn a_refusal_is_passed_on_and_nonsense_is_the_handler_s_failure() {
        let refused =
            |status, body| parse_connect_response(&answer(status, None, body)).unwrap_err().0.as_u16();
        assert_eq!(refused(401, "why"), 401);
        assert_eq!(refused(429, ""), 429);
        assert_eq!(refused(302, ""), 500);
        for nonsense in ["<html>", r#"{"groups":[" "]}"#, r#"{"groups":[null]}"#, r#"{"roles":[null]}"#, "[]"]
        {
            assert_eq!(refused(200, nonsense), 500, "{nonsense}");
        }
    }

    #[test]
    fn a_reply_is_what_its_content_type_says() {
        let payload = |content_type, body| {
            parse_event_response(&answer(200, content_type, body)).unwrap().unwrap().payload
        };
        assert_eq!(payload(Some("text/plain; charset=utf-8"), "a"), Payload::Text("a".into()));
        assert_eq!(payload(Some("Application/JSON"), " {\"n\": 1.0}"), Payload::Json("{\"n\": 1.0}".into()));
        assert_eq!(payload(None, "a"), Payload::Binary(b"a".to_vec().into()));
        assert_eq!(parse_event_response(&answer(204, None, "")), Ok(None));
        for (status, content_type, body) in [
            (500, None, ""),
            (404, None, "x"),
            (200, Some("text/html"), "x"),
            (200, Some("application/json"), "{"),
        ] {
            assert!(
                parse_event_response(&answer(status, content_type, body)).is_err(),
                "{status} {content_type:?}"
            );
        }
    }
}
