//! Names of hubs, groups and events: checked when made, trusted afterwards.

use std::{convert::Infallible, fmt, sync::Arc};

/// Longest hub name, in bytes (all allowed characters are ASCII).
pub const MAX_HUB_NAME_BYTES: usize = 128;
/// Longest group name, in characters.
pub const MAX_GROUP_NAME_CHARS: usize = 1024;
/// Longest event name, in bytes (all allowed characters are ASCII).
pub const MAX_EVENT_NAME_BYTES: usize = 128;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Not a hub name.
    #[error(
        "`{name}` is no hub name: it must begin with a letter and hold at most {MAX_HUB_NAME_BYTES} letters, digits or any of _`,.[]"
    )]
    Hub {
        /// The name as given, cut to a printable length.
        name: String,
    },
    /// Not a group name.
    #[error(
        "`{name}` is no group name: it must hold 1 to {MAX_GROUP_NAME_CHARS} characters, not all of them spaces, none of them a line end"
    )]
    Group {
        /// The name as given, cut to a printable length.
        name: String,
    },
    /// Not an event name.
    #[error(
        "`{name}` is no event name: it must begin with a letter and hold at most {MAX_EVENT_NAME_BYTES} letters, digits or any of _.-"
    )]
    Event {
        /// The name as given, cut to a printable length.
        name: String,
    },
}

impl From<Infallible> for NameError {
    /// Never called: a function that accepts names and texts needs one error for both.
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// An offending name, short enough for a log line.
fn excerpt(name: &str) -> String {
    const EXCERPT_CHARS: usize = 64;
    // Escaped: a name of a peer must not write lines of its own into a log, nor colours.
    name.chars().take(EXCERPT_CHARS).flat_map(char::escape_debug).collect()
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;

            fn try_from(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(&name)
            }
        }

        impl From<&$name> for $name {
            /// Shares the name, which costs no copy.
            fn from(name: &$name) -> Self {
                name.clone()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type! {
    /// The name of a hub, in lower case: hubs are told apart without regard to case.
    ///
    /// Source: REST data plane 2024-12-01, parameter `hub`.
    HubName
}

impl HubName {
    /// Checks `name` and lowers its case.
    ///
    /// # Errors
    /// [`NameError::Hub`] when it does not begin with a letter, is too long or holds other characters than
    /// letters, digits and ``_`,.[]``.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '`' | ',' | '.' | '[' | ']');
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if begins_well && name.len() <= MAX_HUB_NAME_BYTES && name.chars().all(legal) {
            Ok(Self(name.to_ascii_lowercase().into()))
        } else {
            Err(NameError::Hub { name: excerpt(name) })
        }
    }
}

name_type! {
    /// The name of a group. Case matters, and so do spaces at its ends.
    ///
    /// Source: REST data plane 2024-12-01, parameter `group`.
    GroupName
}

impl GroupName {
    /// Checks `name`.
    ///
    /// # Errors
    /// [`NameError::Group`] when it is empty, all white space, too long, or holds a line end.
    pub fn new(name: &str) -> Result<Self, NameError> {
        GroupRef::new(name).map(|name| Self(name.as_str().into()))
    }
}

/// The name of a group on its way: checked like a [`GroupName`], but lent by the frame that it came in, where that is
/// possible.
#[derive(Clone)]
pub struct GroupRef<'a>(Keeping<'a>);

#[derive(Clone)]
enum Keeping<'a> {
    Lent(&'a str),
    Kept(GroupName),
}

impl<'a> GroupRef<'a> {
    /// Checks `name`.
    ///
    /// # Errors
    /// As [`GroupName::new`].
    pub fn new(name: &'a str) -> Result<Self, NameError> {
        let blank = name.chars().all(char::is_whitespace);
        // There are never more characters than bytes.
        let too_long = name.len() > MAX_GROUP_NAME_CHARS && name.chars().count() > MAX_GROUP_NAME_CHARS;
        // The service's pattern is `^(?!\s+$).+$`, whose dot does not match a line feed.
        if blank || too_long || name.bytes().any(|byte| byte == b'\n') {
            Err(NameError::Group { name: excerpt(name) })
        } else {
            Ok(Self(Keeping::Lent(name)))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Keeping::Lent(name) => name,
            Keeping::Kept(name) => name.as_str(),
        }
    }
}

impl From<GroupName> for GroupRef<'_> {
    fn from(name: GroupName) -> Self {
        Self(Keeping::Kept(name))
    }
}

impl PartialEq for GroupRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for GroupRef<'_> {}

impl fmt::Display for GroupRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for GroupRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

name_type! {
    /// The name of a user event, as the client wrote it. Event handlers match it without regard to case.
    EventName
}

impl EventName {
    /// `message`, the event that everything a simple client sends becomes.
    #[must_use]
    pub fn message() -> Self {
        Self("message".into())
    }

    /// Checks `name`.
    ///
    /// # Errors
    /// [`NameError::Event`] when it does not begin with a letter, is too long or holds other characters than
    /// letters, digits and `_.-`.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if begins_well && name.len() <= MAX_EVENT_NAME_BYTES && name.chars().all(legal) {
            Ok(Self(name.into()))
        } else {
            Err(NameError::Event { name: excerpt(name) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_names_differ_in_more_than_case() {
        assert_eq!(HubName::new("Chat"), HubName::new("cHAT"));
    }

    #[test]
    fn hub_names_begin_with_a_letter_and_stay_short() {
        for good in ["a", "stream", "a_`,.[]9", &"h".repeat(MAX_HUB_NAME_BYTES)] {
            assert!(HubName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "1bad", "_x", "a b", "a/b", "ä", &"h".repeat(MAX_HUB_NAME_BYTES + 1)] {
            assert!(HubName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_group_name_may_hold_anything_but_blankness_and_line_feeds() {
        for good in ["a", " a ", "Größe/1", "日本", &"é".repeat(MAX_GROUP_NAME_CHARS)] {
            assert!(GroupName::new(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "\t ", "a\nb", &"é".repeat(MAX_GROUP_NAME_CHARS + 1)] {
            assert!(GroupName::new(bad).is_err(), "{bad}");
        }
        assert_ne!(GroupName::new("a"), GroupName::new("A"));
    }

    #[test]
    fn an_error_names_the_name_and_stays_printable() {
        let error = EventName::new(&"1\n".repeat(5000)).unwrap_err();
        assert!(matches!(&error, NameError::Event { name } if name.starts_with("1\\n1\\n")), "{error:?}");
        assert!(error.to_string().len() < 300, "{error}");
    }
}
