//! Configuration file, with one table per event handler.
//!
//! ```toml
//! allow-anonymous = false
//! handler-timeout-seconds = 100
//!
//! [[event-handler]]
//! hub = "chat"
//! url-template = "http://localhost:3000/api/webpubsub/hubs/{hub}/"
//! user-event-pattern = "*"
//! system-events = ["connect", "connected", "disconnected"]
//! ```

use std::{fs, io, ops::RangeInclusive, path::Path, time::Duration};

use serde::Deserialize;
use webpubsub_hub::event_handler::http::rule::{Rule, RuleError, UrlTemplate, UserEvents};
use webpubsub_protocol::name::HubName;

use crate::failure::Failure;

/// Maximum size of the file, in bytes: room for a thousand handlers.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Range of the timeout of event handlers.
const HANDLER_TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=600;

/// Settings of a file.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    pub(super) allows_anonymous: bool,
    pub(super) handler_timeout: Option<Duration>,
    pub(super) event_handlers: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FileTable {
    #[serde(default)]
    allow_anonymous: bool,
    handler_timeout_seconds: Option<u64>,
    #[serde(default)]
    event_handler: Vec<HandlerTable>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct HandlerTable {
    hub: Option<String>,
    url_template: String,
    user_event_pattern: Option<String>,
    #[serde(default)]
    system_events: Vec<String>,
}

impl ConfigFile {
    /// Reads and validates a file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let invalid = |message: String| Failure::usage(format!("--config {}: {message}", path.display()));
        let unreadable = |error: io::Error| invalid(format!("cannot read the file: {error}"));
        let length = fs::metadata(path).map_err(unreadable)?.len();
        if length > MAX_FILE_BYTES {
            return Err(invalid(format!("the file has {length} bytes; the limit is {MAX_FILE_BYTES}")));
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text).map_err(invalid)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: FileTable = toml::from_str(text).map_err(|error| error.to_string())?;
        let seconds = table.handler_timeout_seconds;
        if seconds.is_some_and(|seconds| !HANDLER_TIMEOUT_SECONDS.contains(&seconds)) {
            let (min, max) = (HANDLER_TIMEOUT_SECONDS.start(), HANDLER_TIMEOUT_SECONDS.end());
            return Err(format!("`handler-timeout-seconds` must be from {min} to {max}"));
        }
        let rules: Result<Vec<Rule>, RuleError> = table.event_handler.into_iter().map(rule).collect();
        Ok(Self {
            allows_anonymous: table.allow_anonymous,
            handler_timeout: seconds.map(Duration::from_secs),
            event_handlers: rules.map_err(|error| error.to_string())?,
        })
    }
}

fn rule(table: HandlerTable) -> Result<Rule, RuleError> {
    Ok(Rule {
        hub: table.hub.as_deref().map(HubName::new).transpose()?,
        url: UrlTemplate::new(&table.url_template)?,
        user_events: match table.user_event_pattern {
            Some(pattern) => pattern.parse()?,
            None => UserEvents::None,
        },
        system_events: table.system_events.iter().map(|name| name.parse()).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_keep_their_order() {
        let file = ConfigFile::parse(
            "allow-anonymous = true\n\
             [[event-handler]]\nhub = \"chat\"\nurl-template = \"http://one/{hub}\"\nuser-event-pattern = \"a,b\"\n\
             [[event-handler]]\nurl-template = \"http://two\"\nsystem-events = [\"connect\"]\n",
        )
        .unwrap();
        assert!(file.allows_anonymous);
        assert_eq!(file.event_handlers.len(), 2);
        assert!(file.event_handlers[1].hub.is_none() && file.event_handlers[1].system_events.len() == 1);
    }

    #[test]
    fn errors_include_the_setting_or_the_line() {
        let error = |text: &str| ConfigFile::parse(text).unwrap_err();
        assert!(error("colour = 1").contains("unknown field `colour`"));
        assert!(error("allow-anonymous = true\n[[event-handler]]\n").contains("line 2"));
        assert!(error("[[event-handler]]\nurl-template = \"x\"").contains("`x` is no URL template"));
        assert!(error("handler-timeout-seconds = 0").contains("from 1 to 600"));
        let boot = "[[event-handler]]\nurl-template = \"http://h\"\nsystem-events = [\"boot\"]";
        assert!(error(boot).contains("`boot` is no system event"));
        assert!(
            ConfigFile::read(Path::new("/nonexistent.toml"))
                .unwrap_err()
                .to_string()
                .contains("/nonexistent.toml")
        );
    }
}
