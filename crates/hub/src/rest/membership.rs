//! Group membership of connections and users.

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use webpubsub_protocol::name::GroupName;

use super::{error::RestError, parameters::parse_filter, recipients::Recipients};
use crate::{
    connection::ClientConnection,
    hub::{Audience, Hub, JoinError},
};

/// Adds a connection, or all connections of a user, to a group.
pub(super) fn add(hub: &Hub, recipients: &Recipients, group: &GroupName) -> Result<Response, RestError> {
    let connections = hub.select(recipients.audience(), None);
    if connections.is_empty() {
        return Err(RestError::no_member(recipients));
    }
    join_all(hub, &connections, std::slice::from_ref(group))?;
    Ok(StatusCode::OK.into_response())
}

/// Removes connections from one group, or from all groups. Does nothing for those that are not members, or do not
/// exist.
pub(super) fn remove(hub: &Hub, recipients: &Recipients, group: Option<&GroupName>) {
    for connection in hub.select(recipients.audience(), None) {
        match group {
            Some(group) => hub.leave(&connection.id, group),
            None => hub.leave_all(&connection.id),
        }
    }
}

/// Request body: `{"groups": […], "filter": "…"}`.
#[derive(Deserialize)]
struct GroupChange {
    groups: Vec<String>,
    filter: Option<String>,
}

/// Adds the connections that match a filter to groups, or removes them.
pub(super) fn change_filtered(hub: &Hub, add: bool, body: &[u8]) -> Result<(), RestError> {
    let invalid = |message: String| RestError::bad_request("Request", message);
    let change: GroupChange = serde_json::from_slice(body)
        .map_err(|error| invalid(format!("The request body is not a valid group change: {error}.")))?;
    if change.groups.is_empty() {
        return Err(invalid("`groups` must contain at least one group.".to_owned()));
    }
    let groups: Vec<GroupName> = change
        .groups
        .iter()
        .map(|name| GroupName::new(name).map_err(|error| RestError::bad_request("groups", error.to_string())))
        .collect::<Result<_, _>>()?;
    let filter = change.filter.as_deref().filter(|text| !text.is_empty()).map(parse_filter).transpose()?;
    let connections = hub.select(Audience::Everyone, filter.as_ref());
    if add {
        return join_all(hub, &connections, &groups);
    }
    for (connection, group) in connections.iter().flat_map(|c| groups.iter().map(move |g| (c, g))) {
        hub.leave(&connection.id, group);
    }
    Ok(())
}

fn join_all(hub: &Hub, connections: &[Arc<ClientConnection>], groups: &[GroupName]) -> Result<(), RestError> {
    for (connection, group) in connections.iter().flat_map(|c| groups.iter().map(move |g| (c, g))) {
        match hub.join(&connection.id, group) {
            // A connection that has ended meanwhile needs no group.
            Ok(()) | Err(JoinError::NotConnected) => {}
            Err(error) => return Err(RestError::bad_request("group", error.to_string())),
        }
    }
    Ok(())
}
