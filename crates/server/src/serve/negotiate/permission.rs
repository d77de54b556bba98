//! Who gets which permissions, for which groups.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;
use webpubsub_protocol::{name::GroupName, pattern::Pattern, role::Permission};

use super::{refusal::Refusal, request::Role};

/// Who gets permission to publish.
pub(super) enum Publishing {
    Everyone,
    WithKey(String),
    Nobody,
}

impl Publishing {
    /// Whether the client gets permission to publish. One that shows a key that is not ours gets nothing at all: it
    /// would find out later, and less clearly.
    pub(super) fn admits(&self, headers: &HeaderMap, role: Option<Role>) -> Result<bool, Refusal> {
        let shown = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let is_admitted = match (self, shown) {
            (Self::Everyone, _) => true,
            (Self::Nobody, _) | (Self::WithKey(_), None) => false,
            (Self::WithKey(key), Some(shown)) if is_bearer_of(key, shown) => true,
            (Self::WithKey(_), Some(_)) => return Err(Refusal::WrongKey),
        };
        match (role, is_admitted) {
            (Some(Role::Viewer), _) => Ok(false),
            (Some(Role::Publisher), false) if matches!(self, Self::Nobody) => Err(Refusal::NobodyPublishes),
            (Some(Role::Publisher), false) => Err(Refusal::KeyMissing),
            (_, is_admitted) => Ok(is_admitted),
        }
    }
}

fn is_bearer_of(key: &str, authorization: &str) -> bool {
    let (scheme, credential) = authorization.split_once(' ').unwrap_or_default();
    let is_ours = bool::from(credential.trim().as_bytes().ct_eq(key.as_bytes()));
    scheme.eq_ignore_ascii_case("bearer") && is_ours
}

/// Which groups may be asked for.
pub(super) struct OpenGroups {
    /// The server's own: always, and when none is named.
    pub(super) own: GroupName,
    pub(super) patterns: Vec<Pattern>,
    /// Where everybody has the key that signs, asking us is only the easier way.
    pub(super) is_every_group: bool,
}

impl OpenGroups {
    /// The groups that a token is for.
    pub(super) fn choose(&self, asked: Vec<GroupName>) -> Result<Vec<GroupName>, Refusal> {
        if asked.is_empty() {
            return Ok(vec![self.own.clone()]);
        }
        match asked.iter().find(|group| !self.holds(group)) {
            Some(closed) => Err(Refusal::GroupNotOpen(closed.clone())),
            None => Ok(asked),
        }
    }

    fn holds(&self, group: &GroupName) -> bool {
        let fits = |pattern: &Pattern| pattern.matches(group.as_str());
        self.is_every_group || *group == self.own || self.patterns.iter().any(fits)
    }
}

/// The roles of a token.
pub(super) fn roles(groups: &[GroupName], publishes: bool) -> Vec<String> {
    let permissions: &[Permission] = if publishes {
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
    fn permission_to_publish_depends_on_the_key() {
        let with_key = Publishing::WithKey("secret".into());
        assert_eq!(with_key.admits(&headers(None), None), Ok(false));
        assert_eq!(with_key.admits(&headers(Some("Bearer secret")), None), Ok(true));
        assert_eq!(with_key.admits(&headers(Some("Bearer guess")), None), Err(Refusal::WrongKey));
        assert_eq!(with_key.admits(&headers(Some("Basic secret")), None), Err(Refusal::WrongKey));
        assert_eq!(Publishing::Nobody.admits(&headers(Some("Bearer x")), None), Ok(false));
        assert_eq!(Publishing::Everyone.admits(&headers(None), None), Ok(true));
    }

    #[test]
    fn a_role_that_is_asked_for_is_given_or_refused() {
        let with_key = Publishing::WithKey("secret".into());
        let (viewer, publisher) = (Some(Role::Viewer), Some(Role::Publisher));
        assert_eq!(with_key.admits(&headers(None), publisher), Err(Refusal::KeyMissing));
        assert_eq!(with_key.admits(&headers(Some("Bearer secret")), publisher), Ok(true));
        assert_eq!(with_key.admits(&headers(Some("Bearer secret")), viewer), Ok(false));
        assert_eq!(Publishing::Nobody.admits(&headers(None), publisher), Err(Refusal::NobodyPublishes));
        assert_eq!(Publishing::Everyone.admits(&headers(None), viewer), Ok(false));
    }

    #[test]
    fn groups_that_were_not_opened_are_refused() {
        let mut open = OpenGroups {
            own: group("stream"),
            patterns: Pattern::parse("build-*").into_iter().collect(),
            is_every_group: false,
        };
        assert_eq!(open.choose(vec![]), Ok(vec![group("stream")]));
        let both = vec![group("build-42"), group("stream")];
        assert_eq!(open.choose(both.clone()), Ok(both));
        let closed = vec![group("build-42"), group("payroll")];
        assert_eq!(open.choose(closed.clone()), Err(Refusal::GroupNotOpen(group("payroll"))));
        open.is_every_group = true;
        assert_eq!(open.choose(closed.clone()), Ok(closed));
    }

    #[test]
    fn roles_are_for_the_groups_alone() {
        let groups = [group("a"), group("b")];
        assert_eq!(roles(&groups, false), ["webpubsub.joinLeaveGroup.a", "webpubsub.joinLeaveGroup.b"]);
        assert_eq!(roles(&groups, true).len(), 4);
        assert_eq!(roles(&groups, true).first().unwrap(), "webpubsub.sendToGroup.a");
    }
}
