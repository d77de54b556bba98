//! The keys that sign the embedded service's tokens.

use webpubsub_protocol::connection_string::AccessKey;

use crate::failure::Failure;

/// The key that the vendor's emulator uses too, so that a connection string copied from its documentation works.
/// Everybody knows it: good on the loopback interface only.
pub(crate) const DEVELOPMENT_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

/// Whether everybody knows it.
pub(crate) fn is_development_key(key: &AccessKey) -> bool {
    key.reveal() == DEVELOPMENT_KEY
}

/// The keys that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessKeys {
    /// The one that signs.
    pub(crate) first: AccessKey,
    /// One more, while the first is being changed.
    pub(crate) second: Option<AccessKey>,
}

impl AccessKeys {
    /// All of them, the one that signs first.
    pub(crate) fn all(&self) -> Vec<AccessKey> {
        std::iter::once(&self.first).chain(&self.second).cloned().collect()
    }
}

/// Checks the keys that were given.
pub(super) fn keys(
    first: Option<&str>,
    second: Option<&str>,
    is_private: bool,
) -> Result<AccessKeys, Failure> {
    let first = match first {
        Some(key) => check(key, "--access-key", is_private)?,
        None if is_private => check(DEVELOPMENT_KEY, "--access-key", is_private)?,
        None => {
            return Err(Failure::usage(format!(
                "others can reach the server (by --listen, --allow-origin, --public-url or --trusted-proxy), so the \
                 embedded service needs a key of its own: --access-key {}",
                fresh_key()
            )));
        }
    };
    let second = second.map(|key| check(key, "--secondary-access-key", is_private)).transpose()?;
    Ok(AccessKeys { first, second })
}

fn check(key: &str, flag: &str, is_private: bool) -> Result<AccessKey, Failure> {
    if key == DEVELOPMENT_KEY && !is_private {
        return Err(Failure::usage(
            "everybody knows the development key, so it is refused where others can reach the server \
             (by --listen, --allow-origin, --public-url or --trusted-proxy); use a key of your own",
        ));
    }
    AccessKey::new(key).map_err(|error| {
        Failure::usage(error.to_string().replace("`AccessKey`", &format!("the key given with {flag}")))
    })
}

/// A key to suggest: 43 characters that nobody can guess.
fn fresh_key() -> String {
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
    use super::*;

    fn refusal(first: Option<&str>, second: Option<&str>, is_private: bool) -> String {
        keys(first, second, is_private).unwrap_err().to_string()
    }

    #[test]
    fn the_development_key_serves_where_nobody_else_comes_and_is_refused_beyond() {
        assert!(is_development_key(&keys(None, None, true).unwrap().first));
        assert!(refusal(None, None, false).contains("--access-key "));
        assert!(refusal(Some(DEVELOPMENT_KEY), None, false).contains("everybody knows"));
        assert!(refusal(Some(&fresh_key()), Some(DEVELOPMENT_KEY), false).contains("everybody knows"));
    }

    #[test]
    fn both_keys_count_and_each_is_checked() {
        let (first, second) = (fresh_key(), fresh_key());
        let both = keys(Some(&first), Some(&second), false).unwrap();
        assert_eq!(both.all().iter().map(AccessKey::reveal).collect::<Vec<_>>(), [first, second]);
        assert!(refusal(Some("short"), None, true).contains("--access-key has 5 bytes"));
        assert!(refusal(None, Some("short"), true).contains("--secondary-access-key has 5 bytes"));
    }

    #[test]
    fn suggested_keys_are_good_and_differ() {
        assert!(AccessKey::new(&fresh_key()).is_ok());
        assert_ne!(fresh_key(), fresh_key());
    }
}
