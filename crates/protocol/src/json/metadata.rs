//! The member `metadata`: names and values, each within its bounds, no name twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{MalformedFrame, write};
use crate::message::Metadata;

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// Longest value, in bytes.
const MAX_VALUE_BYTES: usize = 1024;
/// Names and values of one message together, in bytes.
const MAX_TOTAL_BYTES: usize = 8192;

/// The annotations as they stand in a frame, before their bounds are checked.
pub(super) struct Given(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Given(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// Checks what a frame holds.
pub(super) fn checked(given: Option<Given>) -> Result<Metadata, MalformedFrame> {
    let mut metadata = Metadata::new();
    let mut total = 0;
    for (name, value) in given.map(|Given(entries)| entries).unwrap_or_default() {
        total += name.len() + value.len();
        let fits = is_token(&name)
            && name.len() <= MAX_NAME_BYTES
            && value.is_ascii()
            && value.len() <= MAX_VALUE_BYTES;
        if !fits || total > MAX_TOTAL_BYTES || metadata.insert(name, value).is_some() {
            return Err(MalformedFrame::Metadata);
        }
    }
    Ok(metadata)
}

/// The `token` of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    const MARKS: &[u8] = b"!#$%&'*+-.^_`|~";
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || MARKS.contains(&byte))
}

/// Appends `,"metadata":{…}` when there is any.
pub(super) fn write(out: &mut String, metadata: &Metadata) {
    if metadata.is_empty() {
        return;
    }
    out.push_str(",\"metadata\":{");
    for (at, (name, value)) in metadata.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write::string(out, name);
        out.push(':');
        write::string(out, value);
    }
    out.push('}');
}
