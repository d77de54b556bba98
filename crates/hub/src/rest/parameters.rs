//! The query of a send.

use percent_encoding::percent_decode_str;
use webpubsub_protocol::message::MAX_TTL_SECONDS;

use super::{API_VERSIONS, error::RestError};

/// What the query of a send says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SendParameters {
    /// Connections that do not get the message.
    pub(super) excluded: Vec<String>,
}

impl SendParameters {
    /// Reads the query. Parameters that we do not know are ignored, those that we know and cannot honour are refused.
    pub(super) fn read(query: &str) -> Result<Self, RestError> {
        let mut parameters = Self::default();
        let mut version_seen = false;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match name {
                "api-version" => {
                    let is_known = API_VERSIONS.split(", ").any(|version| version == value);
                    if version_seen || !is_known {
                        let message = format!("`api-version` must be given once, as one of {API_VERSIONS}.");
                        return Err(RestError::bad_request("api-version", message));
                    }
                    version_seen = true;
                }
                "excluded" => parameters.excluded.push(value.into_owned()),
                "messageTtlSeconds" => check_time_to_live(&value)?,
                "filter" => {
                    return Err(RestError::NotImplemented(
                        "this version of the service does not filter recipients",
                    ));
                }
                _ => {}
            }
        }
        Ok(parameters)
    }
}

/// Messages here reach their clients at once or not at all, so none expires; what the value is must still make sense.
fn check_time_to_live(value: &str) -> Result<(), RestError> {
    match value.parse::<u32>() {
        Ok(0..=MAX_TTL_SECONDS) => Ok(()),
        _ => {
            let message = format!("`messageTtlSeconds` must be a number from 0 to {MAX_TTL_SECONDS}.");
            Err(RestError::bad_request("messageTtlSeconds", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluded_connections_come_one_by_one() {
        let parameters = SendParameters::read("excluded=c1&api-version=2024-12-01&excluded=c%2C2").unwrap();
        assert_eq!(parameters.excluded, ["c1", "c,2"]);
    }

    #[test]
    fn a_version_must_be_known_and_given_once() {
        assert!(SendParameters::read("").is_ok());
        assert!(SendParameters::read("api-version=2099-01-01").is_err());
        assert!(SendParameters::read("api-version=2024-12-01&api-version=2024-12-01").is_err());
    }

    #[test]
    fn a_time_to_live_has_a_range() {
        assert!(SendParameters::read("messageTtlSeconds=300").is_ok());
        for value in ["301", "-1", "x", ""] {
            assert!(SendParameters::read(&format!("messageTtlSeconds={value}")).is_err(), "{value}");
        }
    }
}
