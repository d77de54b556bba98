//! What a connection may do, and the role strings that grant it.
//!
//! By default nothing: a client may raise events and ping, but neither join nor publish. Roles come from the access
//! token. Unknown roles are ignored, as the service ignores them.
//!
//! Source: "Use roles to control client permissions", and the wildcard rules of the 2026 documentation.

use std::collections::BTreeMap;

use crate::{name::GroupName, pattern::Pattern};

/// Most patterns that count for one permission; later ones are ignored.
pub const MAX_PATTERNS_PER_PERMISSION: usize = 10;

/// Most groups for which one permission of one connection is decided by name.
pub const MAX_GROUPS_BY_NAME: usize = 1000;

/// As many groups as may be are decided by name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a permission can be decided for {MAX_GROUPS_BY_NAME} groups by name at most")]
pub struct TooManyDecisions;

/// Something that a connection may be allowed to do with a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Become a member, and cease to be one.
    JoinLeaveGroup,
    /// Publish to the members. Membership is not needed.
    SendToGroup,
}

impl Permission {
    /// The permission called `name` in the REST data plane, in any case, or by its number (documentation of the vendor's
    /// emulator, "Connection permission APIs").
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sendtogroup" | "1" => Some(Self::SendToGroup),
            "joinleavegroup" | "2" => Some(Self::JoinLeaveGroup),
            _ => None,
        }
    }

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
    /// Whether the states of all groups may be read.
    get_group_states: bool,
    /// Whether states may be set in all groups.
    set_group_states: bool,
}

/// Use of the states of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStateAccess {
    /// Subscribe to the states of a group.
    Get,
    /// Set a state in a group.
    Set,
}

/// For which groups one permission is granted: rules, and groups for which it was decided by name, which wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Grant {
    every_group: bool,
    patterns: Vec<Pattern>,
    by_name: BTreeMap<String, bool>,
}

impl Grant {
    fn covers(&self, group: &str) -> bool {
        let by_rule = || self.every_group || self.patterns.iter().any(|pattern| pattern.matches(group));
        self.by_name.get(group).copied().unwrap_or_else(by_rule)
    }

    /// Decides for one group. A decision that only undoes an earlier one leaves nothing behind.
    fn decide(&mut self, group: &str, allowed: bool) -> Result<(), TooManyDecisions> {
        if self.by_name.get(group) == Some(&!allowed) {
            self.by_name.remove(group);
        }
        if self.covers(group) == allowed {
            return Ok(());
        }
        if self.by_name.len() >= MAX_GROUPS_BY_NAME {
            return Err(TooManyDecisions);
        }
        self.by_name.insert(group.to_owned(), allowed);
        Ok(())
    }

    fn add(&mut self, scope: Scope<'_>) {
        match scope {
            Scope::EveryGroup => self.every_group = true,
            // A token with more groups than can be decided by name grants the first ones.
            Scope::Group(group) => self.decide(group, true).unwrap_or_default(),
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
            // The roles of the vendor's chat clients (`azure-messaging-webpubsubchatservice` 1.0.0b1).
            match role {
                "webpubsub.getGroupState" => permissions.get_group_states = true,
                "webpubsub.setGroupState" => permissions.set_group_states = true,
                _ => {}
            }
            if let Some((permission, scope)) = read_role(role) {
                permissions.grant_mut(permission).add(scope);
            }
        }
        permissions
    }

    /// Whether `permission` is granted for `group`.
    #[must_use]
    pub fn allow(&self, permission: Permission, group: &str) -> bool {
        match permission {
            Permission::JoinLeaveGroup => self.join_leave.covers(group),
            Permission::SendToGroup => self.send.covers(group),
        }
    }

    /// Whether a role grants the use of the states of all groups.
    #[must_use]
    pub fn allow_group_states(&self, access: GroupStateAccess) -> bool {
        match access {
            GroupStateAccess::Get => self.get_group_states,
            GroupStateAccess::Set => self.set_group_states,
        }
    }

    /// Grants or revokes `permission` for one group. Takes effect at once, and removes no member from a group.
    ///
    /// # Errors
    /// [`TooManyDecisions`].
    pub fn decide(
        &mut self,
        permission: Permission,
        group: &GroupName,
        allowed: bool,
    ) -> Result<(), TooManyDecisions> {
        self.grant_mut(permission).decide(group.as_str(), allowed)
    }

    /// Returns whether `permission` is granted for any group.
    #[must_use]
    pub fn allow_any(&self, permission: Permission) -> bool {
        let grant = match permission {
            Permission::JoinLeaveGroup => &self.join_leave,
            Permission::SendToGroup => &self.send,
        };
        grant.every_group || !grant.patterns.is_empty() || grant.by_name.values().any(|allowed| *allowed)
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
        Permissions::from_roles([role]).allow(permission, group)
    }

    #[test]
    fn without_a_role_nothing_is_allowed() {
        let none = Permissions::from_roles([]);
        assert!(!none.allow(Permission::JoinLeaveGroup, "stream"));
        assert!(!none.allow(Permission::SendToGroup, "stream"));
    }

    #[test]
    fn a_role_for_one_group_grants_that_group_and_that_permission_only() {
        assert!(allowed("webpubsub.sendToGroup.a.b", Permission::SendToGroup, "a.b"));
        assert!(!allowed("webpubsub.sendToGroup.a.b", Permission::SendToGroup, "a"));
        assert!(!allowed("webpubsub.sendToGroup.a.b", Permission::SendToGroup, "A.b"));
        assert!(!allowed("webpubsub.sendToGroup.a.b", Permission::JoinLeaveGroup, "a.b"));
    }

    #[test]
    fn a_decision_by_name_wins_over_rules_and_its_undoing_leaves_nothing() {
        let room = GroupName::new("room").unwrap();
        let send = Permission::SendToGroup;
        let mut permissions = Permissions::from_roles(["webpubsub.sendToGroup"]);
        let before = permissions.clone();
        permissions.decide(send, &room, false).unwrap();
        assert!(!permissions.allow(send, room.as_str()) && permissions.allow(send, "other"));
        permissions.decide(send, &room, true).unwrap();
        assert_eq!(permissions, before);
        let mut permissions = Permissions::default();
        for number in 0..MAX_GROUPS_BY_NAME {
            permissions.decide(send, &GroupName::new(&number.to_string()).unwrap(), true).unwrap();
        }
        assert_eq!(permissions.decide(send, &room, true), Err(TooManyDecisions));
    }

    #[test]
    fn states_of_groups_have_a_role_for_each_use() {
        let get = Permissions::from_roles(["webpubsub.getGroupState"]);
        assert!(
            get.allow_group_states(GroupStateAccess::Get) && !get.allow_group_states(GroupStateAccess::Set)
        );
        let set = Permissions::from_roles(["webpubsub.setGroupState"]);
        assert!(
            set.allow_group_states(GroupStateAccess::Set) && !set.allow_group_states(GroupStateAccess::Get)
        );
        assert!(!set.allow(Permission::JoinLeaveGroup, "g") && !set.allow_any(Permission::SendToGroup));
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
