//! The command that fills an empty page, ready to be copied into a shell.

/// The group that `tailcast stream` publishes to when it is not told another.
pub const DEFAULT_GROUP: &str = "stream";
/// The negotiate endpoint that `tailcast stream` asks when it is not told another.
pub const DEFAULT_NEGOTIATE: &str = "http://127.0.0.1:8080/negotiate";

/// `some-command | tailcast stream`, with the options that this page's group and server ask for.
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

/// `word` such that a POSIX shell reads exactly it.
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
    fn the_usual_page_needs_no_options() {
        assert_eq!(stream_command(DEFAULT_GROUP, DEFAULT_NEGOTIATE), "some-command | tailcast stream");
    }

    #[test]
    fn another_group_or_server_is_named() {
        assert_eq!(
            stream_command("build", "https://logs.example/negotiate"),
            "some-command | tailcast stream --negotiate https://logs.example/negotiate --group build"
        );
    }

    #[test]
    fn a_name_from_the_address_bar_cannot_become_a_command() {
        let command = stream_command("x'; rm -rf ~ #", DEFAULT_NEGOTIATE);
        assert_eq!(command, r"some-command | tailcast stream --group 'x'\''; rm -rf ~ #'");
        assert!(stream_command("a", "http://h/?a=1&b=$(id)").contains("'http://h/?a=1&b=$(id)'"));
    }
}
