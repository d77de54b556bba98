//! `GET /history/hubs/{hub}/groups/{group}`: earlier messages of a group.
//!
//! The access token is that of a client: a client that may join the group may read its history. The response is streamed in pieces,
//! so that a long one takes little memory, and ends at the position that the hub had when the request came.

mod error;
mod query;

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, Method, Request, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tower_http::{CompressionLevel, compression::CompressionLayer, cors::CorsLayer};
use webpubsub_protocol::{
    history::{HistoryRecord, JSON_LINES, PROTOBUF},
    json::history::append_record as append_json,
    name::{GroupName, HubName},
    protobuf::history::append_record as append_protobuf,
    role::{Permission, Permissions},
};

use crate::{
    clock::Arrival,
    handshake,
    history::{HistoryRange, RangeReader, RangeStart},
    hub::Hub,
    memory::{MemoryBudget, SharedCharge},
    registry::Registry,
};
use error::HistoryError;
use query::{HistoryQuery, Start};

/// Size of a piece of a response, in bytes of memory for its messages. A longer message is a piece of its own.
const PIECE_BYTES: usize = 64 * 1024;
/// Memory charged for a response, in bytes: a piece, decoded, encoded and compressed.
const RESPONSE_BYTES: usize = 4 * PIECE_BYTES;

/// Returns the routes.
pub(crate) fn routes(registry: &Arc<Registry>) -> Router {
    // The fastest level: most of the time a page waits for the text, not for the network.
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let origins = registry.settings().allowed_origins.iter().filter_map(|origin| origin.parse().ok());
    let cors = CorsLayer::new()
        .allow_origin(origins.collect::<Vec<HeaderValue>>())
        .allow_methods([Method::GET])
        .allow_headers([header::AUTHORIZATION, header::ACCEPT]);
    Router::new()
        .route("/history/hubs/{hub}/groups/{group}", get(read_group))
        .layer(compression)
        .layer(cors)
        .with_state(Arc::clone(registry))
}

async fn read_group(
    State(registry): State<Arc<Registry>>,
    arrival: Arrival,
    Path((hub, group)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Response {
    let (parts, _) = request.into_parts();
    let query = query.unwrap_or_default();
    let response = respond(&registry, (&hub, &group), &query, &parts, arrival);
    response.unwrap_or_else(IntoResponse::into_response)
}

fn respond(
    registry: &Arc<Registry>,
    (hub, group): (&str, &str),
    query: &str,
    parts: &Parts,
    arrival: Arrival,
) -> Result<Response, HistoryError> {
    let hub_name = HubName::new(hub).map_err(|error| HistoryError::Name(error.to_string()))?;
    let group = GroupName::new(group).map_err(|error| HistoryError::Name(error.to_string()))?;
    let token = access_token(query).or_else(|| handshake::bearer_token(&parts.headers).map(str::to_owned));
    let claims = handshake::authenticate(registry, parts, token.as_deref(), &hub_name, arrival.unix_time)
        .map_err(|error| HistoryError::Token(error.to_string()))?;
    if registry.event_handler().is_some_and(|handler| handler.decides_on_connections(hub_name.as_str())) {
        return Err(HistoryError::HandlerDecides);
    }
    let permissions = Permissions::from_roles(claims.roles.iter().map(String::as_str));
    let is_member = claims.groups.iter().any(|member| member == group.as_str());
    if !is_member && !permissions.allow(Permission::JoinLeaveGroup, group.as_str()) {
        return Err(HistoryError::Forbidden(group));
    }
    let query = HistoryQuery::parse(query)?;
    let hub = registry.get_or_create_hub(&hub_name).ok_or(HistoryError::Full)?;
    let memory = &registry.settings().memory;
    let place = registry.history().response_place().filter(|_| memory.has_spare(RESPONSE_BYTES));
    let place = place.ok_or(HistoryError::Full)?;
    let reader = begin(&hub, group.as_str(), &query, arrival.instant).ok_or(HistoryError::Off(group))?;
    let format = Format::accepted(&parts.headers);
    let body =
        Body::from_stream(pieces(reader, format, (place, memory.charge(RESPONSE_BYTES)), memory.clone()));
    Ok(([(header::CONTENT_TYPE, format.media_type()), (header::CACHE_CONTROL, "no-store")], body)
        .into_response())
}

fn begin(hub: &Arc<Hub>, group: &str, query: &HistoryQuery, now: Instant) -> Option<RangeReader> {
    let history = hub.history()?;
    // Positions of another run have no meaning: everything there is comes after them.
    let is_current = query.run_id.as_deref().is_none_or(|run| *run == **history.service().run_id());
    let start = match query.start {
        Start::Last(count) => RangeStart::Last(count),
        Start::Age(age) => history.since_age(age, now),
        Start::Time(unix_ms) => history.since_time(unix_ms, now),
        Start::After(position) => RangeStart::After(if is_current { position } else { 0 }),
    };
    let range = HistoryRange {
        start,
        before: query.before.filter(|_| is_current),
        max_bytes: usize::try_from(query.max_bytes).unwrap_or(usize::MAX),
    };
    history.begin(group, &range, || hub.last_position(), now)
}

/// Part of a response that comes next.
enum Progress {
    Head,
    Messages,
    Done,
}

/// Returns the pieces of a response.
fn pieces(
    reader: RangeReader,
    format: Format,
    held: (OwnedSemaphorePermit, SharedCharge),
    memory: MemoryBudget,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    let pieces = stream::unfold(
        (reader, Progress::Head, held, memory),
        move |(mut reader, progress, held, memory)| async move {
            let (piece, next) = match progress {
                Progress::Head => (format.encode([HistoryRecord::Head(reader.head())]), Progress::Messages),
                Progress::Messages => {
                    let (piece, is_last) = next_piece(&mut reader, format).await;
                    (piece, if is_last { Progress::Done } else { Progress::Messages })
                }
                Progress::Done => return None,
            };
            // A long message takes more than was charged for the response.
            let piece = if piece.len() > PIECE_BYTES { memory.charged(piece) } else { piece };
            Some((Ok(piece), (reader, next, held, memory)))
        },
    );
    // The compression reads on behind the end.
    pieces.fuse()
}

/// Returns the next messages, encoded, or else the end of the response. Returns whether it is the end, too.
async fn next_piece(reader: &mut RangeReader, format: Format) -> (Bytes, bool) {
    // Other requests run between two pieces.
    tokio::task::yield_now().await;
    let _turn = reader.turn().await;
    let messages = reader.next(PIECE_BYTES);
    if messages.is_empty() {
        (format.encode([HistoryRecord::End(reader.end())]), true)
    } else {
        (format.encode(messages.into_iter().map(HistoryRecord::Message)), false)
    }
}

/// Encoding of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    JsonLines,
    Protobuf,
}

impl Format {
    /// Returns the format that the client asks for.
    fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut types = accept.split(',').filter_map(|range| range.split(';').next());
        match types.any(|media_type| media_type.trim().eq_ignore_ascii_case(PROTOBUF)) {
            true => Self::Protobuf,
            false => Self::JsonLines,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => JSON_LINES,
            Self::Protobuf => PROTOBUF,
        }
    }

    fn encode(self, records: impl IntoIterator<Item = HistoryRecord<'static>>) -> Bytes {
        match self {
            Self::JsonLines => {
                let mut text = String::new();
                records.into_iter().for_each(|record| append_json(&mut text, &record));
                text.into()
            }
            Self::Protobuf => {
                let mut bytes = Vec::new();
                records.into_iter().for_each(|record| append_protobuf(&mut bytes, &record));
                bytes.into()
            }
        }
    }
}

fn access_token(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("access_token="))?;
    Some(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
}
