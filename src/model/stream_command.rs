//! Shell commands that publish lines to the page's group.

use std::fmt::Write;

use super::display_text::display_text;

/// Default group of `tailcast stream`.
pub const DEFAULT_GROUP: &str = "stream";
/// Default negotiate endpoint of `tailcast stream`.
pub const DEFAULT_NEGOTIATE: &str = "http://127.0.0.1:8080/negotiate";

/// Commands that publish to one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamCommands {
    /// Publishes its standard input.
    pub stream: String,
    /// Runs a command and publishes its output.
    pub run: String,
    /// Publishes the lines added to a file.
    pub tail: String,
}

impl StreamCommands {
    /// Returns the commands with the options for a group and a negotiate endpoint.
    #[must_use]
    pub fn new(group: &str, negotiate_url: &str) -> Self {
        let options = options(group, negotiate_url);
        Self {
            stream: format!("some-command | tailcast stream{options}"),
            run: format!("tailcast run{options} -- some-command"),
            tail: format!("tailcast tail{options} some.log"),
        }
    }
}

fn options(group: &str, negotiate_url: &str) -> String {
    let mut options = String::new();
    if negotiate_url != DEFAULT_NEGOTIATE && negotiate_url != "http://localhost:8080/negotiate" {
        // `--server` is the address of the page, which is easier to recognise and to change.
        match negotiate_url.strip_suffix("/negotiate").filter(|server| !server.contains('?')) {
            Some(server) => push_option(&mut options, "--server", server),
            None => push_option(&mut options, "--negotiate", negotiate_url),
        }
    }
    if group != DEFAULT_GROUP {
        push_option(&mut options, "--group", group);
    }
    options
}

/// Appends an option. A value that begins with a dash would be taken for an option after a space.
fn push_option(options: &mut String, name: &str, value: &str) {
    let separator = if value.starts_with('-') { '=' } else { ' ' };
    options.push(' ');
    options.push_str(name);
    options.push(separator);
    options.push_str(&shell_word(value));
}

/// Quotes `word` for a shell where needed. A word with control characters or invisible ones is written with escapes (`$'…'`, as in
/// bash, zsh and ksh): they would change what a terminal shows, and be carried out when the command is pasted. Quotes and backslashes
/// are written as numbers there, so that a shell that does not know `$'…'` finds no end of the quotation in the word.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if !word.chars().any(needs_escape) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for c in word.chars() {
        if !matches!(c, '\'' | '\\') && !needs_escape(c) {
            quoted.push(c);
            continue;
        }
        // Bytes of UTF-8 in octal: independent of the locale, and of three digits, so that a digit may follow.
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a string cannot fail.
            write!(quoted, "\\{byte:03o}").unwrap_or_default();
        }
    }
    quoted.push('\'');
    quoted
}

/// Whether a character is not shown as itself.
fn needs_escape(c: char) -> bool {
    c.is_control() || !display_text(c.encode_utf8(&mut [0; 4])).invisible.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(group: &str, negotiate_url: &str) -> String {
        StreamCommands::new(group, negotiate_url).stream
    }

    #[test]
    fn the_defaults_need_no_options() {
        let commands = StreamCommands::new(DEFAULT_GROUP, DEFAULT_NEGOTIATE);
        assert_eq!(commands.stream, "some-command | tailcast stream");
        assert_eq!(commands.run, "tailcast run -- some-command");
        assert_eq!(commands.tail, "tailcast tail some.log");
    }

    #[test]
    fn another_group_or_endpoint_is_an_option() {
        let commands = StreamCommands::new("build", "https://logs.example/negotiate");
        let options = "--server https://logs.example --group build";
        assert_eq!(commands.stream, format!("some-command | tailcast stream {options}"));
        assert_eq!(commands.run, format!("tailcast run {options} -- some-command"));
        assert_eq!(commands.tail, format!("tailcast tail {options} some.log"));
        assert!(stream("stream", "https://h/api/other").ends_with(" --negotiate https://h/api/other"));
        assert!(stream("stream", "https://h/logs/negotiate").ends_with(" --server https://h/logs"));
    }

    #[test]
    fn names_from_the_url_are_quoted() {
        let command = stream("x'; rm -rf ~ #", DEFAULT_NEGOTIATE);
        assert_eq!(command, r"some-command | tailcast stream --group 'x'\''; rm -rf ~ #'");
        assert!(stream("a", "http://h/?a=1&b=$(id)").contains("'http://h/?a=1&b=$(id)'"));
    }

    #[test]
    fn a_value_that_begins_with_a_dash_is_no_option() {
        assert_eq!(stream("-x", DEFAULT_NEGOTIATE), "some-command | tailcast stream --group='-x'");
    }

    #[test]
    fn characters_that_are_not_shown_are_escaped() {
        for (group, word) in [
            ("a\u{1b}]0;x\u{7}b", r"$'a\033]0;x\007b'"),
            ("a\r1", r"$'a\0151'"),
            ("it's\t\\n", r"$'it\047s\011\134n'"),
            ("a\u{202e}b", r"$'a\342\200\256b'"),
            ("a\u{9b}b", r"$'a\302\233b'"),
            ("\u{200b}'; touch /tmp/x #", r"$'\342\200\213\047; touch /tmp/x #'"),
        ] {
            let command = stream(group, DEFAULT_NEGOTIATE);
            assert_eq!(command, format!("some-command | tailcast stream --group {word}"));
        }
        assert_eq!(shell_word("größe"), "'größe'");
    }
}
