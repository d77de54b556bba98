//! `GET /groups`: the groups that every viewer may join.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use webpubsub_hub::{LiveGroup, Service};
use webpubsub_negotiate::Negotiator;
use webpubsub_protocol::name::{GroupName, HubName};

/// State of the list of groups.
#[derive(Clone)]
pub(super) struct GroupLister {
    negotiator: Negotiator,
    hub: HubName,
    /// `None` for another service, whose groups are unknown.
    service: Option<Service>,
}

impl GroupLister {
    pub(super) fn new(negotiator: Negotiator, hub: HubName, service: Option<Service>) -> Self {
        Self { negotiator, hub, service }
    }
}

#[derive(Serialize)]
struct GroupsResponse {
    groups: Vec<LiveGroup>,
}

/// Responds with the groups that have members or earlier messages, and that every viewer may join.
pub(super) async fn list(State(lister): State<GroupLister>) -> Response {
    let Some(service) = &lister.service else {
        return (StatusCode::NOT_FOUND, "the groups of another service are unknown to this server\n")
            .into_response();
    };
    let is_open = |name: &str| GroupName::new(name).is_ok_and(|group| lister.negotiator.is_open(&group));
    let groups = service.live_groups(lister.hub.as_str(), is_open);
    ([(header::CACHE_CONTROL, "no-store")], Json(GroupsResponse { groups })).into_response()
}
