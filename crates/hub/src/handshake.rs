//! From an HTTP request to a connection.
//!
//! Order of judgement: is it a WebSocket handshake (400), which hub (400), who is it (401), how is it to be treated
//! (400), does the application want it (its status), is there room (503), and only then 101.

mod choice;
mod query;
mod upgrade;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use webpubsub_protocol::{
    close::Close,
    name::{GroupName, HubName},
    role::Permissions,
    subprotocol::offered_names,
    token::{Claims, audience, verify},
};

use crate::{
    connect_handler::{ConnectAnswer, ConnectRequest},
    connection::{Connection, ConnectionId},
    outbox::Outbox,
    service::Service,
    session::Session,
    websocket::{driver, frame::encode_close},
};
use choice::Choice;
use query::ClientQuery;

/// Why a client was not let in. What the client gets to read says no more than it needs to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not a WebSocket handshake.
    #[error("this is the address of a WebSocket: {0}")]
    NotAHandshake(&'static str),
    /// The address names no hub, or not a valid one.
    #[error("the address names no valid hub: {0}")]
    Hub(String),
    /// No token, or one that does not count.
    #[error("{0}")]
    Unauthorized(String),
    /// The token puts the client into a group that cannot be.
    #[error("the access token names an invalid group: {0}")]
    Group(String),
    /// The query of a simple client makes no sense.
    #[error("{0}")]
    Query(String),
    /// The client speaks none of our subprotocols.
    #[error("{0}")]
    Subprotocol(String),
    /// The application wants no such connection.
    #[error("the application refused the connection")]
    Refused(StatusCode),
    /// As many clients are connected as may be.
    #[error("the service has as many connections as it takes; try again later")]
    Full,
    /// The system has no randomness to give.
    #[error("the service cannot make a connection id")]
    Randomness,
}

impl IntoResponse for HandshakeError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotAHandshake(_)
            | Self::Hub(_)
            | Self::Group(_)
            | Self::Query(_)
            | Self::Subprotocol(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Refused(status) => *status,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Randomness => StatusCode::INTERNAL_SERVER_ERROR,
        };
        tracing::debug!(%status, error = %self, "client not let in");
        (status, format!("{self}\n")).into_response()
    }
}

/// Answers a request to the client endpoint: `/client/hubs/{hub}`, or `/client?hub={hub}`.
pub async fn connect(State(service): State<Arc<Service>>, mut request: Request) -> Response {
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let accepted = match accept(&service, &parts).await {
        Ok(accepted) => accepted,
        Err(error) => return error.into_response(),
    };
    let Accepted { response, conversation } = accepted;
    tokio::spawn(async move {
        match on_upgrade.await {
            Ok(upgraded) => conversation.run(TokioIo::new(upgraded)).await,
            Err(error) => {
                tracing::debug!(%error, "the client went away during the handshake");
                conversation.abandon();
            }
        }
    });
    response
}

struct Accepted {
    response: Response,
    conversation: Conversation,
}

/// What follows the handshake.
enum Conversation {
    /// A connection.
    Session { session: Session, _place: crate::service::Place },
    /// Nothing but a reason.
    Farewell(Close),
}

impl Conversation {
    async fn run(self, socket: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin) {
        match self {
            Self::Session { session, _place } => driver::run(socket, session).await,
            Self::Farewell(close) => farewell(socket, &close).await,
        }
    }

    fn abandon(self) {
        if let Self::Session { session, .. } = self {
            session.ended();
        }
    }
}

/// Sends a close frame and nothing else.
async fn farewell(mut socket: impl tokio::io::AsyncWrite + Unpin, close: &Close) {
    use tokio::io::AsyncWriteExt;
    let goodbye = async {
        socket.write_all(&encode_close(close)).await?;
        socket.shutdown().await
    };
    // A client that does not take it has gone.
    drop(tokio::time::timeout(driver::CLOSE_TIMEOUT, goodbye).await);
}

async fn accept(service: &Arc<Service>, parts: &Parts) -> Result<Accepted, HandshakeError> {
    let accept_key = upgrade::accept_key(parts)?;
    let query = ClientQuery::read(parts.uri.query().unwrap_or_default())?;
    let hub = hub_name(parts.uri.path(), &query)?;
    let offered = offered_subprotocols(&parts.headers);
    if query.asks_for_recovery {
        // No connection outlives its socket here, so there is none to recover: the client is told as the protocol
        // wants it, by a close frame with code 1008.
        let response = upgrade::switching_protocols(&accept_key, offered.first().map(String::as_str))?;
        return Ok(Accepted { response, conversation: Conversation::Farewell(Close::NOT_RECOVERABLE) });
    }
    let claims = authenticate(service, parts, &query, &hub)?;
    let id = ConnectionId::random().map_err(|_| HandshakeError::Randomness)?;
    let answer = ask_application(service, parts, &hub, &id, &claims, &query, &offered).await?;
    let choice = Choice::make(&offered, answer.subprotocol.as_deref())?;
    let groups = match answer.groups {
        Some(groups) => groups,
        None => claimed_groups(&claims)?,
    };
    let place = service.take_place().ok_or(HandshakeError::Full)?;
    let connection = Arc::new(Connection {
        id,
        user_id: answer.user_id.or(claims.user_id),
        format: choice.format,
        permissions: Permissions::from_roles(answer.roles.unwrap_or(claims.roles).iter().map(String::as_str)),
        outbox: Outbox::default(),
    });
    let response = upgrade::switching_protocols(&accept_key, choice.echo.as_deref())?;
    let hub = service.hub(&hub);
    hub.add(&connection);
    for group in &groups {
        // A token that names more groups than a connection may be in fills it up, and the rest is left.
        if let Err(error) = hub.join(&connection.id, group) {
            tracing::warn!(connection = %connection.id, %group, %error, "initial group not joined");
        }
    }
    tracing::debug!(connection = %connection.id, user = ?connection.user_id, format = ?connection.format, "connected");
    let session = Session::new(hub, connection, query.simple_mode);
    Ok(Accepted { response, conversation: Conversation::Session { session, _place: place } })
}

fn hub_name(path: &str, query: &ClientQuery) -> Result<HubName, HandshakeError> {
    let name = match path.strip_prefix("/client/hubs/") {
        Some(segment) => percent_encoding::percent_decode_str(segment.trim_end_matches('/'))
            .decode_utf8()
            .map_err(|_| HandshakeError::Hub("not UTF-8".to_owned()))?
            .into_owned(),
        None => query.hub.clone().unwrap_or_default(),
    };
    HubName::new(&name).map_err(|error| HandshakeError::Hub(error.to_string()))
}

fn offered_subprotocols(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(offered_names).map(str::to_owned).collect()
}

fn authenticate(
    service: &Service,
    parts: &Parts,
    query: &ClientQuery,
    hub: &HubName,
) -> Result<Claims, HandshakeError> {
    let unauthorized = |words: &str| HandshakeError::Unauthorized(words.to_owned());
    let from_header = || bearer_token(&parts.headers);
    let token = query.access_token.as_deref().or_else(from_header);
    let token = token.ok_or_else(|| {
        unauthorized(
            "no access token came: it belongs in the query (`access_token`) or the `Authorization` header",
        )
    })?;
    let claims = verify(token, &service.settings().access_keys, Service::unix_time())
        .map_err(|error| HandshakeError::Unauthorized(error.to_string()))?;
    let host = service.settings().audience_host(&parts.headers);
    if !audience::is_for_path(&claims, host, &format!("/client/hubs/{hub}")) {
        return Err(unauthorized("the access token is for another hub or another service (`aud`)"));
    }
    Ok(claims)
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn ask_application(
    service: &Service,
    parts: &Parts,
    hub: &HubName,
    connection_id: &ConnectionId,
    claims: &Claims,
    query: &ClientQuery,
    offered: &[String],
) -> Result<ConnectAnswer, HandshakeError> {
    let Some(handler) = &service.settings().connect_handler else { return Ok(ConnectAnswer::default()) };
    let mut headers = parts.headers.clone();
    headers.remove(header::AUTHORIZATION);
    let request = ConnectRequest {
        hub,
        connection_id,
        claims,
        query: &query.passed_on,
        headers: &headers,
        subprotocols: offered,
    };
    handler.connect(request).await.map_err(|refusal| HandshakeError::Refused(refusal.0))
}

fn claimed_groups(claims: &Claims) -> Result<Vec<GroupName>, HandshakeError> {
    let names = claims.groups.iter().map(|name| GroupName::new(name));
    names.collect::<Result<_, _>>().map_err(|error| HandshakeError::Group(error.to_string()))
}
