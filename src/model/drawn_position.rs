//! Conversion between positions in a line's text and in its display text.
//!
//! They differ where a symbol stands for a control character, and at the end of a long line, which is not shown. Browsers
//! count display text in UTF-16 units; positions in a line are bytes.

use super::display_text::DisplayBuilder;

/// Returns the byte of `line` at `drawn` UTF-16 units of its display text of at most `max_chars` characters. The end of the display text is the end of the line,
/// so that a selection up to there includes what is not shown.
#[must_use]
pub fn byte_at(line: &str, drawn: usize, max_chars: usize) -> usize {
    steps(line, max_chars).find(|step| step.units.end > drawn).map_or(line.len(), |step| step.byte)
}

/// Returns the position of a byte of `line` in its display text of at most `max_chars` characters, in UTF-16 units.
#[must_use]
pub fn drawn_at(line: &str, byte: usize, max_chars: usize) -> usize {
    let mut end = 0;
    for step in steps(line, max_chars) {
        if step.byte >= byte {
            return step.units.start;
        }
        end = step.units.end;
    }
    end
}

/// Character of a line, and its position in the display text.
struct Step {
    byte: usize,
    units: std::ops::Range<usize>,
}

fn steps(line: &str, max_chars: usize) -> impl Iterator<Item = Step> {
    let mut builder = DisplayBuilder::default();
    let (mut units, mut counted_bytes) = (0, 0);
    line.char_indices().map_while(move |(byte, character)| {
        (builder.chars < max_chars).then(|| {
            builder.push(character);
            let start = units;
            units += builder.text.get(counted_bytes..).unwrap_or_default().encode_utf16().count();
            counted_bytes = builder.text.len();
            Step { byte, units: start..units }
        })
    })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::super::display_text::{MAX_DRAWN_CHARS, display_text};

    fn byte_at(line: &str, drawn: usize) -> usize {
        super::byte_at(line, drawn, MAX_DRAWN_CHARS)
    }

    fn drawn_at(line: &str, byte: usize) -> usize {
        super::drawn_at(line, byte, MAX_DRAWN_CHARS)
    }

    #[test]
    fn symbols_and_code_points_stand_for_one_character_and_emoji_take_two_units() {
        let line = "a\u{202e}é😀z";
        assert_eq!(display_text(line).text, "a<U+202E>é😀z");
        for (byte, drawn) in [(0, 0), (1, 1), (4, 9), (6, 10), (10, 12), (11, 13)] {
            assert_eq!((drawn_at(line, byte), byte_at(line, drawn)), (drawn, byte));
        }
        assert_eq!(byte_at(line, 5), 1, "within a code point that stands for one character");
    }

    #[test]
    fn the_end_of_a_long_lines_display_text_is_the_end_of_the_line() {
        let line = "x".repeat(MAX_DRAWN_CHARS + 100);
        assert_eq!(byte_at(&line, MAX_DRAWN_CHARS), line.len());
        assert_eq!(drawn_at(&line, line.len()), MAX_DRAWN_CHARS);
        assert_eq!(byte_at(&line, 7), 7);
    }

    proptest! {
        #[test]
        fn every_shown_character_leads_back_to_its_byte(line in "[a-zé日😀\u{0}\u{202e}\u{301}\t]{0,60}") {
            for (byte, _) in line.char_indices() {
                let drawn = drawn_at(&line, byte);
                // Combining characters beyond the limit are not shown: their position is the end of the stack.
                prop_assert!(byte_at(&line, drawn) >= byte || drawn_at(&line, byte_at(&line, drawn)) <= drawn);
            }
            prop_assert_eq!(byte_at(&line, usize::MAX), line.len());
        }
    }
}
