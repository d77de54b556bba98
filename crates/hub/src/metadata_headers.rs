//! Message metadata as HTTP headers: `X-WebPubSub-Metadata-{name}: {value}`.
//!
//! Source: REST data plane (send operations), CloudEvents extension (events and their responses).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use webpubsub_protocol::{message::Metadata, metadata};

/// Prefix of the header names, which HTTP libraries report in lower case.
const PREFIX: &str = "x-webpubsub-metadata-";

/// Reads the metadata in `headers`; `None` if it exceeds the limits. The last element of a list or a repeated header
/// counts.
pub(crate) fn read(headers: &HeaderMap) -> Option<Metadata> {
    let names = headers.keys().filter_map(|name| Some((name, name.as_str().strip_prefix(PREFIX)?)));
    // Headers without a name after the prefix are ignored, as in the vendor's emulator.
    let names = names.filter(|(_, name)| !name.is_empty());
    let entries: Option<Vec<(String, String)>> = names
        .map(|(header, name)| {
            let value = headers.get_all(header).iter().next_back()?.to_str().ok()?;
            let last = value.rsplit(',').next().unwrap_or_default().trim();
            Some((name.to_owned(), last.to_owned()))
        })
        .collect();
    metadata::checked(entries?)
}

/// Adds `metadata` to `headers`. Entries that are invalid as a header are omitted.
pub(crate) fn write(metadata: &Metadata, headers: &mut HeaderMap) {
    for (name, value) in metadata {
        let name = format!("{PREFIX}{}", name.to_ascii_lowercase());
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => drop(headers.insert(name, value)),
            _ => tracing::debug!(%name, "metadata entry omitted: not valid as an HTTP header"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_round_trips_as_headers_with_lower_case_names() {
        let given: Metadata = [("Trace-Id".to_owned(), "7".to_owned())].into();
        let mut headers = HeaderMap::new();
        write(&given, &mut headers);
        assert_eq!(read(&headers).unwrap(), [("trace-id".to_owned(), "7".to_owned())].into());
    }

    #[test]
    fn a_header_without_a_name_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert("x-webpubsub-metadata-", HeaderValue::from_static("v"));
        headers.insert("x-webpubsub-metadata-k", HeaderValue::from_static("v"));
        assert_eq!(read(&headers), Some([("k".to_owned(), "v".to_owned())].into()));
    }

    #[test]
    fn the_last_value_counts_and_limits_are_enforced() {
        let mut headers = HeaderMap::new();
        headers.append("x-webpubsub-metadata-a", HeaderValue::from_static("1, 2"));
        headers.append("x-webpubsub-metadata-a", HeaderValue::from_static("3,  4 "));
        assert_eq!(read(&headers).unwrap().get("a").map(String::as_str), Some("4"));
        let long = "x".repeat(1025);
        headers.insert("x-webpubsub-metadata-b", HeaderValue::from_str(&long).unwrap());
        assert_eq!(read(&headers), None);
    }
}
