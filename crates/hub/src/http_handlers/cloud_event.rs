//! Events as HTTP requests: CloudEvents in binary mode, with the extension of the service.
//!
//! Source: service documentation, "CloudEvents extension for event handlers".

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use webpubsub_protocol::{
    connection_string::AccessKey, message::Metadata, name::GroupName, payload::Payload,
    token::event_signature,
};

use super::{group_presence::GroupPresenceEvent, rule::SystemEvent};
use crate::{
    event_context::EventContext, event_handler::EventError, identity::ConnectionId, metadata_headers,
};

pub(super) const CONNECTION_STATE: HeaderName = HeaderName::from_static("ce-connectionstate");
pub(super) const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// Connection of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventConnection<'a> {
    pub(super) connection_id: &'a str,
    pub(super) user_id: Option<&'a str>,
    /// Negotiated subprotocol; `None` before the negotiation.
    pub(super) subprotocol: Option<&'a str>,
    pub(super) event_context: &'a EventContext,
    /// Time of the event.
    pub(super) at: SystemTime,
}

/// Request to a handler, without its URL.
#[derive(Debug)]
pub(super) struct CloudEvent {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl CloudEvent {
    /// Creates a system event.
    pub(super) fn system(
        event: SystemEvent,
        event_connection: EventConnection<'_>,
        keys: &[AccessKey],
        body: String,
    ) -> Result<Self, EventError> {
        let kind = format!("azure.webpubsub.sys.{}", event.name());
        let number = match event {
            SystemEvent::Connect => 0,
            SystemEvent::Connected | SystemEvent::Disconnected => event_connection.event_context.next_id(),
        };
        Ok(Self::json(headers((&kind, event.name(), number), event_connection, keys)?, body))
    }

    /// Creates a group presence event.
    ///
    /// Source: `@azure/web-pubsub-express` 1.1.0.
    pub(super) fn group_presence(
        event: GroupPresenceEvent,
        group: &GroupName,
        event_connection: EventConnection<'_>,
        keys: &[AccessKey],
    ) -> Result<Self, EventError> {
        let kind = format!("azure.webpubsub.gp.{}", event.name());
        let body = serde_json::json!({ "group": group.as_str() }).to_string();
        let number = event_connection.event_context.next_id();
        Ok(Self::json(headers((&kind, event.name(), number), event_connection, keys)?, body))
    }

    fn json(mut headers: HeaderMap, body: String) -> Self {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        Self { headers, body: body.into() }
    }

    /// Creates a user event.
    pub(super) fn user(
        name: &str,
        payload: &Payload<'_>,
        metadata: &Metadata,
        event_connection: EventConnection<'_>,
        keys: &[AccessKey],
    ) -> Result<Self, EventError> {
        let (kind, number) =
            (format!("azure.webpubsub.user.{name}"), event_connection.event_context.next_id());
        let mut headers = headers((&kind, name, number), event_connection, keys)?;
        metadata_headers::write(metadata, &mut headers);
        let (content_type, body) = match payload {
            Payload::Text(text) => ("text/plain; charset=utf-8", text.as_bytes()),
            Payload::Json(json) => ("application/json", json.as_bytes()),
            Payload::Binary(bytes) => ("application/octet-stream", &bytes[..]),
            Payload::Protobuf(bytes) => ("application/x-protobuf", &bytes[..]),
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(Self { headers, body: Bytes::copy_from_slice(body) })
    }
}

/// Returns the headers of an event with its type, its name, and its number among those of the connection.
fn headers(
    (kind, name, number): (&str, &str, u64),
    event_connection: EventConnection<'_>,
    keys: &[AccessKey],
) -> Result<HeaderMap, EventError> {
    let id = event_connection.connection_id;
    let hub = event_connection.event_context.hub.as_str();
    let texts = [
        ("ce-specversion", Some("1.0".to_owned())),
        ("ce-awpsversion", Some("1.0".to_owned())),
        ("ce-type", Some(kind.to_owned())),
        ("ce-source", Some(format!("/hubs/{hub}/client/{id}"))),
        ("ce-id", Some(number.to_string())),
        ("ce-time", Some(humantime::format_rfc3339_seconds(event_connection.at).to_string())),
        ("ce-hub", Some(hub.to_owned())),
        ("ce-connectionid", Some(id.to_owned())),
        ("ce-eventname", Some(name.to_owned())),
        ("ce-userid", event_connection.user_id.filter(|user| !user.is_empty()).map(str::to_owned)),
        ("ce-subprotocol", event_connection.subprotocol.map(str::to_owned)),
        ("ce-signature", Some(event_signature(id, keys))),
        ("webhook-request-origin", Some(event_connection.event_context.origin.clone())),
        ("x-ms-client-request-id", request_id()),
    ];
    let mut headers = HeaderMap::with_capacity(texts.len() + 4);
    for (name, text) in texts {
        let Some(text) = text else { continue };
        // HTTP strips white space at the ends of a value: the handler would receive a different user id.
        let is_preserved = text.trim_matches([' ', '\t']).len() == text.len();
        // `from_bytes` accepts UTF-8, which user ids may contain; `from_str` accepts only ASCII.
        match HeaderValue::from_bytes(text.as_bytes()) {
            Ok(value) if is_preserved => drop(headers.insert(HeaderName::from_static(name), value)),
            _ => return Err(EventError::Failed(format!("`{name}` is not valid in a header: {text:?}"))),
        }
    }
    if let Some(state) = event_connection.event_context.connection_state() {
        headers.insert(CONNECTION_STATE, state);
    }
    Ok(headers)
}

/// Creates a UUID for the logs. `None` without randomness: the request is sent without an id.
fn request_id() -> Option<String> {
    let digits = ConnectionId::random().ok()?.as_str().to_owned();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    Some(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_carry_connection_user_and_type_and_are_signed() {
        let event_context = EventContext::new("chat".into(), "localhost".into());
        let id = ConnectionId::random().unwrap();
        let keys = [AccessKey::new(&"k".repeat(32)).unwrap()];
        let event_connection = EventConnection {
            connection_id: id.as_str(),
            user_id: Some("ada é"),
            subprotocol: Some("chat.v1"),
            event_context: &event_context,
            at: SystemTime::UNIX_EPOCH,
        };
        let first = CloudEvent::system(SystemEvent::Connect, event_connection, &keys, "{}".into()).unwrap();
        event_context.set_connection_state(HeaderValue::from_static(""));
        let metadata: Metadata = [("k".to_owned(), "v".to_owned())].into();
        let second =
            CloudEvent::user("echo", &Payload::Text("hi".into()), &metadata, event_connection, &keys)
                .unwrap();
        let text = |event: &CloudEvent, name: &str| {
            event.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        assert_eq!(text(&first, "ce-type").unwrap(), "azure.webpubsub.sys.connect");
        assert_eq!(text(&first, "ce-connectionstate"), None);
        assert_eq!(
            (text(&first, "ce-id").unwrap(), text(&second, "ce-id").unwrap()),
            ("0".into(), "1".into())
        );
        assert_eq!(text(&second, "ce-type").unwrap(), "azure.webpubsub.user.echo");
        assert_eq!(text(&second, "ce-source").unwrap(), format!("/hubs/chat/client/{id}"));
        assert_eq!(text(&second, "ce-userid").unwrap(), "ada é");
        assert_eq!(text(&second, "ce-connectionstate").unwrap(), "");
        assert_eq!(text(&second, "x-webpubsub-metadata-k").unwrap(), "v");
        assert_eq!(text(&second, "content-type").unwrap(), "text/plain; charset=utf-8");
        assert_eq!(text(&second, "ce-signature").unwrap(), event_signature(id.as_str(), &keys));
        assert_eq!(text(&second, "x-ms-client-request-id").unwrap().len(), 36);
        assert_eq!(text(&second, "ce-time").unwrap(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn user_ids_that_http_would_change_are_rejected() {
        let (event_context, id) = (EventContext::default(), ConnectionId::random().unwrap());
        for user in [" admin", "admin ", "ad\nmin", "\tadmin"] {
            let event_connection = EventConnection {
                connection_id: id.as_str(),
                user_id: Some(user),
                subprotocol: None,
                event_context: &event_context,
                at: SystemTime::UNIX_EPOCH,
            };
            assert!(
                CloudEvent::system(SystemEvent::Connected, event_connection, &[], "{}".into()).is_err(),
                "{user:?}"
            );
        }
    }
}
