//! Access keys of the embedded service, which sign its tokens.

use webpubsub_protocol::connection_string::AccessKey;

use crate::usage_error::UsageError;

/// Well-known key of the vendor's emulator, so that connection strings from its documentation work. It is not secret, so it
/// is accepted only if no other host can reach the server.
pub(crate) const DEVELOPMENT_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

/// Whether this is the well-known development key.
pub(crate) fn is_development_key(key: &AccessKey) -> bool {
    key.reveal() == DEVELOPMENT_KEY
}

/// Access keys that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessKeys {
    /// Key that signs tokens.
    pub(crate) primary: AccessKey,
    /// Second key, for key rotation.
    pub(crate) secondary: Option<AccessKey>,
}

impl AccessKeys {
    /// Returns all keys, the primary key first.
    pub(crate) fn all(&self) -> Vec<AccessKey> {
        std::iter::once(&self.primary).chain(&self.secondary).cloned().collect()
    }
}

/// Validates the configured keys.
pub(super) fn access_keys(
    primary: Option<&str>,
    secondary: Option<&str>,
    is_private: bool,
) -> Result<AccessKeys, UsageError> {
    let primary = match primary {
        Some(key) => parse_key(key, "--access-key", is_private)?,
        None if is_private => parse_key(DEVELOPMENT_KEY, "--access-key", is_private)?,
        None => {
            return Err(UsageError::NoAccessKey { suggestion: random_key(), publish_key: random_key() });
        }
    };
    let secondary = secondary.map(|key| parse_key(key, "--secondary-access-key", is_private)).transpose()?;
    Ok(AccessKeys { primary, secondary })
}

fn parse_key(key: &str, flag: &'static str, is_private: bool) -> Result<AccessKey, UsageError> {
    if key == DEVELOPMENT_KEY && !is_private {
        return Err(UsageError::DevelopmentKey);
    }
    AccessKey::new(key).map_err(|error| UsageError::AccessKey { flag, error })
}

/// Returns a random key of 43 characters; `KEY`, which no server accepts, without randomness.
pub(crate) fn random_key() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0_u8; 43];
    if getrandom::fill(&mut bytes).is_err() {
        return "KEY".to_owned();
    }
    bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 64)))
        .map(|letter| char::from(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::connection_string::ConnectionStringError;

    use super::*;

    fn error(primary: Option<&str>, secondary: Option<&str>, is_private: bool) -> UsageError {
        access_keys(primary, secondary, is_private).unwrap_err()
    }

    #[test]
    fn the_development_key_is_refused_where_other_hosts_can_reach_the_server() {
        assert!(is_development_key(&access_keys(None, None, true).unwrap().primary));
        assert!(matches!(error(None, None, false), UsageError::NoAccessKey { .. }));
        assert!(matches!(error(Some(DEVELOPMENT_KEY), None, false), UsageError::DevelopmentKey));
        let secondary = error(Some(&random_key()), Some(DEVELOPMENT_KEY), false);
        assert!(matches!(secondary, UsageError::DevelopmentKey));
    }

    #[test]
    fn both_keys_are_accepted_and_validated() {
        let (first, second) = (random_key(), random_key());
        let both = access_keys(Some(&first), Some(&second), false).unwrap();
        assert_eq!(both.all().iter().map(AccessKey::reveal).collect::<Vec<_>>(), [first, second]);
        let too_short = ConnectionStringError::KeyTooShort { length: 5 };
        let refused = error(Some("short"), None, true);
        assert!(refused.to_string().starts_with("the value of --access-key has 5 bytes"), "{refused}");
        assert!(matches!(
            error(None, Some("short"), true),
            UsageError::AccessKey { flag: "--secondary-access-key", error } if error == too_short
        ));
    }

    #[test]
    fn suggested_keys_are_valid_and_random() {
        assert!(AccessKey::new(&random_key()).is_ok());
        assert_ne!(random_key(), random_key());
    }
}
