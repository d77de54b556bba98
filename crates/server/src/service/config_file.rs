//! The file that says what flags are too short for: event handlers, one table each.
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

use std::{fs, ops::RangeInclusive, path::Path, time::Duration};

use serde::Deserialize;
use webpubsub_hub::event_handler::http::rule::{Rule, RuleError, UrlTemplate, UserEvents};
use webpubsub_protocol::name::HubName;

use crate::failure::Failure;

/// Longest file that is read, in bytes: a thousand handlers fit.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// How long a handler may be given.
const HANDLER_TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=600;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    pub(super) allows_anonymous: bool,
    pub(super) handler_timeout: Option<Duration>,
    pub(super) event_handlers: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    #[serde(default)]
    allow_anonymous: bool,
    handler_timeout_seconds: Option<u64>,
    #[serde(default)]
    event_handler: Vec<WrittenHandler>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WrittenHandler {
    hub: Option<String>,
    url_template: String,
    user_event_pattern: Option<String>,
    #[serde(default)]
    system_events: Vec<String>,
}

impl ConfigFile {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |words: String| Failure::usage(format!("--config {}: {words}", path.display()));
        let length = fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > MAX_FILE_BYTES {
            return Err(wrong(format!("it has {length} bytes, more than {MAX_FILE_BYTES}")));
        }
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        let seconds = written.handler_timeout_seconds;
        if seconds.is_some_and(|seconds| !HANDLER_TIMEOUT_SECONDS.contains(&seconds)) {
            let (least, most) = (HANDLER_TIMEOUT_SECONDS.start(), HANDLER_TIMEOUT_SECONDS.end());
            return Err(format!("`handler-timeout-seconds` must be from {least} to {most}"));
        }
        let rules: Result<Vec<Rule>, RuleError> = written.event_handler.into_iter().map(rule).collect();
        Ok(Self {
            allows_anonymous: written.allow_anonymous,
            handler_timeout: seconds.map(Duration::from_secs),
            event_handlers: rules.map_err(|error| error.to_string())?,
        })
    }
}

fn rule(written: WrittenHandler) -> Result<Rule, RuleError> {
    Ok(Rule {
        hub: written.hub.as_deref().map(HubName::new).transpose()?,
        url: UrlTemplate::new(&written.url_template)?,
        user_events: match written.user_event_pattern {
            Some(pattern) => pattern.parse()?,
            None => UserEvents::None,
        },
        system_events: written.system_events.iter().map(|name| name.parse()).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_read_in_their_order() {
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
    fn what_is_wrong_is_named_with_its_place() {
        let wrong = |text: &str| ConfigFile::parse(text).unwrap_err();
        assert!(wrong("colour = 1").contains("unknown field `colour`"));
        assert!(wrong("allow-anonymous = true\n[[event-handler]]\n").contains("line 2"));
        assert!(wrong("[[event-handler]]\nurl-template = \"x\"").contains("`x` is no URL template"));
        assert!(wrong("handler-timeout-seconds = 0").contains("from 1 to 600"));
        let boot = "[[event-handler]]\nurl-template = \"http://h\"\nsystem-events = [\"boot\"]";
        assert!(wrong(boot).contains("`boot` is no system event"));
        assert!(
            ConfigFile::read(Path::new("/nonexistent.toml"))
                .unwrap_err()
                .to_string()
                .contains("/nonexistent.toml")
        );
    }
}
