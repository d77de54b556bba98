//! Error of a command, with its exit code.

use std::{fmt, process::ExitCode};

use crate::usage_error::UsageError;

/// Error that ends a command. Displays as a message for the user.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid arguments or configuration: exit code 2.
    Usage(UsageError),
    /// Error while running: exit code 1.
    Runtime(String),
    /// The command of `tailcast run` could not be started: exit code as in shells.
    CommandNotStarted { message: String, code: u8 },
}

impl Failure {
    pub(crate) fn runtime(message: impl Into<String>) -> Self {
        Self::Runtime(message.into())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Runtime(_) => ExitCode::FAILURE,
            Self::CommandNotStarted { code, .. } => ExitCode::from(*code),
        }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Runtime(message) | Self::CommandNotStarted { message, .. } => f.write_str(message),
        }
    }
}
