//! Configuration file of the user: server, group and key of the commands that publish and watch.
//!
//! ```toml
//! server = "https://logs.example.com"
//! group = "build"
//! publish-key-file = "/home/ada/.config/tailcast/publish-key"
//! ```

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{secret, usage_error::UsageError};

/// Maximum size of the file, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Settings of the file; the default has none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct UserConfig {
    pub(crate) server: Option<String>,
    pub(crate) negotiate: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) publish_key: Option<String>,
    pub(crate) publish_key_file: Option<PathBuf>,
    pub(crate) viewer_password: Option<String>,
    pub(crate) viewer_password_file: Option<PathBuf>,
    pub(crate) ca_cert: Option<PathBuf>,
}

/// Error of the file. Never contains a line of it: one of them can be a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserConfigError {
    #[error("cannot read the file: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the file exceeds {MAX_FILE_BYTES} bytes")]
    TooLarge,
    #[error("line {line}: {message}")]
    Syntax { line: usize, message: String },
}

impl UserConfig {
    /// Reads the file; a file that does not exist has no settings.
    pub(crate) fn load() -> Result<Self, UsageError> {
        match path() {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, UsageError> {
        let mut text = String::new();
        let parsed = match File::open(path) {
            Err(error) if is_missing(&error) => return Ok(Self::default()),
            Err(error) => Err(error.into()),
            Ok(file) => file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(Into::into),
        };
        let parsed = parsed.and_then(|length| {
            if length as u64 > MAX_FILE_BYTES {
                return Err(UserConfigError::TooLarge);
            }
            toml::from_str(&text).map_err(|error| syntax_error(&text, &error))
        });
        parsed.map_err(|error| UsageError::UserConfig { path: path.to_owned(), error })
    }

    /// Returns the publish key.
    pub(crate) fn publish_key(&self) -> Result<Option<String>, UsageError> {
        Ok(secret::select(self.publish_key.as_deref(), self.publish_key_file.as_deref())?)
    }

    /// Returns the password of viewers.
    pub(crate) fn viewer_password(&self) -> Result<Option<String>, UsageError> {
        Ok(secret::select(self.viewer_password.as_deref(), self.viewer_password_file.as_deref())?)
    }
}

fn syntax_error(text: &str, error: &toml::de::Error) -> UserConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    UserConfigError::Syntax { line, message: without_value(error.message()) }
}

/// Removes the value from the message about a wrong type: a key without quotes is a number, for example.
fn without_value(message: &str) -> String {
    let parts = message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "));
    match parts {
        Some((found, expected)) => {
            let kind = found.split([' ', '`', '"']).next().unwrap_or_default();
            format!("invalid type: {kind}, expected {expected}")
        }
        None => message.to_owned(),
    }
}

/// Whether there is no file, or no folder for it.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Returns the path of the file: `tailcast/config.toml` in the folder for configuration of the platform.
fn path() -> Option<PathBuf> {
    let folder =
        |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        folder("APPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library").join("Application Support"))
    } else {
        folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))
    };
    Some(folder?.join("tailcast").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_has_no_settings_and_an_invalid_one_is_reported_without_its_lines() {
        assert!(UserConfig::read(Path::new("/nonexistent/config.toml")).unwrap().server.is_none());
        let path = std::env::temp_dir().join(format!("tailcast-user-config-{}", std::process::id()));
        let error = |text: &str| {
            std::fs::write(&path, text).unwrap();
            UserConfig::read(&path).unwrap_err().to_string()
        };
        let unknown = error("group = \"a\"\ncolour = 1");
        assert!(unknown.contains("line 2: ") && unknown.contains("`colour`"), "{unknown}");
        let secret = error("publish-key = s3cret");
        assert!(secret.contains("tailcast-user-config") && !secret.contains("s3cret"), "{secret}");
        for (value, kind) in
            [("12345678", "integer"), ("1.5", "floating"), ("true", "boolean"), ("[1]", "sequence")]
        {
            let message = error(&format!("publish-key = {value}"));
            let expected = format!("line 1: invalid type: {kind}, expected a string");
            assert!(message.ends_with(&expected) && !message.contains(value), "{message}");
        }
        assert!(error(&"#".repeat(70_000)).contains("exceeds"));
        std::fs::remove_file(&path).unwrap();
    }
}
