//! Operations of the data plane, by method and path.

use axum::http::Method;
use percent_encoding::percent_decode_str;
use webpubsub_protocol::{
    name::{GroupName, HubName},
    role::Permission,
};

use super::{error::RestError, not_offered, recipients::Recipients};

/// Request to the data plane.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RestRequest {
    /// Health check, without a token.
    Health,
    /// Operation on a hub.
    Hub(HubName, HubOperation),
}

/// Operation on a hub.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HubOperation {
    /// Send a message.
    Send(Recipients),
    /// Close connections.
    Close(Recipients),
    /// Check that a connection, user or group exists.
    Exists(Recipients),
    /// Add connections to a group.
    AddToGroup(Recipients, GroupName),
    /// Remove connections from a group, or from all groups.
    RemoveFromGroups(Recipients, Option<GroupName>),
    /// Add connections that match a filter to groups, or remove them.
    ChangeGroups {
        /// `true` to add, `false` to remove.
        add: bool,
    },
    /// List the members of a group.
    ListMembers(GroupName),
    /// Sign an access token for a client.
    GenerateToken,
    /// Grant, revoke or check a permission of a connection.
    Permission(PermissionAction, Permission, String),
}

/// Action on a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PermissionAction {
    Grant,
    Revoke,
    Check,
}

impl RestRequest {
    /// Returns the operation label for the metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Hub(_, operation) => operation.name(),
        }
    }

    /// Parses method and path. Each segment is percent-decoded once, but for `%2F`: it stays as it is, as in the cloud service,
    /// so names that contain `/` cannot be addressed in a path. Likewise, a slash at the end does not count, and only names are
    /// case-sensitive.
    pub(super) fn find(method: &Method, path: &str) -> Result<Self, RestError> {
        /// Positions of the segments that are not names.
        const WORDS: [usize; 4] = [0, 1, 3, 5];
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments: Vec<String> = path.split('/').skip(1).map(decode).collect::<Result<_, _>>()?;
        for position in WORDS {
            if let Some(word) = segments.get_mut(position) {
                word.make_ascii_lowercase();
            }
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (method.as_str(), &segments[..]) {
            ("HEAD" | "GET", ["api", "health"]) => Ok(Self::Health),
            (method, ["api", "hubs", hub, rest @ ..]) => {
                let hub =
                    HubName::new(hub).map_err(|error| RestError::bad_request("hub", error.to_string()))?;
                Ok(Self::Hub(hub, HubOperation::find(method, rest)?))
            }
            _ => Err(RestError::NotFound),
        }
    }
}

impl HubOperation {
    /// Returns the operation label for the metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Close(_) => "close",
            Self::Exists(_) => "exists",
            Self::AddToGroup(..) => "add_to_group",
            Self::RemoveFromGroups(..) => "remove_from_groups",
            Self::ChangeGroups { add: true } => "add_to_groups",
            Self::ChangeGroups { add: false } => "remove_from_groups",
            Self::ListMembers(_) => "list_members",
            Self::GenerateToken => "generate_token",
            Self::Permission(..) => "permission",
        }
    }

    fn find(method: &str, path: &[&str]) -> Result<Self, RestError> {
        Ok(match (method, path) {
            ("POST", [recipients @ .., ":send"]) => Self::Send(recipients_at(recipients)?),
            ("POST", [":closeconnections"]) => Self::Close(Recipients::Everyone),
            ("POST", [kind @ ("users" | "groups"), name, ":closeconnections"]) => {
                Self::Close(recipients_at(&[kind, name])?)
            }
            ("POST", [":addtogroups"]) => Self::ChangeGroups { add: true },
            ("POST", [":removefromgroups"]) => Self::ChangeGroups { add: false },
            ("POST", [":generatetoken"]) => Self::GenerateToken,
            ("HEAD", [kind, name]) => Self::Exists(recipients_at(&[kind, name])?),
            ("DELETE", ["connections", id]) => Self::Close(recipients_at(&["connections", id])?),
            ("GET", ["groups", group, "connections"]) => Self::ListMembers(group_name(group)?),
            ("PUT", ["groups", group, "connections", id]) => {
                Self::AddToGroup(recipients_at(&["connections", id])?, group_name(group)?)
            }
            ("DELETE", ["groups", group, "connections", id]) => {
                Self::RemoveFromGroups(recipients_at(&["connections", id])?, Some(group_name(group)?))
            }
            ("PUT", ["users", user, "groups", group]) => {
                Self::AddToGroup(recipients_at(&["users", user])?, group_name(group)?)
            }
            ("DELETE", ["users", user, "groups", group]) => {
                Self::RemoveFromGroups(recipients_at(&["users", user])?, Some(group_name(group)?))
            }
            ("DELETE", [kind @ ("users" | "connections"), name, "groups"]) => {
                Self::RemoveFromGroups(recipients_at(&[kind, name])?, None)
            }
            ("PUT" | "DELETE" | "HEAD", ["permissions", permission, "connections", id]) => {
                let action = match method {
                    "PUT" => PermissionAction::Grant,
                    "DELETE" => PermissionAction::Revoke,
                    _ => PermissionAction::Check,
                };
                let permission = Permission::from_name(permission).ok_or_else(|| {
                    let message = "`permission` must be joinLeaveGroup or sendToGroup.".to_owned();
                    RestError::bad_request("permission", message)
                })?;
                Self::Permission(action, permission, (*id).to_owned())
            }
            (_, ["chat", ..]) => return Err(not_offered::CHAT),
            ("POST", [.., ":invoke"]) => return Err(not_offered::INVOCATION),
            _ => return Err(RestError::NotFound),
        })
    }
}

fn recipients_at(path: &[&str]) -> Result<Recipients, RestError> {
    Ok(match path {
        [] => Recipients::Everyone,
        ["groups", group] => Recipients::Group(group_name(group)?),
        ["users", user] if !user.is_empty() => Recipients::User((*user).to_owned()),
        ["connections", id] if !id.is_empty() => Recipients::Connection((*id).to_owned()),
        _ => return Err(RestError::NotFound),
    })
}

fn group_name(name: &str) -> Result<GroupName, RestError> {
    GroupName::new(name).map_err(|error| RestError::bad_request("group", error.to_string()))
}

fn decode(segment: &str) -> Result<String, RestError> {
    const SLASH: &str = "%2f";
    let part = |from: usize, to: usize| segment.get(from..to).unwrap_or_default();
    let (mut decoded, mut start) = (Vec::with_capacity(segment.len()), 0);
    // Lower case in ASCII keeps the positions.
    for (at, _) in segment.to_ascii_lowercase().match_indices(SLASH) {
        let end = at + SLASH.len();
        decoded.extend(percent_decode_str(part(start, at)));
        decoded.extend_from_slice(part(at, end).as_bytes());
        start = end;
    }
    decoded.extend(percent_decode_str(part(start, segment.len())));
    String::from_utf8(decoded)
        .map_err(|_| RestError::bad_request("Request", "The path is not UTF-8.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &Method, path: &str) -> Result<HubOperation, RestError> {
        match RestRequest::find(method, path)? {
            RestRequest::Hub(_, operation) => Ok(operation),
            RestRequest::Health => panic!("health"),
        }
    }

    fn recipients(path: &str) -> Result<Recipients, RestError> {
        match operation(&Method::POST, path)? {
            HubOperation::Send(recipients) => Ok(recipients),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn send_operations_are_parsed_with_the_colon_encoded_or_not() {
        assert_eq!(recipients("/api/hubs/chat/:send"), Ok(Recipients::Everyone));
        assert_eq!(recipients("/api/hubs/chat/%3Asend"), Ok(Recipients::Everyone));
        assert_eq!(
            recipients("/api/hubs/chat/users/user%20a%2Fb/:send"),
            Ok(Recipients::User("user a%2Fb".into()))
        );
        assert_eq!(
            recipients("/api/hubs/chat/connections/c1/:send"),
            Ok(Recipients::Connection("c1".into()))
        );
        let group = Recipients::Group(GroupName::new("ü").unwrap());
        assert_eq!(recipients("/api/hubs/chat/groups/%C3%BC/:send"), Ok(group));
    }

    #[test]
    fn an_encoded_slash_stays_encoded_as_in_the_cloud_service() {
        for (segment, name) in [
            ("tenant%2Falice", "tenant%2Falice"),
            ("tenant%252Falice", "tenant%2Falice"),
            ("a%2fb%2Fc%20d%2f", "a%2fb%2Fc d%2f"),
            ("alice+bob", "alice+bob"),
            ("%C3%BC%2F%", "ü%2F%"),
        ] {
            let user = recipients(&format!("/api/hubs/chat/users/{segment}/:send"));
            assert_eq!(user, Ok(Recipients::User(name.to_owned())), "{segment}");
        }
    }

    #[test]
    fn only_names_are_case_sensitive_and_a_slash_at_the_end_does_not_count() {
        for path in ["/api/Hubs/chat/USERS/Ada/:SEND", "/api/hubs/CHAT/users/Ada/:send/"] {
            assert_eq!(recipients(path), Ok(Recipients::User("Ada".to_owned())), "{path}");
        }
        let close = operation(&Method::POST, "/api/hubs/chat/:CloseConnections");
        assert_eq!(close, Ok(HubOperation::Close(Recipients::Everyone)));
        let exists = operation(&Method::HEAD, "/api/hubs/chat/Groups/G/");
        let group = Recipients::Group(GroupName::new("G").unwrap());
        assert_eq!(exists, Ok(HubOperation::Exists(group)));
        assert_eq!(recipients("/api/hubs/chat/users/ada/:send//"), Err(RestError::NotFound));
        assert_eq!(operation(&Method::DELETE, "/api/hubs/chat/connections/"), Err(RestError::NotFound));
    }

    #[test]
    fn permissions_have_names_and_numbers() {
        for (name, permission) in [
            ("sendToGroup", Permission::SendToGroup),
            ("JOINLEAVEGROUP", Permission::JoinLeaveGroup),
            ("1", Permission::SendToGroup),
            ("2", Permission::JoinLeaveGroup),
        ] {
            let grant = operation(&Method::PUT, &format!("/api/hubs/chat/permissions/{name}/connections/c1"));
            let expected = HubOperation::Permission(PermissionAction::Grant, permission, "c1".to_owned());
            assert_eq!(grant, Ok(expected), "{name}");
        }
        for name in ["0", "3", "01", "publish", ""] {
            let grant = operation(&Method::PUT, &format!("/api/hubs/chat/permissions/{name}/connections/c1"));
            assert!(matches!(grant, Err(RestError::BadRequest { target: "permission", .. })), "{name}");
        }
    }

    #[test]
    fn invalid_names_and_unknown_paths_have_different_errors() {
        assert!(matches!(
            recipients("/api/hubs/1bad/:send"),
            Err(RestError::BadRequest { target: "hub", .. })
        ));
        let blank = recipients("/api/hubs/h/groups/%20/:send");
        assert!(matches!(blank, Err(RestError::BadRequest { target: "group", .. })));
        assert!(matches!(recipients("/api/hubs/h/%FF/:send"), Err(RestError::BadRequest { .. })));
        assert_eq!(recipients("/api/hubs/h/planets/x/:send"), Err(RestError::NotFound));
        assert_eq!(recipients("/api/elsewhere"), Err(RestError::NotFound));
        assert_eq!(operation(&Method::GET, "/api/hubs/h/:send"), Err(RestError::NotFound));
    }
}
