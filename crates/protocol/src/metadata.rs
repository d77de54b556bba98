//! Annotations of a message: names and values, each within its bounds, no name twice.

use crate::message::Metadata;

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// Longest value, in bytes.
const MAX_VALUE_BYTES: usize = 1024;
/// Names and values of one message together, in bytes.
const MAX_TOTAL_BYTES: usize = 8192;

/// Checks what a frame holds; `None` when it breaks the rules.
#[must_use]
pub fn checked(entries: impl IntoIterator<Item = (String, String)>) -> Option<Metadata> {
    let mut metadata = Metadata::new();
    let mut total = 0;
    for (name, value) in entries {
        total += name.len() + value.len();
        let fits = is_token(&name)
            && name.len() <= MAX_NAME_BYTES
            && value.is_ascii()
            && value.len() <= MAX_VALUE_BYTES;
        if !fits || total > MAX_TOTAL_BYTES || metadata.insert(name, value).is_some() {
            return None;
        }
    }
    Some(metadata)
}

/// The `token` of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    const MARKS: &[u8] = b"!#$%&'*+-.^_`|~";
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || MARKS.contains(&byte))
}
