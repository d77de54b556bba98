//! Keys and connection strings: from a flag, the environment, or a file.
//!
//! Other users of the machine can read flags (`ps`), but not the environment, nor a file that only its owner can read.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use webpubsub_protocol::connection_string::ConnectionString;

use crate::usage_error::UsageError;

/// Environment variables with secrets. Programs that a command starts must not inherit them.
pub(crate) const VARIABLES: [&str; 5] = [
    CONNECTION_STRING_VARIABLE,
    "TAILCAST_ACCESS_KEY",
    "TAILCAST_SECONDARY_ACCESS_KEY",
    "TAILCAST_PUBLISH_KEY",
    "TAILCAST_VIEWER_PASSWORD",
];

/// Maximum size of the file of a secret, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Error of the file of a secret. Never contains a part of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFileError {
    #[error("cannot read {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} is empty; write the secret to its first line", path.display())]
    Empty { path: PathBuf },
    #[error("{} has several lines; a file contains one secret", path.display())]
    SeveralLines { path: PathBuf },
    #[error("{} has more than {MAX_FILE_BYTES} bytes, so it is not the file of a secret", path.display())]
    TooLarge { path: PathBuf },
}

/// Environment variable with a connection string.
const CONNECTION_STRING_VARIABLE: &str = "WEBPUBSUB_CONNECTION_STRING";

/// Returns the connection string in `file` if one is given, otherwise the given one or that of the environment.
pub(crate) fn connection_string(
    given: Option<&str>,
    file: Option<&Path>,
) -> Result<ConnectionString, UsageError> {
    let of_environment = || std::env::var(CONNECTION_STRING_VARIABLE).ok();
    let given = given.map(str::to_owned).or_else(of_environment);
    let text = select(given.as_deref(), file)?.ok_or(UsageError::NoConnectionString)?;
    Ok(ConnectionString::parse(&text)?)
}

/// Whether an argument is a connection string, and not a name that comes after it.
pub(crate) fn is_connection_string(text: &str) -> bool {
    text.contains("Endpoint=") || text.contains(';')
}

/// Returns the secret in `file` if one is given, otherwise the given value.
pub(crate) fn select(given: Option<&str>, file: Option<&Path>) -> Result<Option<String>, SecretFileError> {
    match file {
        Some(file) => read(file).map(Some),
        None => Ok(given.map(str::to_owned)),
    }
}

/// Reads a secret: the only line of a file, without white space around it.
fn read(path: &Path) -> Result<String, SecretFileError> {
    let path_buf = || path.to_owned();
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| SecretFileError::Unreadable { path: path_buf(), error })?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(SecretFileError::TooLarge { path: path_buf() });
    }
    match text.trim() {
        "" => Err(SecretFileError::Empty { path: path_buf() }),
        secret if secret.contains('\n') => Err(SecretFileError::SeveralLines { path: path_buf() }),
        secret => Ok(secret.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// File with a content. Removed when dropped.
    struct Written(PathBuf);

    impl Written {
        fn new(name: &str, content: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tailcast-secret-{}-{name}", std::process::id()));
            std::fs::write(&path, content).unwrap();
            Self(path)
        }
    }

    impl Drop for Written {
        fn drop(&mut self) {
            drop(std::fs::remove_file(&self.0));
        }
    }

    #[test]
    fn a_file_has_precedence_over_a_value() {
        let file = Written::new("valid", " from a file\r\n");
        assert_eq!(select(Some("given"), Some(&file.0)).unwrap().as_deref(), Some("from a file"));
        assert_eq!(select(Some("given"), None).unwrap().as_deref(), Some("given"));
        assert_eq!(select(None, None).unwrap(), None);
    }

    #[test]
    fn a_file_without_one_secret_is_refused_by_its_path() {
        let error = |file: &Path| select(None, Some(file)).unwrap_err();
        let empty = Written::new("empty", " \n\n");
        assert!(matches!(error(&empty.0), SecretFileError::Empty { .. }));
        let several = Written::new("several", "one\ntwo\n");
        let refused = error(&several.0);
        assert!(matches!(refused, SecretFileError::SeveralLines { .. }));
        assert!(!refused.to_string().contains("two"), "{refused}");
        let large = Written::new("large", &"x".repeat(MAX_FILE_BYTES as usize + 1));
        assert!(matches!(error(&large.0), SecretFileError::TooLarge { .. }));
        let missing = error(Path::new("/nonexistent"));
        assert!(missing.to_string().contains("/nonexistent"), "{missing}");
    }
}
