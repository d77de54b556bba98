//! Connection strings: `Endpoint=https://…;AccessKey=…;Version=1.0;`.
//!
//! Read as leniently as the official SDKs do: parts in any order, names in any case, unknown parts ignored.

use std::fmt;

use crate::endpoint::Endpoint;

/// Shortest access key. HMAC-SHA-256 wants at least its own length (RFC 7518, section 3.2), and token libraries
/// refuse shorter keys.
pub const MIN_ACCESS_KEY_BYTES: usize = 32;

/// A signing key: the text as printed, not what it would decode to as base64. Shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey(String);

impl AccessKey {
    /// Checks a key.
    ///
    /// # Errors
    /// [`ConnectionStringError::KeyTooShort`], [`ConnectionStringError::KeyNotPlain`].
    pub fn new(key: &str) -> Result<Self, ConnectionStringError> {
        if key.len() < MIN_ACCESS_KEY_BYTES {
            Err(ConnectionStringError::KeyTooShort { length: key.len() })
        } else if key.contains(|c: char| c == ';' || c.is_whitespace() || c.is_control()) {
            Err(ConnectionStringError::KeyNotPlain)
        } else {
            Ok(Self(key.to_owned()))
        }
    }

    /// The key itself. For signing, and for printing the connection string of a service one has just started.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

/// Why a connection string was refused. Never holds the access key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionStringError {
    /// A part is missing.
    #[error(
        "the connection string has no `{part}`; expected `Endpoint=URL;AccessKey=KEY;Version=1.0;`, as the portal's Keys page shows it"
    )]
    Missing {
        /// The part's name.
        part: &'static str,
    },
    /// A part is there but empty.
    #[error("`{part}` in the connection string is empty; was the string cut off when pasted?")]
    Empty {
        /// The part's name.
        part: &'static str,
    },
    /// The endpoint is no URL.
    #[error("`Endpoint` in the connection string is `{endpoint}`, which is no `http(s)://HOST[:PORT]`")]
    MalformedEndpoint {
        /// The endpoint as given.
        endpoint: String,
    },
    /// The port is no port.
    #[error("`Port` in the connection string is `{port}`, which is no number from 1 to 65535")]
    MalformedPort {
        /// The port as given.
        port: String,
    },
    /// The key is too short to sign with.
    #[error(
        "`AccessKey` has {length} bytes, fewer than the {MIN_ACCESS_KEY_BYTES} that signing needs; was it cut off when pasted?"
    )]
    KeyTooShort {
        /// How long the key is.
        length: usize,
    },
    /// The key holds characters that no connection string can carry.
    #[error("`AccessKey` holds a space, a control character or `;`, which no access key does")]
    KeyNotPlain,
}

/// Where a service is and how to sign for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionString {
    /// Where the service is.
    pub endpoint: Endpoint,
    /// The key that signs tokens for it.
    pub access_key: AccessKey,
}

impl ConnectionString {
    /// Reads a connection string.
    ///
    /// # Errors
    /// [`ConnectionStringError`], which names the part that is missing or malformed.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        let part = |name: &'static str| {
            text.split(';').filter_map(|part| part.split_once('=')).find_map(|(given, value)| {
                // Keys end in `=` padding, so only the first `=` separates.
                given.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let required = |name: &'static str| match part(name) {
            None => Err(ConnectionStringError::Missing { part: name }),
            Some("") => Err(ConnectionStringError::Empty { part: name }),
            Some(value) => Ok(value),
        };
        let endpoint = required("Endpoint")?;
        let mut endpoint = Endpoint::parse(endpoint)
            .ok_or_else(|| ConnectionStringError::MalformedEndpoint { endpoint: endpoint.to_owned() })?;
        let access_key = AccessKey::new(required("AccessKey")?)?;
        if let Some(port) = part("Port") {
            let number = port.parse().ok().filter(|port| *port != 0);
            let malformed = || ConnectionStringError::MalformedPort { port: port.to_owned() };
            endpoint = endpoint.with_port(number.ok_or_else(malformed)?);
        }
        Ok(Self { endpoint, access_key })
    }

    /// The connection string as text, key included.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("Endpoint={};AccessKey={};Version=1.0;", self.endpoint, self.access_key.reveal())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

    fn refusal(text: &str) -> ConnectionStringError {
        ConnectionString::parse(text).unwrap_err()
    }

    #[test]
    fn a_portals_string_is_read() {
        let text = format!("Endpoint=https://x.webpubsub.azure.com;AccessKey={KEY}==;Version=1.0;");
        let parsed = ConnectionString::parse(&text).unwrap();
        assert_eq!(parsed.endpoint.to_string(), "https://x.webpubsub.azure.com");
        assert_eq!(parsed.access_key.reveal(), format!("{KEY}=="));
    }

    #[test]
    fn a_refusal_names_the_part() {
        use ConnectionStringError::{Empty, KeyTooShort, MalformedEndpoint, MalformedPort, Missing};

        assert_eq!(refusal(""), Missing { part: "Endpoint" });
        assert_eq!(refusal("Endpoint=http://h"), Missing { part: "AccessKey" });
        assert_eq!(refusal("Endpoint=;AccessKey=x"), Empty { part: "Endpoint" });
        let malformed = refusal(&format!("Endpoint=h h;AccessKey={KEY}"));
        assert_eq!(malformed, MalformedEndpoint { endpoint: "h h".to_owned() });
        assert_eq!(refusal("Endpoint=http://h;AccessKey=short"), KeyTooShort { length: 5 });
        let malformed = refusal(&format!("Endpoint=http://h;AccessKey={KEY};Port=x"));
        assert_eq!(malformed, MalformedPort { port: "x".to_owned() });
    }

    #[test]
    fn no_refusal_and_no_debug_text_shows_the_key() {
        let parsed = ConnectionString::parse(&format!("Endpoint=http://h;AccessKey={KEY}")).unwrap();
        assert!(!format!("{parsed:?}").contains(KEY));
        let with_space = refusal(&format!("Endpoint=http://h;AccessKey={KEY} x"));
        assert_eq!(with_space, ConnectionStringError::KeyNotPlain);
        for refusal in [with_space, refusal(&format!("AccessKey={KEY}"))] {
            assert!(!format!("{refusal} {refusal:?}").contains(KEY));
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(host in "[a-z]{1,10}(:[1-9][0-9]{0,3})?", key in "[A-Za-z0-9+/=]{32,60}") {
            let text = format!("Endpoint=http://{host};AccessKey={key};Version=1.0;");
            prop_assert_eq!(ConnectionString::parse(&text).unwrap().reveal(), text);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            drop(ConnectionString::parse(&text));
        }
    }
}
