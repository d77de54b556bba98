//! Parsing, with hints for mistakes that the parser does not explain.

use std::ffi::OsString;

use clap::{
    Parser,
    builder::StyledStr,
    error::{ContextKind, ContextValue, Error, ErrorKind},
};

use super::Cli;

/// Parses the arguments of the process. Prints an error and exits if they are invalid.
pub(crate) fn parse() -> Cli {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    Cli::try_parse_from(&arguments).unwrap_or_else(|error| with_hint(error, &arguments).exit())
}

fn with_hint(mut error: Error, arguments: &[OsString]) -> Error {
    if let Some(hint) = missing_separator(&error, arguments) {
        let tips = vec![StyledStr::from(hint)];
        // Replaces the parser's own suggestion, which is a flag of a similar name.
        let _replaced = error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// Returns the complete command line for `tailcast run COMMAND`.
fn missing_separator(error: &Error, arguments: &[OsString]) -> Option<String> {
    let is_run = arguments.get(1).is_some_and(|name| name == "run");
    if error.kind() != ErrorKind::UnknownArgument || !is_run || arguments.iter().any(|word| word == "--") {
        return None;
    }
    let ContextValue::String(unknown) = error.get(ContextKind::InvalidArg)? else { return None };
    if unknown.starts_with('-') {
        return None;
    }
    let at = arguments.iter().skip(2).position(|word| word.to_str() == Some(unknown))? + 2;
    let (flags, command) = (arguments.get(2..at)?, arguments.get(at..)?);
    let words = |words: &[OsString]| -> String {
        words.iter().map(|word| format!("{} ", word.to_string_lossy())).collect()
    };
    Some(format!(
        "write `--` before the command: `tailcast run {}-- {}`",
        words(flags),
        words(command).trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(words: &[&str]) -> Option<String> {
        let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
        missing_separator(&Cli::try_parse_from(&arguments).unwrap_err(), &arguments)
    }

    #[test]
    fn a_command_without_a_separator_is_answered_with_one() {
        let complete = "write `--` before the command: `tailcast run --group x -- make -j 2`";
        assert_eq!(hint(&["tailcast", "run", "--group", "x", "make", "-j", "2"]).as_deref(), Some(complete));
        assert_eq!(hint(&["tailcast", "run", "--colour"]), None, "an unknown flag");
        assert_eq!(hint(&["tailcast", "serve", "a", "b"]), None, "another command");
    }
}
