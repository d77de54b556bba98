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
use tokio::io::{AsyncRead, AsyncWrite};
use webpubsub_protocol::{
    close::Close,
    message::Response as Message,
    name::{GroupName, HubName},
    role::Permissions,
    subprotocol::offered_names,
    token::{Claims, audience, verify},
};

use crate::{
    connection::{ClientConnection, ConnectionId},
    event_handler::{ConnectRequest, ConnectResponse, EventContext},
    inspect::recorder::Recorder,
    outbox::Outbox,
    recovery::ResumableSession,
    service::{ConnectionPermit, Service},
    session::Session,
    websocket::driver,
};
use choice::SubprotocolChoice;
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
        Err(error) => {
            let refusal = error.into_response();
            service.metrics().record_refused_handshake(refusal.status().as_u16());
            return refusal;
        }
    };
    let AcceptedHandshake { response, task } = accepted;
    tokio::spawn(async move {
        match on_upgrade.await {
            Ok(upgraded) => task.run(service, TokioIo::new(upgraded)).await,
            Err(error) => {
                tracing::debug!(%error, "the client went away during the handshake");
                task.abandon(service).await;
            }
        }
    });
    response
}

struct AcceptedHandshake {
    response: Response,
    task: UpgradeTask,
}

/// What follows the handshake.
enum UpgradeTask {
    /// A connection that ends with its socket.
    Direct { session: Session, outbox: Arc<Outbox>, _permit: ConnectionPermit },
    /// A reliable connection, new.
    Reliable { resumable: Arc<ResumableSession>, outbox: Arc<Outbox> },
    /// A reliable connection, taken up again.
    Recovered(Arc<ResumableSession>),
    /// Nothing but a reason.
    Reject(Close),
}

impl UpgradeTask {
    async fn run(self, service: Arc<Service>, socket: impl AsyncRead + AsyncWrite + Send + Unpin) {
        match self {
            Self::Direct { mut session, outbox, _permit } => {
                service.connection_opened(session.connection());
                driver::run(socket, &mut session, &outbox, service.event_handler()).await;
                service.connection_closed(&mut session);
            }
            Self::Reliable { resumable, outbox } => resumable.run_first(service, socket, outbox).await,
            Self::Recovered(resumable) => resumable.resume(service, socket).await,
            Self::Reject(close) => driver::reject(socket, &close).await,
        }
    }

    /// The socket never came to be.
    async fn abandon(self, service: Arc<Service>) {
        // Nothing to read, nothing to write to: ends like a socket that was lost at once.
        self.run(service, tokio::io::empty()).await;
    }
}

async fn accept(service: &Arc<Service>, parts: &Parts) -> Result<AcceptedHandshake, HandshakeError> {
    let accept_key = upgrade::accept_key(parts)?;
    let query = ClientQuery::read(parts.uri.query().unwrap_or_default())?;
    let hub = hub_name(parts.uri.path(), &query)?;
    let offered = offered_subprotocols(&parts.headers);
    if let Some((id, token)) = &query.recovery {
        return recover(service, &hub, &accept_key, &offered, id, token);
    }
    let claims = authenticate(service, parts, &query, &hub)?;
    // Before the application is asked: for whom there is no room, it need not be.
    let permit = service.acquire_permit().ok_or(HandshakeError::Full)?;
    let id = ConnectionId::random().map_err(|_| HandshakeError::Randomness)?;
    let event_context = EventContext::new(hub.to_string(), event_origin(service, &parts.headers));
    let request = ConnectRequest {
        hub: &hub,
        connection_id: &id,
        claims: &claims,
        query: &query.forwarded,
        headers: &without_credentials(&parts.headers),
        subprotocols: &offered,
        event_context: &event_context,
    };
    let answer = match service.event_handler() {
        Some(handler) => {
            handler.connect(request).await.map_err(|refusal| HandshakeError::Refused(refusal.0))?
        }
        None => ConnectResponse::default(),
    };
    let choice = SubprotocolChoice::negotiate(&offered, answer.subprotocol.as_deref())?;
    let groups = match answer.groups {
        Some(groups) => groups,
        None => claimed_groups(&claims)?,
    };
    let response = upgrade::switching_protocols(&accept_key, choice.echo.as_deref())?;
    let permissions =
        Permissions::from_roles(answer.roles.unwrap_or(claims.roles).iter().map(String::as_str));
    let user_id = answer.user_id.or(claims.user_id);
    let reconnection_token = match choice.format.is_reliable() {
        true => Some(ResumableSession::new_token().map_err(|_| HandshakeError::Randomness)?),
        false => None,
    };
    let mut connection = ClientConnection::new(id, user_id, choice.format, permissions)
        .with_handshake(event_context, choice.echo.clone());
    if service.settings().is_inspectable {
        connection.recorder = Recorder::recording(reconnection_token.clone());
    }
    let connection = Arc::new(connection);
    let outbox = connection.attach().ok_or(HandshakeError::Full)?;
    // Before anybody can publish to it: the greeting is the first frame.
    connection.send(&Message::Connected {
        connection_id: connection.id.as_str().to_owned(),
        user_id: connection.user_id.clone(),
        reconnection_token: reconnection_token.clone(),
    });
    let hub_state = service.get_or_create_hub(&hub).ok_or(HandshakeError::Full)?;
    hub_state.add(&connection);
    for group in &groups {
        // A token that names more groups than a connection may be in fills it up, and the rest is left.
        if let Err(error) = hub_state.join(&connection.id, group) {
            tracing::warn!(connection = %connection.id, %group, %error, "initial group not joined");
        }
    }
    let session = Session::new(hub_state, connection, query.simple_mode);
    let task = match reconnection_token {
        None => UpgradeTask::Direct { session, outbox, _permit: permit },
        Some(token) => {
            let resumable = ResumableSession::new(hub, session, token, permit);
            service.add_resumable(&resumable);
            UpgradeTask::Reliable { resumable, outbox }
        }
    };
    Ok(AcceptedHandshake { response, task })
}

/// Takes a connection up again, or says that it cannot be: by a close frame with code 1008, as the protocol has it.
fn recover(
    service: &Service,
    hub: &HubName,
    accept_key: &str,
    offered: &[String],
    id: &str,
    token: &str,
) -> Result<AcceptedHandshake, HandshakeError> {
    let task = match service.resumable_session(id).filter(|resumable| resumable.is_valid_recovery(hub, token))
    {
        Some(resumable) => {
            service.metrics().recovered.inc();
            UpgradeTask::Recovered(resumable)
        }
        None => {
            service.metrics().refused_recoveries.inc();
            UpgradeTask::Reject(Close::NOT_RECOVERABLE)
        }
    };
    // A connection keeps its subprotocol; a client that offers another one now is answered with what it had.
    let spoken = match &task {
        UpgradeTask::Recovered(resumable) => resumable.protocol(),
        _ => offered.first().map(String::as_str),
    };
    Ok(AcceptedHandshake { response: upgrade::switching_protocols(accept_key, spoken)?, task })
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
    if token.is_none() && service.settings().allows_anonymous {
        return Ok(Claims::default());
    }
    let token = token.ok_or_else(|| {
        unauthorized(
            "no access token came: it belongs in the query (`access_token`) or the `Authorization` header",
        )
    })?;
    let claims = verify(token, &service.settings().access_keys, Service::unix_time())
        .map_err(|error| HandshakeError::Unauthorized(error.to_string()))?;
    let path = format!("/client/hubs/{hub}");
    let is_for = |host: Option<&str>| audience::is_for_path(&claims, host, &path);
    if !service.settings().is_valid_audience(&parts.headers, is_for) {
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

/// What event handlers may see of a client's request.
fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let mut shown = headers.clone();
    shown.remove(header::AUTHORIZATION);
    shown
}

/// What event handlers know the service by: the name given for that, or else the one that the client reached us by,
/// without a port.
fn event_origin(service: &Service, headers: &HeaderMap) -> String {
    if let Some(origin) = &service.settings().event_origin {
        return origin.clone();
    }
    let authority = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority: Result<axum::http::uri::Authority, _> = authority.parse();
    // No name is longer (RFC 1035, section 2.3.4).
    const MAX_HOST_BYTES: usize = 253;
    let host = authority.map_or_else(|_| String::new(), |authority| authority.host().to_owned());
    if host.len() > MAX_HOST_BYTES { String::new() } else { host }
}

fn claimed_groups(claims: &Claims) -> Result<Vec<GroupName>, HandshakeError> {
    let names = claims.groups.iter().map(|name| GroupName::new(name));
    names.collect::<Result<_, _>>().map_err(|error| HandshakeError::Group(error.to_string()))
}
