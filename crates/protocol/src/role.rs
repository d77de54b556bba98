//! What a connection may do, and the role strings that grant it.
//!
//! By default nothing: a client may raise events and ping, but neither join nor publish. Roles come from the access
//! token. Unknown roles are ignored, as the service ignores them.
//!
//! Source: "Use roles to control client permissions", and the wildcard rules of the 2026 documentation.

mod pattern;

use crate::name::GroupName;
use pattern::Pattern;

/// Most patterns that count for one permission; later ones are ignored.
pub const MAX_PATTERNS_PER_PERMISSION: usize = 10;

/// Something that a connection may be allowed to do with a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Become a member, and cease to be one.
    JoinLeaveGroup,
    /// Publish to the members. Membership is not needed.
    SendToGroup,
}

impl Permission {
    /// The role that grants this permission for `group` alone.
    #[must_use]
    pub fn role_for(self, group: &GroupName) -> String {
        match self {
            Self::JoinLeaveGroup => format!("webpubsub.joinLeaveGroup.{group}"),
            Self::SendToGroup => format!("webpubsub.sendToGroup.{group}"),
        }
    }
}

/// The permissions of one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    join_leave: Grant,
    send: Grant,
}

/// For which groups one permission is granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Grant {
    every_group: bool,
    groups: Vec<String>,
    patterns: Vec<Pattern>,
}

impl Grant {
    fn covers(&self, group: &str) -> bool {
        self.every_group
            || self.groups.iter().any(|granted| granted == group)
            || self.patterns.iter().any(|pattern| pattern.matches(group))
    }

    fn add(&mut self, scope: Scope<'_>) {
        match scope {
            Scope::EveryGroup => self.every_group = true,
            Scope::Group(group) => self.groups.push(group.to_owned()),
            Scope::Matching(text) if self.patterns.len() < MAX_PATTERNS_PER_PERMISSION => {
                self.patterns.extend(Pattern::parse(text));
            }
            Scope::Matching(_) => {}
        }
    }
}

enum Scope<'a> {
    EveryGroup,
    Group(&'a str),
    Matching(&'a str),
}

impl Permissions {
    /// What `roles` grant together.
    pub fn from_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> Self {
        let mut permissions = Self::default();
        for role in roles {
            if let Some((permission, scope)) = read_role(role) {
                permissions.grant_mut(permission).add(scope);
            }
        }
        permissions
    }

    /// Whether `permission` is granted for `group`.
    #[must_use]
    pub fn allow(&self, permission: Permission, group: &GroupName) -> bool {
        match permission {
            Permission::JoinLeaveGroup => self.join_leave.covers(group.as_str()),
            Permission::SendToGroup => self.send.covers(group.as_str()),
        }
    }

    fn grant_mut(&mut self, permission: Permission) -> &mut Grant {
        match permission {
            Permission::JoinLeaveGroup => &mut self.join_leave,
            Permission::SendToGroup => &mut self.send,
        }
    }
}

/// Reads one role string; `None` when it is none that we know. Case and blanks matter, as they do for the service.
fn read_role(role: &str) -> Option<(Permission, Scope<'_>)> {
    let rest = role.strip_prefix("webpubsub.")?;
    for (name, permission) in
        [("joinLeaveGroup", Permission::JoinLeaveGroup), ("sendToGroup", Permission::SendToGroup)]
    {
        let Some(rest) = rest.strip_prefix(name) else { continue };
        let scope = match rest.strip_prefix('s') {
            Some(plural) => Scope::Matching(plural.strip_prefix('.')?),
            None if rest.is_empty() => Scope::EveryGroup,
            None => Scope::Group(rest.strip_prefix('.').filter(|group| !group.is_empty())?),
        };
        return Some((permission, scope));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(role: &str, permission: Permission, group: &str) -> bool {
        let group = GroupName::new(group).unwrap();
        Permissions::from_roles([role]).allow(permission, &group)
    }

    #[test]
    fn without_a_role_nothing_is_allowed() {
        let group = GroupName::new("stream").unwrap();
        let none = Permissions::from_roles([]);
        assert!(!none.allow(Permission::JoinLeaveGroup, &group));
        assert!(!none.allow(Permission::SendToGroup, &group));
    }

    #[test]
    fn a_role_for_one_group_grants_that_group_and_that_permission_only() {
        assert!(allowed("webpubsub.sendToGroup.a.b", Permission::SendToGroup, "a.b"));
        assert!(!allowed("webpubsub.sendToGroup.a.b", Permission::SendToGroup, "a"));
        assert!(!allowed("webpubsub.sendToGroup.a.b", Permission::SendToGroup, "A.b"));
        assert!(!allowed("webpubsub.sendToGroup.a.b", Permission::JoinLeaveGroup, "a.b"));
    }

    #[test]
    fn roles_that_nearly_fit_grant_nothing() {
        for role in [
            "webpubsub.sendToGroup.",
            "webpubsub.SendToGroup",
            " webpubsub.sendToGroup",
            "sendToGroup",
            "webpubsub.sendToGroupX",
            "webpubsub.sendToGroups",
            "webpubsub.sendToGroups.",
        ] {
            assert!(!allowed(role, Permission::SendToGroup, "stream"), "{role}");
        }
    }

    #[derive(serde::Deserialize)]
    struct Vectors {
        patterns: Vec<Case>,
        invalid: Vec<String>,
        roles: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        #[serde(alias = "pattern")]
        role: String,
        allow: Vec<String>,
        deny: Vec<String>,
    }

    fn assert_decided(role: &str, case: &Case) {
        for (groups, expected) in [(&case.allow, true), (&case.deny, false)] {
            for group in groups {
                assert_eq!(allowed(role, Permission::JoinLeaveGroup, group), expected, "{role} on {group}");
            }
        }
    }

    #[test]
    fn every_recorded_role_and_pattern_is_decided_as_recorded() {
        let vectors: Vectors = serde_json::from_str(include_str!("../tests/vectors/patterns.json")).unwrap();
        for case in &vectors.patterns {
            assert_decided(&format!("webpubsub.joinLeaveGroups.{}", case.role), case);
        }
        for case in &vectors.roles {
            assert_decided(&case.role, case);
        }
        for pattern in &vectors.invalid {
            assert!(Pattern::parse(pattern).is_none(), "{pattern}");
        }
    }
}
