//! Shell command that publishes lines to the page's group.

/// Default group of `tailcast stream`.
pub const DEFAULT_GROUP: &str = "stream";
/// Default negotiate endpoint of `tailcast stream`.
pub const DEFAULT_NEGOTIATE: &str = "http://127.0.0.1:8080/negotiate";

/// Returns `some-command | tailcast stream` with the options for this group and endpoint.
#[must_use]
pub fn stream_command(group: &str, negotiate_url: &str) -> String {
    let mut command = "some-command | tailcast stream".to_owned();
    if negotiate_url != DEFAULT_NEGOTIATE && negotiate_url != "http://localhost:8080/negotiate" {
        command.push_str(" --negotiate ");
        command.push_str(&shell_word(negotiate_url));
    }
    if group != DEFAULT_GROUP {
        command.push_str(" --group ");
        command.push_str(&shell_word(group));
    }
    command
}

/// Quotes `word` for a POSIX shell where needed.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_need_no_options() {
        assert_eq!(stream_command(DEFAULT_GROUP, DEFAULT_NEGOTIATE), "some-command | tailcast stream");
    }

    #[test]
    fn another_group_or_endpoint_is_an_option() {
        assert_eq!(
            stream_command("build", "https://logs.example/negotiate"),
            "some-command | tailcast stream --negotiate https://logs.example/negotiate --group build"
        );
    }

    #[test]
    fn names_from_the_url_are_quoted() {
        let command = stream_command("x'; rm -rf ~ #", DEFAULT_NEGOTIATE);
        assert_eq!(command, r"some-command | tailcast stream --group 'x'\''; rm -rf ~ #'");
        assert!(stream_command("a", "http://h/?a=1&b=$(id)").contains("'http://h/?a=1&b=$(id)'"));
    }
}
