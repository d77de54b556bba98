//! What of a line is drawn. Text from a stream may hold anything; the reader shall see all of it and be fooled by none.
//!
//! Control characters become their pictures (`␀`, `␛`), characters that reorder or hide others become their code
//! points (`<U+202E>`), and both are marked, so that a real `␀` is told apart. Tabs stay. The store keeps the original.

use std::{borrow::Cow, fmt::Write, ops::Range};

use super::grouped_number::counted;

/// Characters of a line that are drawn: one line of megabytes would block the page for seconds.
pub const MAX_DRAWN_CHARS: usize = 4_000;
/// Marks in a line that are marked as such; the characters of further ones are drawn like text. Bounds the page's
/// elements when every second character is a control.
pub const MAX_MARKS: usize = 64;
/// Combining characters that are drawn over one another: more say nothing, and piles of thousands block the page.
pub const MAX_STACKED_CHARS: usize = 16;

/// A line as it is drawn.
#[derive(Debug, PartialEq, Eq)]
pub struct DisplayText<'a> {
    /// The characters to draw.
    pub text: Cow<'a, str>,
    /// Byte ranges of `text` that stand for something invisible: ascending, apart, not empty.
    pub marks: Vec<Range<usize>>,
    /// Characters at the end of the line that are not drawn.
    pub hidden_chars: u64,
}

/// Makes `line` fit to be drawn. Borrows when there is nothing to change.
#[must_use]
pub fn display_text(line: &str) -> DisplayText<'_> {
    display_text_up_to(line, MAX_DRAWN_CHARS)
}

/// The same of a part of a line, of which `most` characters are drawn.
#[must_use]
pub fn display_text_up_to(line: &str, most: usize) -> DisplayText<'_> {
    if is_drawn_as_it_is(line, most) {
        return DisplayText { text: Cow::Borrowed(line), marks: Vec::new(), hidden_chars: 0 };
    }
    let mut drawing = Drawing::default();
    let mut characters = line.chars();
    while drawing.chars < most
        && let Some(character) = characters.next()
    {
        drawing.push(character);
    }
    drawing.end_stack();
    DisplayText {
        text: Cow::Owned(drawing.text),
        marks: drawing.marks,
        hidden_chars: characters.count() as u64,
    }
}

/// Whether a line is short and holds nothing but what any font shows: by far the most lines.
fn is_drawn_as_it_is(line: &str, most: usize) -> bool {
    let is_plain = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
    line.len() <= most
        && (line.bytes().all(is_plain) || !line.chars().any(|c| is_marked(c) || is_combining(c)))
}

/// A line as far as it is drawn.
#[derive(Default)]
pub(super) struct Drawing {
    pub(super) text: String,
    marks: Vec<Range<usize>>,
    /// Characters of the line that were looked at, or that its marks have made of them if those are more.
    pub(super) chars: usize,
    /// Combining characters since the last that is none.
    stacked: usize,
}

impl Drawing {
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
        if is_marked(character) {
            self.push_mark(character);
        } else {
            self.text.push(character);
        }
    }

    /// Says how much of a pile of combining characters is not drawn.
    fn end_stack(&mut self) {
        let undrawn = self.stacked.saturating_sub(MAX_STACKED_CHARS);
        self.stacked = 0;
        if undrawn > 0 {
            self.mark(|text| write!(text, "<{undrawn} more combining>").unwrap_or_default());
        }
    }

    fn push_mark(&mut self, character: char) {
        let picture = match character {
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
            '\u{7f}' => Some('\u{2421}'),
            _ => None,
        };
        self.mark(|text| match picture {
            Some(picture) => text.push(picture),
            // Writing to a string cannot fail.
            None => write!(text, "<U+{:04X}>", u32::from(character)).unwrap_or_default(),
        });
        if picture.is_none() {
            self.chars += "<U+0000>".len() - 1;
        }
    }

    /// Appends what `write` writes, as standing for something else.
    fn mark(&mut self, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        write(&mut self.text);
        let end = self.text.len();
        if let Some(last) = self.marks.last_mut().filter(|last| last.end == start) {
            last.end = end;
        } else if self.marks.len() < MAX_MARKS {
            self.marks.push(start..end);
        }
    }
}

/// What follows a line of which not everything is shown: `… 12 more characters`.
#[must_use]
pub fn more_text(hidden_chars: u64, cut_bytes: u64) -> Option<String> {
    if hidden_chars == 0 && cut_bytes == 0 {
        return None;
    }
    let mut text = format!("… {}", counted(hidden_chars, "more character", "more characters"));
    if cut_bytes > 0 {
        // Writing to a string cannot fail.
        write!(text, ", then {} not kept", counted(cut_bytes, "byte", "bytes")).unwrap_or_default();
    }
    Some(text)
}

/// Whether a character would be invisible, or would hide or reorder others. Joiners are left alone: scripts and
/// emoji need them.
fn is_marked(character: char) -> bool {
    match character {
        '\t' | ' '..='~' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width space, direction marks.
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' => true,
        // Line and paragraph separators, embeddings, overrides, isolates, invisible operators.
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        // Byte order mark, interlinear annotations.
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        _ => false,
    }
}

/// Whether a character is drawn over the one before it.
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
    fn plain_text_is_drawn_as_it_is_and_not_copied() {
        for line in ["", "  total 48\t", "<b>&amp;</b>", "größer 日本 👩‍👩‍👧"] {
            let drawn = display_text(line);
            assert!(matches!(drawn.text, Cow::Borrowed(text) if text == line));
            assert_eq!((drawn.marks.len(), drawn.hidden_chars), (0, 0));
        }
    }

    #[test]
    fn controls_become_their_pictures() {
        assert_eq!(shown("a\0b"), "a␀b");
        assert_eq!(shown("\u{1b}[31mred\u{7f}"), "␛[31mred␡");
        assert_eq!(shown("50%\r100%"), "50%␍100%");
        assert_eq!(shown("\u{9b}"), "<U+009B>");
    }

    #[test]
    fn characters_that_reorder_or_hide_become_code_points() {
        assert_eq!(shown("user\u{202e}txt.exe"), "user<U+202E>txt.exe");
        assert_eq!(shown("pass\u{200b}word\u{feff}"), "pass<U+200B>word<U+FEFF>");
        assert_eq!(shown("a\u{2028}b"), "a<U+2028>b");
    }

    #[test]
    fn what_stands_for_something_else_is_marked_and_the_same_characters_in_the_text_are_not() {
        let drawn = display_text("␀\0\u{1}x\u{202e}");
        let marked: Vec<&str> = drawn.marks.iter().map(|mark| &drawn.text[mark.clone()]).collect();
        assert_eq!(marked, ["␀␁", "<U+202E>"]);
        assert!(drawn.text.starts_with('␀') && drawn.marks[0].start == '␀'.len_utf8());
    }

    #[test]
    fn marks_are_bounded_but_every_control_is_still_visible() {
        let drawn = display_text(&"\0x".repeat(1_000)).text.into_owned();
        assert_eq!(drawn, "␀x".repeat(1_000));
        assert_eq!(display_text(&"\0x".repeat(1_000)).marks.len(), MAX_MARKS);
    }

    #[test]
    fn a_pile_of_combining_characters_is_drawn_up_to_a_height() {
        let pile = format!("e{}x", "\u{301}".repeat(MAX_STACKED_CHARS));
        assert_eq!(shown(&pile), pile);
        let higher = format!("e{}x", "\u{301}".repeat(MAX_STACKED_CHARS + 5));
        assert_eq!(shown(&higher), pile.replace('x', "<5 more combining>x"));
        assert_eq!(display_text(&higher).marks.len(), 1);
        assert_eq!(shown("re\u{301}sume\u{301}"), "re\u{301}sume\u{301}");
    }

    #[test]
    fn what_is_drawn_is_bounded_also_where_marks_are_longer_than_what_they_stand_for() {
        let line = "\u{200b}".repeat(5_000);
        let drawn = display_text(&line);
        assert_eq!((drawn.text.len(), drawn.hidden_chars), (MAX_DRAWN_CHARS, 5_000 - 500));
    }

    #[test]
    fn of_a_long_line_the_beginning_is_drawn_and_the_rest_counted_in_characters() {
        let line = "é".repeat(MAX_DRAWN_CHARS + 12);
        let drawn = display_text(&line);
        assert_eq!(drawn.text.chars().count(), MAX_DRAWN_CHARS);
        assert_eq!(drawn.hidden_chars, 12);
        assert_eq!(display_text(&"é".repeat(MAX_DRAWN_CHARS)).hidden_chars, 0);
    }

    #[test]
    fn the_reader_is_told_how_much_is_not_shown() {
        assert_eq!(more_text(0, 0), None);
        assert_eq!(more_text(1, 0).as_deref(), Some("… 1 more character"));
        assert_eq!(
            more_text(1_044_576, 5_000).as_deref(),
            Some("… 1,044,576 more characters, then 5,000 bytes not kept")
        );
    }
}
