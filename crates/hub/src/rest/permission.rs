//! Permissions of an open connection.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use webpubsub_protocol::role::Permission;

use super::{error::RestError, operation::PermissionAction, parameters::QueryParameters};
use crate::hub::Hub;

/// Grants, revokes or checks `permission` for the group `targetName`.
pub(super) fn execute(
    hub: &Hub,
    action: PermissionAction,
    permission: Permission,
    id: &str,
    parameters: &QueryParameters,
) -> Result<Response, RestError> {
    let group = parameters.group("targetName")?;
    let connection = hub.connection(id);
    let Some(connection) = connection else {
        return match action {
            PermissionAction::Revoke => Ok(StatusCode::NO_CONTENT.into_response()),
            PermissionAction::Grant | PermissionAction::Check => Err(RestError::no_permission(id)),
        };
    };
    let decide = |allowed| {
        let decided = connection.set_permission(permission, &group, allowed);
        decided.map_err(|error| RestError::Conflict(error.to_string()))
    };
    match action {
        PermissionAction::Grant => decide(true).map(|()| StatusCode::OK.into_response()),
        PermissionAction::Revoke => decide(false).map(|()| StatusCode::NO_CONTENT.into_response()),
        PermissionAction::Check => {
            let may = connection.is_allowed(permission, group.as_str());
            if may { Ok(StatusCode::OK.into_response()) } else { Err(RestError::no_permission(id)) }
        }
    }
}
