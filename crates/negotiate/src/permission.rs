//! Groups and permissions of a token.

use subtle::ConstantTimeEq;
use webpubsub_protocol::{name::GroupName, pattern::Pattern, role::Permission};

use crate::{
    error::{NegotiateError, Reason},
    request::Role,
};

/// Policy for permission to publish.
#[derive(Clone, PartialEq, Eq)]
pub enum PublishPolicy {
    /// All clients can publish.
    Everyone,
    /// Clients that send this key as a bearer token can publish.
    WithKey(String),
    /// No client can publish.
    Nobody,
}

impl std::fmt::Debug for PublishPolicy {
    /// Omits the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Everyone => "Everyone",
            Self::WithKey(_) => "WithKey(…)",
            Self::Nobody => "Nobody",
        })
    }
}

impl PublishPolicy {
    /// Returns whether the client gets permission to publish. A wrong key is an error, even if the client could subscribe
    /// without a key: it would otherwise fail later, with a less specific error.
    pub(crate) fn authorize(
        &self,
        credential: Option<&str>,
        role: Option<Role>,
    ) -> Result<bool, NegotiateError> {
        let is_permitted = match (self, credential) {
            (Self::Everyone, _) => true,
            (Self::Nobody, _) | (Self::WithKey(_), None) => false,
            (Self::WithKey(key), Some(credential)) if is_bearer_of(key, credential) => true,
            (Self::WithKey(_), Some(_)) => return Err(Reason::WrongPublishKey.into()),
        };
        match (role, is_permitted) {
            (Some(Role::Viewer), _) => Ok(false),
            (Some(Role::Publisher), false) if matches!(self, Self::Nobody) => {
                Err(Reason::PublishingDisabled.into())
            }
            (Some(Role::Publisher), false) => Err(Reason::PublishKeyRequired.into()),
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
#[derive(Debug)]
pub(crate) struct OpenGroups {
    /// Default group, which is always open.
    pub(crate) default: GroupName,
    pub(crate) patterns: Vec<Pattern>,
    /// Whether all groups are open.
    pub(crate) is_every_group: bool,
}

impl OpenGroups {
    /// Returns the groups of a token: the requested ones, or the default group.
    pub(crate) fn select(&self, requested: &[GroupName]) -> Result<Vec<GroupName>, NegotiateError> {
        if requested.is_empty() {
            return Ok(vec![self.default.clone()]);
        }
        match requested.iter().find(|group| !self.is_open(group)) {
            Some(closed) => Err(Reason::GroupNotOpen(closed.clone()).into()),
            None => Ok(requested.to_vec()),
        }
    }

    /// Returns whether every client may join a group.
    pub(crate) fn is_open(&self, group: &GroupName) -> bool {
        let matches = |pattern: &Pattern| pattern.matches(group.as_str());
        self.is_every_group || *group == self.default || self.patterns.iter().any(matches)
    }
}

/// Returns the roles of a token.
pub(crate) fn roles(groups: &[GroupName], is_publisher: bool) -> Vec<String> {
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

    fn group(name: &str) -> GroupName {
        GroupName::new(name).unwrap()
    }

    #[test]
    fn permission_to_publish_requires_the_key() {
        let with_key = PublishPolicy::WithKey("secret".into());
        assert_eq!(with_key.authorize(None, None), Ok(false));
        assert_eq!(with_key.authorize(Some("Bearer secret"), None), Ok(true));
        assert_eq!(with_key.authorize(Some("Bearer guess"), None), Err(Reason::WrongPublishKey.into()));
        assert_eq!(with_key.authorize(Some("Basic secret"), None), Err(Reason::WrongPublishKey.into()));
        assert_eq!(PublishPolicy::Nobody.authorize(Some("Bearer x"), None), Ok(false));
        assert_eq!(PublishPolicy::Everyone.authorize(None, None), Ok(true));
        assert!(!format!("{with_key:?}").contains("secret"));
    }

    #[test]
    fn a_requested_role_is_granted_or_refused() {
        let with_key = PublishPolicy::WithKey("secret".into());
        let (viewer, publisher) = (Some(Role::Viewer), Some(Role::Publisher));
        assert_eq!(with_key.authorize(None, publisher), Err(Reason::PublishKeyRequired.into()));
        assert_eq!(with_key.authorize(Some("Bearer secret"), publisher), Ok(true));
        assert_eq!(with_key.authorize(Some("Bearer secret"), viewer), Ok(false));
        assert_eq!(PublishPolicy::Nobody.authorize(None, publisher), Err(Reason::PublishingDisabled.into()));
        assert_eq!(PublishPolicy::Everyone.authorize(None, viewer), Ok(false));
    }

    #[test]
    fn groups_that_are_not_open_are_refused() {
        let mut open = OpenGroups {
            default: group("stream"),
            patterns: Pattern::parse("build-*").into_iter().collect(),
            is_every_group: false,
        };
        assert_eq!(open.select(&[]), Ok(vec![group("stream")]));
        let both = [group("build-42"), group("stream")];
        assert_eq!(open.select(&both), Ok(both.to_vec()));
        let closed = [group("build-42"), group("payroll")];
        assert_eq!(open.select(&closed), Err(Reason::GroupNotOpen(group("payroll")).into()));
        open.is_every_group = true;
        assert_eq!(open.select(&closed), Ok(closed.to_vec()));
    }

    #[test]
    fn roles_apply_only_to_the_groups() {
        let groups = [group("a"), group("b")];
        assert_eq!(roles(&groups, false), ["webpubsub.joinLeaveGroup.a", "webpubsub.joinLeaveGroup.b"]);
        assert_eq!(roles(&groups, true).len(), 4);
        assert_eq!(roles(&groups, true).first().unwrap(), "webpubsub.sendToGroup.a");
    }
}
