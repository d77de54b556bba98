//! Features of the cloud service that this service does not offer, by the paths that their clients use.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};

use super::error::RestError;
use crate::{clock::Arrival, registry::Registry};

/// Chat, of which a preview SDK is published.
pub(super) const CHAT: RestError = RestError::NotImplemented(
    "Chat (`azure-messaging-webpubsubchatservice`) is not offered by this service: send messages to groups instead.",
);
/// Invocation of Socket.IO clients by their server.
pub(super) const INVOCATION: RestError = RestError::NotImplemented(
    "Invocations of clients (`@azure/web-pubsub-socket.io`) are not offered by this service: send a message instead.",
);
const SOCKET_IO: RestError = RestError::NotImplemented(
    "Socket.IO clients (`@azure/web-pubsub-socket.io`) are not offered by this service: connect to /client/hubs/HUB with a \
     Web PubSub client.",
);
const MQTT: RestError = RestError::NotImplemented(
    "MQTT clients are not offered by this service: connect to /client/hubs/HUB with a Web PubSub client.",
);
const TUNNEL: RestError = RestError::NotImplemented(
    "Server tunnels (`@azure/web-pubsub-socket.io`, `awps-tunnel`) are not offered by this service: give the URL of the \
     application server as an event handler.",
);

/// Handles a request to `/clients/…` or `/server/…`, with or without a WebSocket handshake. Their clients do not show the
/// response, so the log names the feature, too.
pub(crate) async fn refuse(
    State(registry): State<Arc<Registry>>,
    arrival: Arrival,
    request: Request,
) -> Response {
    let path = request.uri().path();
    let error = match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["clients", "socketio", ..] => SOCKET_IO,
        ["clients", "mqtt", ..] => MQTT,
        ["server", ..] => TUNNEL,
        _ => RestError::NotFound,
    };
    if matches!(error, RestError::NotImplemented(_)) && registry.features_not_offered().count(arrival.instant)
    {
        tracing::warn!(path, %error, "request refused");
    } else {
        tracing::debug!(path, %error, "request refused");
    }
    error.into_response()
}
