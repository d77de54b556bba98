//! Parsing, with hints for mistakes that the parser does not explain.

use std::ffi::OsString;

use clap::{
    ArgMatches, CommandFactory, FromArgMatches,
    builder::StyledStr,
    error::{ContextKind, ContextValue, Error, ErrorKind},
    parser::ValueSource,
};

use super::Cli;

/// Parses the arguments of the process. Prints an error and exits if they are invalid.
pub(crate) fn parse() -> Cli {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    try_parse(&arguments).unwrap_or_else(|error| with_hint(error, &arguments).exit())
}

fn try_parse(arguments: &[OsString]) -> Result<Cli, Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let of_subcommand = matches.subcommand().map_or(&matches, |(_, matches)| matches);
    if let Some((server, serve)) = two_servers(of_subcommand) {
        let message =
            format!("--{server} names a server, and --{serve} serves from this command; omit one of them");
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Cli::from_arg_matches(&matches)
}

/// Returns two flags of which one would be ignored. `TAILCAST_SERVER` is no flag: `--serve` has precedence over it.
fn two_servers(matches: &ArgMatches) -> Option<(&'static str, &'static str)> {
    let is_flag = |name: &&str| {
        matches.try_contains_id(name).unwrap_or_default()
            && matches.value_source(name) == Some(ValueSource::CommandLine)
    };
    let server = ["server", "negotiate"].into_iter().find(is_flag)?;
    Some((server, ["serve", "port"].into_iter().find(is_flag)?))
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
        missing_separator(&try_parse(&arguments).unwrap_err(), &arguments)
    }

    #[test]
    fn flags_for_two_servers_are_refused() {
        let refusal = |words: &[&str]| {
            let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
            try_parse(&arguments).err().map(|error| error.to_string())
        };
        for words in [
            &["tailcast", "--server", "http://h", "--port", "8081"][..],
            &["tailcast", "stream", "--negotiate", "http://h/negotiate", "--serve"],
        ] {
            let refused = refusal(words).unwrap();
            assert!(refused.contains("omit one of them"), "{words:?}: {refused}");
        }
        assert_eq!(refusal(&["tailcast", "--port", "8081", "--exit"]), None);
        assert_eq!(refusal(&["tailcast", "serve", "--public-url", "https://h"]), None);
    }

    #[test]
    fn a_command_without_a_separator_is_answered_with_one() {
        let complete = "write `--` before the command: `tailcast run --group x -- make -j 2`";
        assert_eq!(hint(&["tailcast", "run", "--group", "x", "make", "-j", "2"]).as_deref(), Some(complete));
        assert_eq!(hint(&["tailcast", "run", "--colour"]), None, "an unknown flag");
        assert_eq!(hint(&["tailcast", "serve", "a", "b"]), None, "another command");
    }
}
