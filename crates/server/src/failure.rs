//! Error of a command, with its exit code.

use std::{fmt, process::ExitCode};

use crate::{
    terminal::{notice, without_controls},
    usage_error::UsageError,
};

/// Error that ends a command. Displays as a message for the user.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid arguments or configuration: exit code 2.
    Usage(UsageError),
    /// Error while running: exit code 1.
    Runtime(String),
    /// Error that was printed already: exit code 1 or 2.
    Reported { code: u8 },
    /// The command of `tailcast run` could not be started: exit code as in shells.
    CommandNotStarted { message: String, code: u8 },
}

impl Failure {
    pub(crate) fn runtime(message: impl Into<String>) -> Self {
        Self::Runtime(message.into())
    }

    /// Prints the error, unless it was printed before. Returns the exit code.
    pub(crate) fn exit(self, program: &str) -> ExitCode {
        ExitCode::from(self.report(program).code())
    }

    /// Prints the error, unless it was printed before.
    pub(crate) fn report(self, program: &str) -> Self {
        let code = self.code();
        if !matches!(self, Self::Reported { .. }) {
            notice!("{program}: {}", without_controls(&self.to_string()));
        }
        Self::Reported { code }
    }

    /// Returns the exit code of the program.
    fn code(&self) -> u8 {
        match self {
            Self::Runtime(_) => 1,
            Self::Usage(_) => 2,
            Self::CommandNotStarted { code, .. } | Self::Reported { code } => *code,
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
            Self::Reported { .. } => f.write_str("see above"),
        }
    }
}
