//! How a command fails: what to say, and which exit code says it.

use std::{fmt, process::ExitCode};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked wrongly: exit code 2.
    Usage(String),
    /// It was asked rightly, and something went wrong: exit code 1.
    RunTime(String),
    /// The command that it was to run could not be: an exit code such as shells give.
    NotRun { words: String, code: u8 },
}

impl Failure {
    pub(crate) fn usage(words: impl Into<String>) -> Self {
        Self::Usage(words.into())
    }

    pub(crate) fn at_run_time(words: impl Into<String>) -> Self {
        Self::RunTime(words.into())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::RunTime(_) => ExitCode::FAILURE,
            Self::NotRun { code, .. } => ExitCode::from(*code),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(words) | Self::RunTime(words) | Self::NotRun { words, .. } => f.write_str(words),
        }
    }
}
