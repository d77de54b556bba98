//! Query parameters of a client's request.

use webpubsub_protocol::name::GroupName;

use super::error::HandshakeError;
use crate::{query_string, session::SimpleMode};

/// Parsed query parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientQuery {
    pub(super) access_token: Option<String>,
    /// Hub, if it is not in the path.
    pub(super) hub: Option<String>,
    /// Connection id and reconnection token of a recovery, which needs no access token.
    pub(super) recovery: Option<(String, String)>,
    /// Treatment of a simple client's messages. Validated for every client, as the cloud service does.
    pub(super) simple_mode: SimpleMode,
    /// All parameters except the access token, for the connect event.
    pub(super) forwarded: Vec<(String, String)>,
}

impl ClientQuery {
    /// Parses a query. The last value of a repeated parameter counts.
    pub(super) fn read(query: &str) -> Result<Self, HandshakeError> {
        let pairs: Vec<(String, String)> = query_string::pairs(query).collect();
        let value = |name: &str| {
            let named = |(given, _): &&(String, String)| given.eq_ignore_ascii_case(name);
            pairs.iter().rev().find(named).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        Ok(Self {
            access_token: value("access_token").map(str::to_owned),
            hub: value("hub").map(str::to_owned),
            recovery: value("awps_connection_id")
                .map(|id| (id.to_owned(), value("awps_reconnection_token").unwrap_or_default().to_owned())),
            simple_mode: simple_mode(value("webpubsub_mode"), value("group"), value("noEcho"))?,
            forwarded: pairs
                .iter()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("access_token"))
                .cloned()
                .collect(),
        })
    }
}

fn simple_mode(
    mode: Option<&str>,
    group: Option<&str>,
    no_echo: Option<&str>,
) -> Result<SimpleMode, HandshakeError> {
    let is = |name: &str| mode.is_some_and(|mode| mode.eq_ignore_ascii_case(name));
    if mode.is_none() || is("sendEvent") {
        return Ok(SimpleMode::SendEvent);
    }
    if !is("sendToGroup") {
        return Err(HandshakeError::Query("`webpubsub_mode` must be sendEvent or sendToGroup".to_owned()));
    }
    let group = group
        .ok_or_else(|| HandshakeError::Query("`webpubsub_mode=sendToGroup` requires a `group`".to_owned()))?;
    let group = GroupName::new(group).map_err(|error| HandshakeError::Query(error.to_string()))?;
    let no_echo = match no_echo {
        Some(value) if value.eq_ignore_ascii_case("true") => true,
        Some(value) if !value.eq_ignore_ascii_case("false") => {
            return Err(HandshakeError::Query("`noEcho` must be true or false".to_owned()));
        }
        _ => false,
    };
    Ok(SimpleMode::SendToGroup { group, no_echo })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_names_ignore_case_and_the_last_value_counts() {
        let query = ClientQuery::read("Access_Token=a&access_token=b%2Ec&tag=x&tag=y").unwrap();
        assert_eq!(query.access_token.as_deref(), Some("b.c"));
        assert_eq!(query.forwarded, [("tag".into(), "x".into()), ("tag".into(), "y".into())]);
        assert_eq!(query.recovery, None);
    }

    #[test]
    fn a_simple_client_may_publish_each_message_to_a_group() {
        let query = ClientQuery::read("webpubsub_mode=sendtogroup&group=a%20b+c&noEcho=TRUE").unwrap();
        let group = GroupName::new("a b c").unwrap();
        assert_eq!(query.simple_mode, SimpleMode::SendToGroup { group, no_echo: true });
    }

    #[test]
    fn invalid_modes_are_rejected() {
        for query in [
            "webpubsub_mode=x",
            "webpubsub_mode=sendToGroup",
            "webpubsub_mode=sendToGroup&group=%20",
            "webpubsub_mode=sendToGroup&group=g&noEcho=perhaps",
        ] {
            assert!(ClientQuery::read(query).is_err(), "{query}");
        }
    }
}
