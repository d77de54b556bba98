//! What a client asks of `/negotiate`: `?group=NAME` (repeated), `?role=viewer|publisher`, `?id=USER`.

use webpubsub_protocol::name::GroupName;

use super::refusal::Refusal;

/// Longest user id that is signed, in bytes: it ends up in a URL.
const MAX_USER_ID_BYTES: usize = 1024;
/// Most groups of one token. Each is a role or two in it, and the token travels in a URL.
pub(crate) const MAX_GROUPS: usize = 32;
/// Longest their names may be together, in bytes: proxies commonly take URLs of 8 KiB, and each name is signed twice, in
/// Base64.
const MAX_GROUP_BYTES: usize = 2048;

/// What the client wants to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// To read, and nothing more.
    Viewer,
    /// To read and to publish, or nothing.
    Publisher,
}

/// One request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) user_id: Option<String>,
    /// In the order of asking, each once. None means the server's own group.
    pub(super) groups: Vec<GroupName>,
    /// `None` when the client takes what it may have.
    pub(super) role: Option<Role>,
}

impl Asked {
    /// Reads the query of a request. What it does not know is not for us.
    pub(super) fn read(query: &str) -> Result<Self, Refusal> {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "id" => asked.user_id = user_id(&value)?,
                "group" => asked.add_group(&value)?,
                "role" => asked.role = Some(read_role(&value)?),
                _ => {}
            }
        }
        Ok(asked)
    }

    fn add_group(&mut self, name: &str) -> Result<(), Refusal> {
        let group = GroupName::new(name).map_err(Refusal::GroupName)?;
        if self.groups.contains(&group) {
            return Ok(());
        }
        self.groups.push(group);
        let bytes: usize = self.groups.iter().map(|group| group.as_str().len()).sum();
        if self.groups.len() > MAX_GROUPS || bytes > MAX_GROUP_BYTES {
            return Err(Refusal::TooManyGroups { limit: MAX_GROUPS, bytes: MAX_GROUP_BYTES });
        }
        Ok(())
    }
}

/// A user's name; an empty one is none.
pub(super) fn user_id(name: &str) -> Result<Option<String>, Refusal> {
    if name.len() > MAX_USER_ID_BYTES {
        return Err(Refusal::UserIdTooLong { limit: MAX_USER_ID_BYTES });
    }
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

fn read_role(text: &str) -> Result<Role, Refusal> {
    match text {
        "viewer" => Ok(Role::Viewer),
        "publisher" => Ok(Role::Publisher),
        _ => Err(Refusal::Role { given: text.chars().take(40).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(query: &str) -> Vec<String> {
        Asked::read(query).unwrap().groups.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn groups_may_be_repeated_and_each_counts_once() {
        assert_eq!(groups(""), [""; 0]);
        assert_eq!(groups("group=a&x=1&group=b%20c&group=a&group=d+e"), ["a", "b c", "d e"]);
    }

    #[test]
    fn a_request_that_would_make_no_url_is_refused() {
        let many: String = (0..=MAX_GROUPS).map(|number| format!("group={number}&")).collect();
        assert!(matches!(Asked::read(&many), Err(Refusal::TooManyGroups { .. })));
        let long: String = (0..3).map(|number| format!("group={number}{}&", "g".repeat(1000))).collect();
        assert!(matches!(Asked::read(&long), Err(Refusal::TooManyGroups { .. })));
        let user = format!("id={}", "u".repeat(MAX_USER_ID_BYTES + 1));
        assert!(matches!(Asked::read(&user), Err(Refusal::UserIdTooLong { .. })));
    }

    #[test]
    fn names_that_are_none_are_refused() {
        assert!(matches!(Asked::read("group="), Err(Refusal::GroupName(_))));
        assert!(matches!(Asked::read("role=Publisher"), Err(Refusal::Role { .. })));
        assert_eq!(Asked::read("role=viewer").unwrap().role, Some(Role::Viewer));
        assert_eq!(Asked::read("id=").unwrap(), Asked::default());
    }
}
