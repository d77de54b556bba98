//! Error of a command, with its exit code.

use std::{fmt, process::ExitCode};

/// Error that ends a command. Displays as a message for the user.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid arguments or configuration: exit code 2.
    Usage(String),
    /// Error while running: exit code 1.
    Runtime(String),
    /// The command of `tailcast run` could not be started: exit code as in shells.
    CommandNotStarted { message: String, code: u8 },
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

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

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Runtime(message) | Self::CommandNotStarted { message, .. } => {
                f.write_str(message)
            }
        }
    }
}
