//! Text of a line made fit for display: nothing invisible, nothing that reorders or hides other text, limited in length.
//!
//! Control characters become symbols (`␀`, `␛`), and characters that reorder or hide others become code points (`<U+202E>`).
//! Ranges distinguish both from the same characters in the original. Tabs stay. The store holds the original.

use std::{borrow::Cow, ops::Range};

use tailcast_lines::invisible::is_invisible;

use super::grouped_number::counted;

/// Maximum count of characters of a line that are shown: a line of megabytes would block the page for seconds.
pub const MAX_DRAWN_CHARS: usize = 4_000;
/// Maximum width of a displayed line: a character is at most two columns wide.
pub const MAX_DRAWN_COLUMNS: u32 = 2 * MAX_DRAWN_CHARS as u32;
/// Maximum count of ranges that stand for invisible characters; further ones look like other text. Limits the page's
/// elements.
pub const MAX_INVISIBLE_RANGES: usize = 64;
/// Maximum count of combining characters in a row: thousands of them block the page.
pub const MAX_STACKED_CHARS: usize = 16;

/// Text of a line as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub struct DisplayText<'a> {
    /// Text to show.
    pub text: Cow<'a, str>,
    /// Byte ranges of `text` that stand for invisible characters: ascending, disjoint, not empty.
    pub invisible: Vec<Range<usize>>,
    /// Count of characters at the end of the line that are not shown.
    pub hidden_chars: u64,
}

/// Makes `line` fit for display. Borrows it if nothing has to change.
#[must_use]
pub fn display_text(line: &str) -> DisplayText<'_> {
    display_text_up_to(line, MAX_DRAWN_CHARS)
}

/// Does the same for a part of a line, of which at most `max_chars` are shown.
#[must_use]
pub fn display_text_up_to(line: &str, max_chars: usize) -> DisplayText<'_> {
    if is_fit_for_display(line, max_chars) {
        return DisplayText { text: Cow::Borrowed(line), invisible: Vec::new(), hidden_chars: 0 };
    }
    let mut builder = DisplayBuilder::default();
    let mut characters = line.chars();
    while builder.chars < max_chars
        && let Some(character) = characters.next()
    {
        builder.push(character);
    }
    builder.end_stack();
    DisplayText {
        text: Cow::Owned(builder.text),
        invisible: builder.invisible,
        hidden_chars: characters.count() as u64,
    }
}

/// Whether a line is short and has only visible characters, as most lines do.
fn is_fit_for_display(line: &str, max_chars: usize) -> bool {
    let is_plain = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
    line.len() <= max_chars
        && (line.bytes().all(is_plain) || !line.chars().any(|c| is_invisible(c) || is_combining(c)))
}

/// Builder of a display text, character by character.
#[derive(Default)]
pub(super) struct DisplayBuilder {
    pub(super) text: String,
    invisible: Vec<Range<usize>>,
    /// Count of characters so far; a code point counts by its length.
    pub(super) chars: usize,
    /// Count of combining characters since the last other one.
    stacked: usize,
}

impl DisplayBuilder {
    pub(super) fn push(&mut self, character: char) {
        self.chars += 1;
        if is_combining(character) {
            self.stacked += 1;
            if self.stacked > MAX_STACKED_CHARS {
                return;
            }
        } else {
            self.end_stack();
        }
        if is_invisible(character) {
            self.push_invisible(character);
        } else {
            self.text.push(character);
        }
    }

    /// Appends the count of combining characters that are not shown.
    fn end_stack(&mut self) {
        let hidden = self.stacked.saturating_sub(MAX_STACKED_CHARS);
        self.stacked = 0;
        if hidden > 0 {
            self.push_substitute(&format!("<{hidden} more combining>"));
        }
    }

    /// Appends the symbol of a control character, or the code point of another invisible one.
    fn push_invisible(&mut self, character: char) {
        let symbol = match character {
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
            '\u{7f}' => Some('\u{2421}'),
            _ => None,
        };
        if let Some(symbol) = symbol {
            self.push_substitute(symbol.encode_utf8(&mut [0; 4]));
        } else {
            self.push_substitute(&format!("<U+{:04X}>", u32::from(character)));
            self.chars += "<U+0000>".len() - 1;
        }
    }

    /// Appends a text that stands for invisible characters. Adjacent ones share a range.
    fn push_substitute(&mut self, substitute: &str) {
        let start = self.text.len();
        self.text.push_str(substitute);
        let end = self.text.len();
        if let Some(last) = self.invisible.last_mut().filter(|last| last.end == start) {
            last.end = end;
        } else if self.invisible.len() < MAX_INVISIBLE_RANGES {
            self.invisible.push(start..end);
        }
    }
}

/// Returns the note after a line of which not all is shown: `… 12 more characters`.
#[must_use]
pub fn more_text(hidden_chars: u64, cut_bytes: u64) -> Option<String> {
    if hidden_chars == 0 && cut_bytes == 0 {
        return None;
    }
    let mut text = format!("… {}", counted(hidden_chars, "more character", "more characters"));
    if cut_bytes > 0 {
        text.push_str(&format!(", then {} not stored", counted(cut_bytes, "byte", "bytes")));
    }
    Some(text)
}

/// Whether a character is shown on top of the one before it.
fn is_combining(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        display_text(line).text.into_owned()
    }

    #[test]
    fn plain_text_is_borrowed() {
        for line in ["", "  total 48\t", "<b>&amp;</b>", "größer 日本 👩‍👩‍👧"] {
            let display = display_text(line);
            assert!(matches!(display.text, Cow::Borrowed(text) if text == line));
            assert_eq!((display.invisible.len(), display.hidden_chars), (0, 0));
        }
    }

    #[test]
    fn control_characters_become_symbols() {
        assert_eq!(shown("a\0b"), "a␀b");
        assert_eq!(shown("\u{1b}[31mred\u{7f}"), "␛[31mred␡");
        assert_eq!(shown("50%\r100%"), "50%␍100%");
        assert_eq!(shown("\u{9b}"), "<U+009B>");
    }

    #[test]
    fn characters_that_reorder_or_hide_others_become_code_points() {
        assert_eq!(shown("user\u{202e}txt.exe"), "user<U+202E>txt.exe");
        assert_eq!(shown("pass\u{200b}word\u{feff}"), "pass<U+200B>word<U+FEFF>");
        assert_eq!(shown("a\u{2028}b"), "a<U+2028>b");
    }

    #[test]
    fn substitutes_have_ranges_and_the_same_characters_in_the_text_do_not() {
        let display = display_text("␀\0\u{1}x\u{202e}");
        let substitutes: Vec<&str> =
            display.invisible.iter().map(|range| &display.text[range.clone()]).collect();
        assert_eq!(substitutes, ["␀␁", "<U+202E>"]);
        assert!(display.text.starts_with('␀') && display.invisible[0].start == '␀'.len_utf8());
    }

    #[test]
    fn the_count_of_ranges_is_limited_but_every_control_character_is_visible() {
        let display = display_text(&"\0x".repeat(1_000)).text.into_owned();
        assert_eq!(display, "␀x".repeat(1_000));
        assert_eq!(display_text(&"\0x".repeat(1_000)).invisible.len(), MAX_INVISIBLE_RANGES);
    }

    #[test]
    fn stacked_combining_characters_are_limited_and_counted() {
        let stack = format!("e{}x", "\u{301}".repeat(MAX_STACKED_CHARS));
        assert_eq!(shown(&stack), stack);
        let higher = format!("e{}x", "\u{301}".repeat(MAX_STACKED_CHARS + 5));
        assert_eq!(shown(&higher), stack.replace('x', "<5 more combining>x"));
        assert_eq!(display_text(&higher).invisible.len(), 1);
        assert_eq!(shown("re\u{301}sume\u{301}"), "re\u{301}sume\u{301}");
    }

    #[test]
    fn the_length_is_limited_even_where_code_points_take_more_characters() {
        let line = "\u{200b}".repeat(5_000);
        let display = display_text(&line);
        assert_eq!((display.text.len(), display.hidden_chars), (MAX_DRAWN_CHARS, 5_000 - 500));
    }

    #[test]
    fn a_long_line_is_cut_and_the_rest_is_counted_in_characters() {
        let line = "é".repeat(MAX_DRAWN_CHARS + 12);
        let display = display_text(&line);
        assert_eq!(display.text.chars().count(), MAX_DRAWN_CHARS);
        assert_eq!(display.hidden_chars, 12);
        assert_eq!(display_text(&"é".repeat(MAX_DRAWN_CHARS)).hidden_chars, 0);
    }

    #[test]
    fn the_note_counts_what_is_not_shown_and_what_is_not_stored() {
        assert_eq!(more_text(0, 0), None);
        assert_eq!(more_text(1, 0).as_deref(), Some("… 1 more character"));
        assert_eq!(
            more_text(1_044_576, 5_000).as_deref(),
            Some("… 1,044,576 more characters, then 5,000 bytes not stored")
        );
    }
}
