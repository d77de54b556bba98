//! Lines of a group with the marks of their publishers, read without the code of this project.

use anyhow::Context;

use crate::socket::Socket;

/// Line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedLine {
    /// Name of its source; empty for the main source of a publisher.
    pub source: String,
    /// Text without the mark.
    pub text: String,
    /// Whether it is unfinished.
    pub is_unfinished: bool,
}

impl MarkedLine {
    /// Creates a complete line of a source.
    #[must_use]
    pub fn of(source: &str, text: &str) -> Self {
        Self { source: source.to_owned(), text: text.to_owned(), is_unfinished: false }
    }
}

/// Returns the bodies of the marks at the beginning of a line, and the text after them.
#[must_use]
pub fn split_marks(line: &str) -> (Vec<&str>, &str) {
    let (mut marks, mut rest) = (Vec::new(), line);
    while let Some((body, after)) = rest.strip_prefix("\u{1b}]").and_then(|rest| rest.split_once('\u{7}'))
        && (body.starts_with("7717;") || body.starts_with("133;"))
    {
        marks.push(body);
        rest = after;
    }
    (marks, rest)
}

/// Returns the lines of a message. Marks of commands have no line.
#[must_use]
pub fn lines_of(message: &str) -> Vec<MarkedLine> {
    let text = message.strip_suffix('\n').unwrap_or(message);
    let (mut lines, mut source, mut is_unfinished) = (Vec::new(), String::new(), false);
    for line in text.split('\n') {
        let (marks, text) = split_marks(line);
        let mut is_command = false;
        for mark in marks {
            match mark.strip_prefix("7717;") {
                Some(mark) => {
                    let (publisher, name) = mark.split_once(';').unwrap_or((mark, ""));
                    name.strip_suffix(": ").unwrap_or(name).clone_into(&mut source);
                    is_unfinished = publisher.ends_with('+');
                }
                None => is_command = true,
            }
        }
        if !(is_command && text.is_empty()) {
            lines.push(MarkedLine { source: source.clone(), text: text.to_owned(), is_unfinished });
        }
    }
    // Only the last line of a part can be unfinished; publishers send it alone.
    lines
}

impl Socket {
    /// Receives group messages until they have `count` complete lines. Returns these lines in order.
    ///
    /// # Errors
    /// Fails if the connection is closed before.
    pub async fn marked_lines(&mut self, count: usize) -> anyhow::Result<Vec<MarkedLine>> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let text = self
                .message_text()
                .await
                .with_context(|| format!("after {} of {count} lines", lines.len()))?;
            lines.extend(lines_of(&text).into_iter().filter(|line| !line.is_unfinished));
        }
        Ok(lines)
    }

    /// Receives the next group message. Returns its text.
    ///
    /// # Errors
    /// Fails if the connection is closed before.
    pub async fn message_text(&mut self) -> anyhow::Result<String> {
        loop {
            let message = self.json().await?;
            if message["type"] == "message" {
                return Ok(message["data"].as_str().context("no text")?.to_owned());
            }
        }
    }
}
