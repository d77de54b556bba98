//! Filters: which connections a message is for, as an OData expression.
//!
//! `'vip' in groups and userId ne null`. A filter is read and type-checked once, then asked about each connection.
//! Source: "OData filter syntax" in the service documentation.
//!
//! ```
//! use webpubsub_protocol::filter::{Filter, Subject};
//!
//! let filter = Filter::parse("startswith(userId, 'bot-') or length(groups) gt 1")?;
//! let subject = Subject { user_id: Some("bot-7"), connection_id: "c1", groups: &["a"], protocol: None };
//! assert!(filter.admits(&subject));
//! # Ok::<(), webpubsub_protocol::filter::FilterError>(())
//! ```

mod evaluate;
mod expression;
mod parser;
mod token;

use expression::{Expression, Type};

/// Deepest nesting of parentheses, `not`s and functions. Beyond it a filter is refused, so that no filter can exhaust
/// the stack.
pub const MAX_NESTING: usize = 100;
/// Longest filter, in bytes. It travels in a URL.
pub const MAX_FILTER_BYTES: usize = 16 * 1024;

/// Why a filter was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at position {position}")]
pub struct FilterError {
    /// Where, counted in bytes from the start.
    pub position: usize,
    /// What is wrong there.
    pub message: String,
}

/// The connection that a filter judges.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a, G: AsRef<str> = &'a str> {
    /// `userId`; `None` is `null`.
    pub user_id: Option<&'a str>,
    /// `connectionId`
    pub connection_id: &'a str,
    /// `groups`
    pub groups: &'a [G],
    /// `protocol`: the name of the subprotocol; `null` for a simple client.
    pub protocol: Option<&'a str>,
}

/// A filter that makes sense.
#[derive(Debug, Clone)]
pub struct Filter(Expression);

impl Filter {
    /// Reads and checks a filter.
    ///
    /// # Errors
    /// [`FilterError`], with the position of the first fault.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_FILTER_BYTES {
            let message = format!("a filter has {MAX_FILTER_BYTES} bytes at most; this one does not end");
            return Err(FilterError { position: MAX_FILTER_BYTES, message });
        }
        let (expression, kind) = parser::parse(text)?;
        if kind == Type::Bool {
            Ok(Self(expression))
        } else {
            Err(FilterError {
                position: 0,
                message: format!("the whole must be true or false, and is {kind}"),
            })
        }
    }

    /// Whether the filter lets this connection through.
    #[must_use]
    pub fn admits<G: AsRef<str>>(&self, subject: &Subject<'_, G>) -> bool {
        evaluate::is_true(&self.0, subject)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Vectors {
        connections: BTreeMap<String, Connection>,
        filters: Vec<Case>,
        errors: Vec<String>,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Connection {
        user_id: Option<String>,
        connection_id: String,
        groups: Vec<String>,
        protocol: Option<String>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        filter: String,
        expect: String,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../tests/vectors/filters.json")).unwrap()
    }

    #[test]
    fn every_recorded_filter_judges_every_connection_as_recorded() {
        let vectors = vectors();
        for Case { filter, expect } in vectors.filters {
            let parsed = Filter::parse(&filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
            let judged: String = vectors
                .connections
                .values()
                .map(|connection| {
                    let subject = Subject {
                        user_id: connection.user_id.as_deref(),
                        connection_id: &connection.connection_id,
                        groups: &connection.groups,
                        protocol: connection.protocol.as_deref(),
                    };
                    if parsed.admits(&subject) { 'T' } else { 'F' }
                })
                .collect();
            assert_eq!(judged, expect, "{filter}");
        }
    }

    #[test]
    fn every_recorded_fault_is_refused() {
        for filter in vectors().errors {
            assert!(Filter::parse(&filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn a_refusal_says_where() {
        for (filter, position) in
            [("userId lt 1", 0), ("true and foo eq 'x'", 9), ("userId eq 'o", 10), ("true true", 5)]
        {
            assert_eq!(Filter::parse(filter).unwrap_err().position, position, "{filter}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&nested(MAX_NESTING - 1)).is_ok());
        assert!(Filter::parse(&nested(MAX_NESTING + 1)).is_err());
        assert!(Filter::parse(&"not ".repeat(4000)).is_err());
        // A long chain is wide, not deep.
        assert!(Filter::parse(&format!("true{}", " and true".repeat(1500))).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            drop(Filter::parse(&text));
        }

        #[test]
        fn no_mixture_of_its_own_words_makes_it_panic(
            words in prop::collection::vec(prop::sample::select(vec![
                "userId", "groups", "(", ")", "not", "and", "or", "eq", "gt", "in", "'x'", "1", "null", ",",
                "length", "substring", "true", "-9", "indexof",
            ]), 0..20),
        ) {
            if let Ok(filter) = Filter::parse(&words.join(" ")) {
                let subject: Subject<'_> =
                    Subject { user_id: Some("é"), connection_id: "c", groups: &["g"], protocol: None };
                let judged = filter.admits(&subject);
                prop_assert_eq!(filter.admits(&subject), judged);
            }
        }
    }
}
