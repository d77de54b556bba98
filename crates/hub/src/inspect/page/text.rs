//! Text in the page: names and payloads from clients, and counts with their noun.

use std::fmt::Display;

use maud::{Markup, html};

/// Returns a name that a client chose, isolated from the direction of the text around it.
pub(super) fn name(text: &str) -> Markup {
    html! {
        @if text.is_empty() { span .quiet { "(empty)" } }
        @else { bdi .name { (printable(text, &[])) } }
    }
}

/// Returns an excerpt of a payload, with its line ends and tabs.
pub(super) fn payload(text: &str) -> Markup {
    html! { bdi { (printable(text, &['\n', '\t'])) } }
}

/// Returns `text` with escapes (`\u{202e}`) in place of control characters, line separators and directional formatting,
/// which are invisible or move the text around them. `kept` stay as they are.
fn printable(text: &str, kept: &[char]) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match needs_escape(c) && !kept.contains(&c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

fn needs_escape(c: char) -> bool {
    let is_separator = matches!(c, '\u{2028}' | '\u{2029}');
    let is_directional =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_separator || is_directional
}

/// Returns a count with its noun: `1 group`, `2 groups`.
pub(super) fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let shown: Vec<_> = [0_u64, 1, 2, 11, 21].map(|count| counted(count, "group")).into();
        assert_eq!(shown, ["0 groups", "1 group", "2 groups", "11 groups", "21 groups"]);
    }

    #[test]
    fn invisible_characters_are_escaped_and_scripts_from_right_to_left_are_not() {
        let shown = |text| name(text).into_string();
        let isolated = |text: &str| format!(r#"<bdi class="name">{text}</bdi>"#);
        assert_eq!(shown("a\0\x07\x1b[31m\x7f"), isolated(r"a\u{0}\u{7}\u{1b}[31m\u{7f}"));
        assert_eq!(shown("a\u{202e}b\u{2028}\r\n"), isolated(r"a\u{202e}b\u{2028}\r\n"));
        assert_eq!(shown(" שלום "), isolated(" שלום "));
        assert_eq!(shown("<b>&\""), isolated("&lt;b&gt;&amp;&quot;"));
        assert_eq!(shown(""), r#"<span class="quiet">(empty)</span>"#);
    }

    #[test]
    fn a_payload_keeps_its_line_ends_and_tabs() {
        assert_eq!(payload("a\n\tb\0<i>").into_string(), "<bdi>a\n\tb\\u{0}&lt;i&gt;</bdi>");
    }
}
