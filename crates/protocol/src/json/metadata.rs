//! The member `metadata`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{
    MalformedFrame,
    reader::{Members, text_of},
    write,
};
use crate::{message::Metadata, metadata};

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

/// Reads what a response holds.
pub(super) fn read(given: Option<Members<'_>>) -> Result<Metadata, MalformedFrame> {
    let Some(given) = given else { return Ok(Metadata::new()) };
    let entry = |(name, value): (&str, &str)| Some((name.to_owned(), text_of(value)?.into_owned()));
    let entries: Option<Vec<_>> = given.entries().map(entry).collect();
    entries.and_then(metadata::checked).ok_or(MalformedFrame::Metadata)
}

/// Checks what a request holds.
pub(super) fn checked(given: Option<Given>) -> Result<Metadata, MalformedFrame> {
    let entries = given.map(|Given(entries)| entries).unwrap_or_default();
    metadata::checked(entries).ok_or(MalformedFrame::Metadata)
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
