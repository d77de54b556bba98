//! The reason that a server gives in the body of an error response.

use std::borrow::Cow;

use webpubsub_protocol::json::reader::Members;

use crate::{
    failure::status_text,
    negotiate::{without_queries, without_tokens},
};

/// Maximum number of characters of a server's reason: a few sentences, which still fit into a tooltip and a terminal.
pub const MAX_REASON_CHARS: usize = 1_000;
/// Longest run of letters and digits in a reason: longer than names, UUIDs and hashes of commits, shorter than the
/// signature of a token.
const LONGEST_SHOWN_RUN: usize = 40;

/// Formats whose text may be shown. Markup is none of them.
enum Format {
    Text,
    Json,
}

impl Format {
    fn of(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "text/plain" => Some(Self::Text),
            "application/json" => Some(Self::Json),
            // Such as `application/problem+json` (RFC 9457).
            other => other.ends_with("+json").then_some(Self::Json),
        }
    }
}

/// Whether a body of this content type may contain a reason.
pub(crate) fn may_contain_reason(content_type: &str) -> bool {
    Format::of(content_type).is_some()
}

/// Returns the reason in the body of a response with this status: plain text, or the message of a JSON object. `None` if
/// there is none, or if it says no more than the status.
pub(crate) fn reason(status: u16, content_type: &str, body: &str) -> Option<String> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let text = match Format::of(content_type)? {
        Format::Text => Cow::Borrowed(body),
        Format::Json => message(body)?,
    };
    let line = one_line(&without_tokens(&without_queries(&text), LONGEST_SHOWN_RUN));
    // Markup under a wrong content type.
    let is_markup = line.starts_with('<');
    // The reason is the middle of a sentence.
    let line = line.trim_end_matches(['.', ';', ' ']);
    // ASCII: tables of all letters would cost more than all of this.
    let is_status = status_text(status).to_ascii_lowercase().ends_with(line.to_ascii_lowercase().as_str());
    (!is_markup && !is_status).then(|| line.to_owned())
}

/// Returns the message of a JSON object: the members that web frameworks and RFC 9457 name.
fn message(json: &str) -> Option<Cow<'_, str>> {
    let members = Members::read(json).ok()?;
    let error = members.object("error").ok().flatten();
    let nested = error.and_then(|error| error.text("message").ok()?);
    nested.or_else(|| {
        ["message", "error", "detail", "title"].into_iter().find_map(|name| members.text(name).ok().flatten())
    })
}

/// Whether a character changes how the text around it is shown: control characters, directions, joiners, tags and other invisible
/// characters.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Returns the text as one line without invisible characters, cut after [`MAX_REASON_CHARS`].
fn one_line(text: &str) -> String {
    let mut line = String::new();
    let words = text.split_whitespace().map(|word| word.replace(is_invisible, ""));
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if let Some((end, _)) = line.char_indices().nth(MAX_REASON_CHARS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(body: &str) -> Option<String> {
        reason(403, "text/plain; charset=utf-8", body)
    }

    fn of_json(body: &str) -> Option<String> {
        reason(403, "application/json", body)
    }

    #[test]
    fn plain_text_is_a_reason() {
        let refusal =
            "the group `secret` may not be asked for here; start the server with `--allow-group PATTERN`\n";
        assert_eq!(of_text(refusal).as_deref(), Some(refusal.trim_end()));
        assert_eq!(reason(500, "Text/Plain", "\u{feff}é").as_deref(), Some("é"));
    }

    #[test]
    fn a_reason_continues_a_sentence() {
        assert_eq!(of_text("Sign in first. Then retry. \n").as_deref(), Some("Sign in first. Then retry"));
    }

    #[test]
    fn invisible_characters_are_removed() {
        let text = "no\u{202e}t\u{202c} \u{200b}al\u{1b}[31ml\u{e0041}owed\u{feff}";
        assert_eq!(of_text(text).as_deref(), Some("not al[31mlowed"));
    }

    #[test]
    fn the_message_of_a_json_object_is_a_reason() {
        for body in [
            r#"{"error":{"code":7,"message":"no such group"}}"#,
            r#"{ "message": "no such group", "detail": "x" }"#,
            r#"{"error":"no such group"}"#,
            r#"{"detail":"no such group"}"#,
        ] {
            assert_eq!(of_json(body).as_deref(), Some("no such group"), "{body}");
        }
        let problem = r#"{"title":"Closed","status":403,"detail":"no such group"}"#;
        assert_eq!(reason(403, "application/problem+json", problem).as_deref(), Some("no such group"));
        for body in ["", "no such group", "[]", r#"{"error":5}"#, r#"{"message":null}"#, r#"{"message":"#] {
            assert_eq!(of_json(body), None, "{body}");
        }
    }

    #[test]
    fn markup_is_never_a_reason() {
        let page = "<!doctype html><title>403 Forbidden</title>";
        for content_type in ["text/html", "application/xhtml+xml", "", "text/plain"] {
            assert_eq!(reason(403, content_type, page), None, "{content_type}");
        }
        assert_eq!(of_json(r#"{"message":" <html>"}"#), None);
    }

    #[test]
    fn an_empty_body_or_the_status_alone_is_no_reason() {
        for body in ["", " \n", "Forbidden", "forbidden.\n", "403 forbidden"] {
            assert_eq!(of_text(body), None, "{body:?}");
        }
    }

    #[test]
    fn a_reason_is_one_bounded_line_without_control_characters() {
        assert_eq!(of_text("a\r\n\tb\u{1b}[31mc\u{0}\u{9b} \u{7} d").as_deref(), Some("a b[31mc d"));
        let long = of_text(&"é ".repeat(200_000)).unwrap();
        assert_eq!(long.chars().count(), MAX_REASON_CHARS + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_reason_shows_no_token() {
        let token = "eyJhdWQiOiJ3czovL2gvY2xpZW50L2h1YnMvc3RyZWFtIn0";
        let words =
            of_text(&format!("token {token} for wss://h/x?access_token={token} has expired")).unwrap();
        assert_eq!(words, "token … for wss://h/x?… has expired");
    }
}
