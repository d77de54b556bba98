//! Parameters of a request: `?group=NAME` (repeatable), `?role=viewer|publisher`, `?id=USER`.

use webpubsub_protocol::name::GroupName;

use crate::error::{NegotiateError, Reason};

/// Maximum length of a user id, in bytes. It becomes part of a URL.
const MAX_USER_ID_BYTES: usize = 1024;
/// Maximum number of groups per token. Each adds one or two roles to the token, which is part of a URL.
pub const MAX_GROUPS: usize = 32;
/// Maximum total length of the group names, in bytes. Proxies commonly limit URLs to 8 KiB, and the token contains each name
/// twice, in Base64.
const MAX_GROUP_BYTES: usize = 2048;

/// Requested role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Permission to subscribe, without permission to publish.
    Viewer,
    /// Permission to subscribe and to publish, or an error.
    Publisher,
}

/// Request of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NegotiateRequest {
    /// Requested user id.
    pub user_id: Option<String>,
    /// Distinct groups in the requested order. An empty list selects the default group.
    pub groups: Vec<GroupName>,
    /// Requested role. `None` requests all available permissions.
    pub role: Option<Role>,
}

impl NegotiateRequest {
    /// Parses the query string of a request. Unknown parameters are ignored.
    ///
    /// # Errors
    /// If a parameter is invalid or too long, or if there are more than [`MAX_GROUPS`] groups.
    pub fn parse(query: &str) -> Result<Self, NegotiateError> {
        let mut request = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "id" => request.user_id = user_id(&value)?,
                "group" => request.add_group(&value)?,
                "role" => request.role = Some(parse_role(&value)?),
                _ => {}
            }
        }
        Ok(request)
    }

    fn add_group(&mut self, name: &str) -> Result<(), NegotiateError> {
        let group = GroupName::new(name).map_err(Reason::InvalidGroupName)?;
        if self.groups.contains(&group) {
            return Ok(());
        }
        self.groups.push(group);
        self.check_groups()
    }

    /// Checks the number and the length of the groups.
    pub(crate) fn check_groups(&self) -> Result<(), NegotiateError> {
        let bytes: usize = self.groups.iter().map(|group| group.as_str().len()).sum();
        if self.groups.len() > MAX_GROUPS || bytes > MAX_GROUP_BYTES {
            return Err(Reason::TooManyGroups { limit: MAX_GROUPS, bytes: MAX_GROUP_BYTES }.into());
        }
        Ok(())
    }
}

/// Validates a user id; `None` if it is empty.
pub(crate) fn user_id(id: &str) -> Result<Option<String>, NegotiateError> {
    if id.len() > MAX_USER_ID_BYTES {
        return Err(Reason::UserIdTooLong { limit: MAX_USER_ID_BYTES }.into());
    }
    Ok(Some(id.to_owned()).filter(|id| !id.is_empty()))
}

fn parse_role(text: &str) -> Result<Role, NegotiateError> {
    match text {
        "viewer" => Ok(Role::Viewer),
        "publisher" => Ok(Role::Publisher),
        _ => Err(Reason::InvalidRole { given: text.chars().take(40).collect() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NegotiateErrorKind;

    fn groups(query: &str) -> Vec<String> {
        NegotiateRequest::parse(query).unwrap().groups.iter().map(ToString::to_string).collect()
    }

    fn reason(query: &str) -> Reason {
        let error = NegotiateRequest::parse(query).unwrap_err();
        assert_eq!(error.kind(), NegotiateErrorKind::InvalidRequest);
        error.0
    }

    #[test]
    fn repeated_groups_are_distinct() {
        assert_eq!(groups(""), [""; 0]);
        assert_eq!(groups("group=a&x=1&group=b%20c&group=a&group=d+e"), ["a", "b c", "d e"]);
    }

    #[test]
    fn requests_with_an_overlong_url_are_refused() {
        let many: String = (0..=MAX_GROUPS).map(|number| format!("group={number}&")).collect();
        assert!(matches!(reason(&many), Reason::TooManyGroups { .. }));
        let long: String = (0..3).map(|number| format!("group={number}{}&", "g".repeat(1000))).collect();
        assert!(matches!(reason(&long), Reason::TooManyGroups { .. }));
        let user = format!("id={}", "u".repeat(MAX_USER_ID_BYTES + 1));
        assert!(matches!(reason(&user), Reason::UserIdTooLong { .. }));
    }

    #[test]
    fn invalid_values_are_refused() {
        assert!(matches!(reason("group="), Reason::InvalidGroupName(_)));
        assert!(matches!(reason("role=Publisher"), Reason::InvalidRole { .. }));
        assert_eq!(NegotiateRequest::parse("role=viewer").unwrap().role, Some(Role::Viewer));
        assert_eq!(NegotiateRequest::parse("id=").unwrap(), NegotiateRequest::default());
    }
}
