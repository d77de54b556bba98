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
//! group-presence-events = ["joined", "left"]
//! group-filters = ["room.*"]
//! ```

use std::{
    fs::File,
    io::{self, Read},
    ops::RangeInclusive,
    path::Path,
    time::Duration,
};

use serde::Deserialize;
use webpubsub_hub::http::{GroupPresence, Rule, RuleError, UrlTemplate, UserEvents};
use webpubsub_protocol::name::HubName;

use crate::usage_error::UsageError;

/// Maximum size of the file, in bytes: room for a thousand handlers.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Range of the timeout of event handlers.
const HANDLER_TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=600;

/// Error of a configuration file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigFileError {
    #[error("cannot read the file: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the file exceeds {MAX_FILE_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    #[error(
        "`handler-timeout-seconds` must be from {} to {}",
        HANDLER_TIMEOUT_SECONDS.start(),
        HANDLER_TIMEOUT_SECONDS.end()
    )]
    HandlerTimeout,
    #[error(transparent)]
    Rule(#[from] RuleError),
}

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
    #[serde(default)]
    group_presence_events: Vec<String>,
    #[serde(default)]
    group_filters: Vec<String>,
}

impl ConfigFile {
    /// Reads and validates a file.
    pub(super) fn read(path: &Path) -> Result<Self, UsageError> {
        let parsed = read_text(path).and_then(|text| Self::parse(&text));
        parsed.map_err(|error| UsageError::ConfigFile { path: path.to_owned(), error })
    }

    fn parse(text: &str) -> Result<Self, ConfigFileError> {
        let table: FileTable = toml::from_str(text)?;
        let seconds = table.handler_timeout_seconds;
        if seconds.is_some_and(|seconds| !HANDLER_TIMEOUT_SECONDS.contains(&seconds)) {
            return Err(ConfigFileError::HandlerTimeout);
        }
        let rules: Result<Vec<Rule>, RuleError> = table.event_handler.into_iter().map(rule).collect();
        Ok(Self {
            allows_anonymous: table.allow_anonymous,
            handler_timeout: seconds.map(Duration::from_secs),
            event_handlers: rules?,
        })
    }
}

fn read_text(path: &Path) -> Result<String, ConfigFileError> {
    let mut text = String::new();
    // Not the length of the file: a device or a pipe has none.
    let length = File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if length as u64 > MAX_FILE_BYTES { Err(ConfigFileError::TooLarge) } else { Ok(text) }
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
        group_presence: GroupPresence::new(
            table.group_presence_events.iter().map(String::as_str),
            table.group_filters.iter().map(String::as_str),
        )?,
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
        let unknown = error("colour = 1");
        assert!(matches!(&unknown, ConfigFileError::Syntax(error) if error.to_string().contains("`colour`")));
        let incomplete = error("allow-anonymous = true\n[[event-handler]]\n");
        assert!(
            matches!(&incomplete, ConfigFileError::Syntax(error) if error.to_string().contains("line 2"))
        );
        let url = error("[[event-handler]]\nurl-template = \"x\"");
        assert!(matches!(&url, ConfigFileError::Rule(RuleError::Url { url, .. }) if url == "x"), "{url}");
        let timeout = error("handler-timeout-seconds = 0");
        assert!(matches!(timeout, ConfigFileError::HandlerTimeout));
        assert!(timeout.to_string().ends_with("must be from 1 to 600"), "{timeout}");
        let boot = error("[[event-handler]]\nurl-template = \"http://h\"\nsystem-events = [\"boot\"]");
        assert!(
            matches!(&boot, ConfigFileError::Rule(RuleError::SystemEvent(name)) if name == "boot"),
            "{boot}"
        );
        let filter = error("[[event-handler]]\nurl-template = \"http://h\"\ngroup-filters = [\"g\"]");
        assert!(
            matches!(&filter, ConfigFileError::Rule(RuleError::GroupFilter(name)) if name == "g"),
            "{filter}"
        );
    }

    #[test]
    fn a_missing_file_is_reported_with_its_path() {
        let missing = Path::new("/nonexistent.toml");
        let error = ConfigFile::read(missing).unwrap_err();
        assert!(matches!(
            error,
            UsageError::ConfigFile { path, error: ConfigFileError::Unreadable(_) } if path == missing
        ));
    }
}
