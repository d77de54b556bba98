//! Permissions of a token.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;
use webpubsub_protocol::{name::GroupName, pattern::Pattern, role::Permission};

use super::{error::NegotiateError, request::Role};

/// Policy for permission to publish.
pub(super) enum PublishPolicy {
    Everyone,
    WithKey(String),
    Nobody,
}

impl PublishPolicy {
    /// Returns whether the client gets permission to publish. A wrong key is an error, even if the client could subscribe
    /// without a key: it would otherwise fail later, with a less specific error.
    pub(super) fn authorize(&self, headers: &HeaderMap, role: Option<Role>) -> Result<bool, NegotiateError> {
        let credential = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let is_permitted = match (self, credential) {
            (Self::Everyone, _) => true,
            (Self::Nobody, _) | (Self::WithKey(_), None) => false,
            (Self::WithKey(key), Some(credential)) if is_bearer_of(key, credential) => true,
            (Self::WithKey(_), Some(_)) => return Err(NegotiateError::WrongPublishKey),
        };
        match (role, is_permitted) {
            (Some(Role::Viewer), _) => Ok(false),
            (Some(Role::Publisher), false) if matches!(self, Self::Nobody) => {
                Err(NegotiateError::PublishingDisabled)
            }
            (Some(Role::Publisher), false) => Err(NegotiateError::PublishKeyRequired),
            (_, is_permitted) => Ok(is_permitted),
        }
    }
}

fn is_bearer_of(key: &str, authorization: &str) -> bool {
    let (scheme, credential) = authorization.split_once(' ').unwrap_or_default();
    let is_equal = bool::from(credential.trim().as_bytes().ct_eq(key.as_bytes()));
    scheme.eq_ignore_ascii_case("bearer") && is_equal
}

/// Groups that clients can request.
pub(super) struct OpenGroups {
    /// Default group of the server, which is always open.
    pub(super) default: GroupName,
    pub(super) patterns: Vec<Pattern>,
    /// Whether all groups are open.
    pub(super) is_every_group: bool,
}

impl OpenGroups {
    /// Returns the groups of a token: the requested ones, or the default group.
    pub(super) fn select(&self, requested: Vec<GroupName>) -> Result<Vec<GroupName>, NegotiateError> {
        if requested.is_empty() {
            return Ok(vec![self.default.clone()]);
        }
        match requested.iter().find(|group| !self.is_open(group)) {
            Some(closed) => Err(NegotiateError::GroupNotOpen(closed.clone())),
            None => Ok(requested),
        }
    }

    /// Returns whether every viewer may join a group.
    pub(super) fn is_open(&self, group: &GroupName) -> bool {
        let matches = |pattern: &Pattern| pattern.matches(group.as_str());
        self.is_every_group || *group == self.default || self.patterns.iter().any(matches)
    }
}

/// Returns the roles of a token.
pub(super) fn roles(groups: &[GroupName], is_publisher: bool) -> Vec<String> {
    let permissions: &[Permission] = if is_publisher {
        &[Permission::SendToGroup, Permission::JoinLeaveGroup]
    } else {
        &[Permission::JoinLeaveGroup]
    };
    groups.iter().flat_map(|group| permissions.iter().map(|permission| permission.role_for(group))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(authorization: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    fn group(name: &str) -> GroupName {
        GroupName::new(name).unwrap()
    }

    #[test]
    fn permission_to_publish_requires_the_key() {
        let with_key = PublishPolicy::WithKey("secret".into());
        assert_eq!(with_key.authorize(&headers(None), None), Ok(false));
        assert_eq!(with_key.authorize(&headers(Some("Bearer secret")), None), Ok(true));
        assert_eq!(
            with_key.authorize(&headers(Some("Bearer guess")), None),
            Err(NegotiateError::WrongPublishKey)
        );
        assert_eq!(
            with_key.authorize(&headers(Some("Basic secret")), None),
            Err(NegotiateError::WrongPublishKey)
        );
        assert_eq!(PublishPolicy::Nobody.authorize(&headers(Some("Bearer x")), None), Ok(false));
        assert_eq!(PublishPolicy::Everyone.authorize(&headers(None), None), Ok(true));
    }

    #[test]
    fn a_requested_role_is_granted_or_refused() {
        let with_key = PublishPolicy::WithKey("secret".into());
        let (viewer, publisher) = (Some(Role::Viewer), Some(Role::Publisher));
        assert_eq!(with_key.authorize(&headers(None), publisher), Err(NegotiateError::PublishKeyRequired));
        assert_eq!(with_key.authorize(&headers(Some("Bearer secret")), publisher), Ok(true));
        assert_eq!(with_key.authorize(&headers(Some("Bearer secret")), viewer), Ok(false));
        assert_eq!(
            PublishPolicy::Nobody.authorize(&headers(None), publisher),
            Err(NegotiateError::PublishingDisabled)
        );
        assert_eq!(PublishPolicy::Everyone.authorize(&headers(None), viewer), Ok(false));
    }

    #[test]
    fn groups_that_are_not_open_are_refused() {
        let mut open = OpenGroups {
            default: group("stream"),
            patterns: Pattern::parse("build-*").into_iter().collect(),
            is_every_group: false,
        };
        assert_eq!(open.select(vec![]), Ok(vec![group("stream")]));
        let both = vec![group("build-42"), group("stream")];
        assert_eq!(open.select(both.clone()), Ok(both));
        let closed = vec![group("build-42"), group("payroll")];
        assert_eq!(open.select(closed.clone()), Err(NegotiateError::GroupNotOpen(group("payroll"))));
        open.is_every_group = true;
        assert_eq!(open.select(closed.clone()), Ok(closed));
    }

    #[test]
    fn roles_apply_only_to_the_groups() {
        let groups = [group("a"), group("b")];
        assert_eq!(roles(&groups, false), ["webpubsub.joinLeaveGroup.a", "webpubsub.joinLeaveGroup.b"]);
        assert_eq!(roles(&groups, true).len(), 4);
        assert_eq!(roles(&groups, true).first().unwrap(), "webpubsub.sendToGroup.a");
    }
}
