//! Where a place in a line's text is in what is drawn of it, and back: a control is drawn as its picture, and the end of a
//! long line is not drawn at all.
//!
//! Browsers count what is drawn in UTF-16 units; lines are counted in bytes.

use super::display_text::{Drawing, MAX_DRAWN_CHARS};

/// The byte of `line` that stands `drawn` units into what is drawn of it. The end of what is drawn is the line's end: who
/// selects to there means all of it.
#[must_use]
pub fn byte_at(line: &str, drawn: usize) -> usize {
    steps(line).find(|step| step.units.end > drawn).map_or(line.len(), |step| step.byte)
}

/// How many units into what is drawn of `line` a byte stands.
#[must_use]
pub fn drawn_at(line: &str, byte: usize) -> usize {
    let mut end = 0;
    for step in steps(line) {
        if step.byte >= byte {
            return step.units.start;
        }
        end = step.units.end;
    }
    end
}

/// A character, and where it is drawn.
struct Step {
    byte: usize,
    units: std::ops::Range<usize>,
}

fn steps(line: &str) -> impl Iterator<Item = Step> {
    let mut drawing = Drawing::default();
    let (mut units, mut seen) = (0, 0);
    line.char_indices().map_while(move |(byte, character)| {
        (drawing.chars < MAX_DRAWN_CHARS).then(|| {
            drawing.push(character);
            let start = units;
            units += drawing.text.get(seen..).unwrap_or_default().encode_utf16().count();
            seen = drawing.text.len();
            Step { byte, units: start..units }
        })
    })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::{super::display_text::display_text, *};

    #[test]
    fn a_picture_stands_for_its_control_and_wide_characters_take_two_units() {
        let line = "a\u{202e}é😀z";
        assert_eq!(display_text(line).text, "a<U+202E>é😀z");
        for (byte, drawn) in [(0, 0), (1, 1), (4, 9), (6, 10), (10, 12), (11, 13)] {
            assert_eq!((drawn_at(line, byte), byte_at(line, drawn)), (drawn, byte));
        }
        assert_eq!(byte_at(line, 5), 1, "inside of what stands for one character");
    }

    #[test]
    fn the_end_of_what_is_drawn_of_a_long_line_is_its_end() {
        let line = "x".repeat(MAX_DRAWN_CHARS + 100);
        assert_eq!(byte_at(&line, MAX_DRAWN_CHARS), line.len());
        assert_eq!(drawn_at(&line, line.len()), MAX_DRAWN_CHARS);
        assert_eq!(byte_at(&line, 7), 7);
    }

    proptest! {
        #[test]
        fn every_drawn_character_leads_back_to_its_byte(line in "[a-zé日😀\u{0}\u{202e}\u{301}\t]{0,60}") {
            for (byte, _) in line.char_indices() {
                let drawn = drawn_at(&line, byte);
                // Of a pile of combining characters some are not drawn: they stand where the pile ends.
                prop_assert!(byte_at(&line, drawn) >= byte || drawn_at(&line, byte_at(&line, drawn)) <= drawn);
            }
            prop_assert_eq!(byte_at(&line, usize::MAX), line.len());
        }
    }
}
