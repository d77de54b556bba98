//! Handshake of a client: from an HTTP request to a connection.
//!
//! Checks in this order: WebSocket handshake (400), rate of the address (429), query and hub (400), token (401), limits of
//! connections (429, 503), connect event (status of the event handler), subprotocol and groups (400); then the response
//! is 101.

mod choice;
mod error;
mod query;
mod upgrade;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use webpubsub_protocol::{
    close::Close,
    message::Response as Message,
    name::{GroupName, HubName},
    role::{Permission, Permissions},
    subprotocol::offered_names,
    token::{Claims, UnixTime, audience, verify},
};

use crate::{
    admission::{AdmissionError, Applicant, ConnectionPermit},
    clock::Arrival,
    connection::{ClientConnection, ConnectionId},
    event_context::EventContext,
    event_handler::{ConnectRequest, ConnectResponse},
    outbox::Outbox,
    recorder::Recorder,
    recovery,
    registry::Registry,
    resumable_session::{ReconnectionToken, ResumableSession},
    session::Session,
    websocket::driver,
};
use choice::SubprotocolChoice;
use query::ClientQuery;

pub(crate) use error::HandshakeError;

/// Address of a client, as an extension of its request. Without it, the limits of an address do not apply.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// Marks the request of a client that uses TLS, to this server or to a proxy in front of it, as an extension.
#[derive(Debug, Clone, Copy)]
pub struct EncryptedClient;

/// Names of the headers of a request as the client has spelled them, as an extension of the request: HTTP libraries report
/// them in lower case.
#[derive(Debug, Clone, Default)]
pub struct SentHeaderNames(pub Vec<String>);

/// Handles a request to the client endpoint: `/client/hubs/{hub}`, or `/client?hub={hub}`.
pub(crate) async fn connect(
    State(registry): State<Arc<Registry>>,
    arrival: Arrival,
    mut request: Request,
) -> Response {
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let accepted = match accept(&registry, &parts, arrival).await {
        Ok(accepted) => accepted,
        Err(error) => {
            let rejection = error.into_response();
            registry.metrics().record_refused_handshake(rejection.status().as_u16());
            return rejection;
        }
    };
    let AcceptedHandshake { response, task } = accepted;
    tokio::spawn(async move {
        match on_upgrade.await {
            Ok(upgraded) => task.run(registry, TokioIo::new(upgraded)).await,
            Err(error) => {
                tracing::debug!(%error, "upgrade failed");
                Box::pin(task.abandon(registry)).await;
            }
        }
    });
    response
}

struct AcceptedHandshake {
    response: Response,
    task: UpgradeTask,
}

/// Work that starts when the upgrade completes.
enum UpgradeTask {
    /// New connection that ends with its socket.
    Direct { session: Box<Session>, outbox: Arc<Outbox>, _permit: ConnectionPermit },
    /// New reliable connection.
    Reliable { resumable: Arc<ResumableSession>, outbox: Arc<Outbox> },
    /// Reliable connection to resume.
    Recovered(Arc<ResumableSession>),
    /// Close frame for a connection that cannot be recovered.
    Reject(Close),
}

impl UpgradeTask {
    async fn run(self, registry: Arc<Registry>, socket: impl AsyncRead + AsyncWrite + Send + Unpin) {
        match self {
            Self::Direct { mut session, outbox, _permit } => {
                registry.connection_opened(session.connection());
                driver::run(socket, &mut session, &outbox, registry.event_handler()).await;
                recovery::end(&registry, &mut session);
            }
            Self::Reliable { resumable, outbox } => {
                recovery::run_first(resumable, registry, socket, outbox).await
            }
            Self::Recovered(resumable) => recovery::resume(resumable, registry, socket).await,
            Self::Reject(close) => driver::reject(socket, &close).await,
        }
    }

    /// Ends the connection after a failed upgrade.
    async fn abandon(self, registry: Arc<Registry>) {
        // An empty socket ends the session like a socket that was lost at once.
        self.run(registry, tokio::io::empty()).await;
    }
}

async fn accept(
    registry: &Arc<Registry>,
    parts: &Parts,
    arrival: Arrival,
) -> Result<AcceptedHandshake, HandshakeError> {
    let accept_key = upgrade::accept_key(parts)?;
    let address = parts.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    registry.admission().count_handshake(address, arrival.instant.into_std())?;
    let query = ClientQuery::read(parts.uri.query().unwrap_or_default())?;
    let hub = hub_name(parts.uri.path(), &query)?;
    let offered = offered_subprotocols(&parts.headers);
    if let Some((id, token)) = &query.recovery {
        return recover(registry, &hub, &accept_key, &offered, (id, token), arrival);
    }
    let token = presented_token(parts, &query);
    let claims = authenticate(registry, parts, token, &hub, arrival.unix_time)?;
    let roles = Permissions::from_roles(claims.roles.iter().map(String::as_str));
    let may_publish = roles.allow_any(Permission::SendToGroup);
    // Acquired before the connect event: the event handler need not decide on a connection beyond the limit.
    let permit = registry.admission().admit(&Applicant { address, token, may_publish })?;
    let id = ConnectionId::random().map_err(|_| HandshakeError::Randomness)?;
    let event_context = EventContext::new(hub.to_string(), event_origin(registry, &parts.headers));
    let acceptance = match registry.event_handler() {
        Some(handler) => {
            let request = ConnectRequest {
                hub: hub.as_str(),
                connection_id: id.as_str(),
                claims: &claims,
                query: &query.forwarded,
                headers: &forwarded_headers(parts),
                subprotocols: &offered,
                event_context: &event_context,
            };
            handler.connect(&request).await.map_err(HandshakeError::Rejected)?
        }
        None => ConnectResponse::default(),
    };
    let choice = SubprotocolChoice::negotiate(&offered, acceptance.subprotocol.as_deref())?;
    let groups = match acceptance.groups {
        Some(groups) => groups,
        None => claimed_groups(&claims)?,
    };
    let response = upgrade::switching_protocols(&accept_key, choice.echo.as_deref())?;
    let token_lifetime = reconnection_lifetime(&claims);
    let permissions =
        Permissions::from_roles(acceptance.roles.unwrap_or(claims.roles).iter().map(String::as_str));
    let user_id = acceptance.user_id.or(claims.user_id);
    let reconnection_token = match choice.format.is_reliable() {
        true => Some(
            ReconnectionToken::random(token_lifetime, arrival.instant)
                .map_err(|_| HandshakeError::Randomness)?,
        ),
        false => None,
    };
    let mut connection = ClientConnection::new(id, user_id, choice.format, permissions)
        .with_budget(&registry.settings().memory)
        .with_handshake(event_context, choice.echo.clone());
    if registry.settings().is_inspectable {
        connection.recorder = Recorder::recording(reconnection_token.as_ref().map(ReconnectionToken::text));
    }
    let connection = Arc::new(connection);
    let outbox = connection.attach(arrival.instant).ok_or(AdmissionError::Full)?;
    // Queued before the connection is in the hub, so that it is the first frame.
    connection.send(&Message::Connected {
        connection_id: connection.id.as_str().to_owned(),
        user_id: connection.user_id().map(str::to_owned),
        reconnection_token: reconnection_token.as_ref().map(ReconnectionToken::text),
        run_id: choice.format.is_reliable().then(|| registry.history().run_id().to_string()),
    });
    let joined_hub = registry.get_or_create_hub(&hub).ok_or(AdmissionError::Full)?;
    joined_hub.add(&connection);
    for group in &groups {
        // Groups beyond the limit of a connection are skipped.
        if let Err(error) = joined_hub.join(&connection.id, group) {
            tracing::warn!(connection = %connection.id, %group, %error, "initial group skipped");
        }
    }
    let session = Session::new(joined_hub, connection, query.simple_mode);
    let session = session.with_ack_delay(registry.settings().ack_delay);
    let run_id = Arc::clone(registry.history().run_id());
    let task = match reconnection_token {
        None => UpgradeTask::Direct { session: Box::new(session), outbox, _permit: permit },
        Some(token) => {
            let resumable = ResumableSession::new(hub, session, token, run_id, permit);
            registry.add_resumable(&resumable);
            UpgradeTask::Reliable { resumable, outbox }
        }
    };
    Ok(AcceptedHandshake { response, task })
}

/// Resumes a reliable connection. If it cannot be recovered, completes the upgrade, then closes with code 1008, as the
/// client specification requires.
fn recover(
    registry: &Registry,
    hub: &HubName,
    accept_key: &str,
    offered: &[String],
    (id, token): (&str, &str),
    arrival: Arrival,
) -> Result<AcceptedHandshake, HandshakeError> {
    let is_valid =
        |resumable: &Arc<ResumableSession>| resumable.is_valid_recovery(hub, token, arrival.instant);
    let task = match registry.resumable_session(id).filter(is_valid) {
        Some(resumable) => {
            registry.metrics().recovered.inc();
            UpgradeTask::Recovered(resumable)
        }
        None => {
            registry.metrics().refused_recoveries.inc();
            UpgradeTask::Reject(Close::NOT_RECOVERABLE)
        }
    };
    // A connection keeps its subprotocol, whatever a recovering client offers.
    let subprotocol = match &task {
        UpgradeTask::Recovered(resumable) => resumable.protocol(),
        _ => offered.first().map(String::as_str),
    };
    Ok(AcceptedHandshake { response: upgrade::switching_protocols(accept_key, subprotocol)?, task })
}

fn hub_name(path: &str, query: &ClientQuery) -> Result<HubName, HandshakeError> {
    let name = match path.strip_prefix("/client/hubs/") {
        Some(segment) => percent_encoding::percent_decode_str(segment.trim_end_matches('/'))
            .decode_utf8()
            .map_err(|_| HandshakeError::Hub("the name is not UTF-8".to_owned()))?
            .into_owned(),
        None => query.hub.clone().unwrap_or_default(),
    };
    HubName::new(&name).map_err(|error| HandshakeError::Hub(error.to_string()))
}

fn offered_subprotocols(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(offered_names).map(str::to_owned).collect()
}

fn presented_token<'r>(parts: &'r Parts, query: &'r ClientQuery) -> Option<&'r str> {
    query.access_token.as_deref().or_else(|| bearer_token(&parts.headers))
}

/// Verifies the token of a client of `hub`.
pub(crate) fn authenticate(
    registry: &Registry,
    parts: &Parts,
    token: Option<&str>,
    hub: &HubName,
    now: UnixTime,
) -> Result<Claims, HandshakeError> {
    let unauthorized = |reason: &str| HandshakeError::Unauthorized(reason.to_owned());
    if token.is_none() && registry.settings().allows_anonymous {
        return Ok(Claims::default());
    }
    let token = token.ok_or_else(|| {
        unauthorized(
            "access token missing: send it in the query (`access_token`) or the `Authorization` header",
        )
    })?;
    let claims = verify(token, &registry.settings().access_keys, now)
        .map_err(|error| HandshakeError::Unauthorized(error.to_string()))?;
    let path = format!("/client/hubs/{hub}");
    let is_for = |host: Option<&str>, path: &str| audience::is_for_path(&claims, host, path);
    if !registry.settings().is_valid_audience(&parts.headers, &path, is_for) {
        return Err(unauthorized(
            "the access token is for another hub or service: its `aud` must be the client URL of this hub",
        ));
    }
    Ok(claims)
}

/// Returns the token of an `Authorization: Bearer` header.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Returns the headers that event handlers may receive, with their names as the client has spelled them.
fn forwarded_headers(parts: &Parts) -> Vec<(String, String)> {
    /// Headers that only the cloud service itself sets.
    const INTERNAL: &str = "x-asrs-internal-";
    let is_visible =
        |name: &HeaderName| *name != header::AUTHORIZATION && !name.as_str().starts_with(INTERNAL);
    let sent_names =
        parts.extensions.get::<SentHeaderNames>().map(|names| names.0.as_slice()).unwrap_or_default();
    let spelled = |name: &HeaderName| {
        let sent = sent_names.iter().find(|sent| sent.eq_ignore_ascii_case(name.as_str()));
        sent.cloned().unwrap_or_else(|| name.as_str().to_owned())
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let visible = parts.headers.iter().filter(|(name, _)| is_visible(name));
    visible.map(|(name, value)| (spelled(name), text(value))).collect()
}

/// Returns the host by which event handlers know the service, without a port: the configured one, or the `Host` of the
/// request.
fn event_origin(registry: &Registry, headers: &HeaderMap) -> String {
    if let Some(origin) = &registry.settings().event_origin {
        return origin.clone();
    }
    let authority = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority: Result<axum::http::uri::Authority, _> = authority.parse();
    // RFC 1035, section 2.3.4.
    const MAX_HOST_BYTES: usize = 253;
    let host = authority.map_or_else(|_| String::new(), |authority| authority.host().to_owned());
    if host.len() > MAX_HOST_BYTES { String::new() } else { host }
}

/// Returns the lifetime of a client's reconnection token: that of its access token's claim, in seconds, or the default.
fn reconnection_lifetime(claims: &Claims) -> Duration {
    const CLAIM: &str = "webpubsub.rtoken.ttl";
    let claim = claims.other.get(CLAIM);
    let seconds = claim.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    seconds.map_or(ReconnectionToken::DEFAULT_LIFETIME, Duration::from_secs)
}

fn claimed_groups(claims: &Claims) -> Result<Vec<GroupName>, HandshakeError> {
    let names = claims.groups.iter().map(|name| GroupName::new(name));
    names.collect::<Result<_, _>>().map_err(|error| HandshakeError::Group(error.to_string()))
}
