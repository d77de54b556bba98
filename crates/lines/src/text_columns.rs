//! Columns of a line in a monospaced font.

use unicode_width::UnicodeWidthStr;
use wide::u8x16;

/// Columns from one tab stop to the next, as in the stylesheet.
pub const TAB_COLUMNS: u32 = 8;

/// Returns the column of the next tab stop.
pub(crate) fn next_tab_stop(column: usize) -> usize {
    let tab = TAB_COLUMNS as usize;
    (column / tab).saturating_add(1).saturating_mul(tab)
}

/// Returns the columns of `text`: exact for ASCII, by East Asian width and emoji sequences for the rest.
#[must_use]
pub fn columns(text: &str) -> u32 {
    if is_printable_ascii(text.as_bytes()) {
        return u32::try_from(text.len()).unwrap_or(u32::MAX);
    }
    let mut pieces = text.split('\t').map(|piece| u32::try_from(piece.width()).unwrap_or(u32::MAX));
    let first = pieces.next().unwrap_or_default();
    pieces.fold(first, |column: u32, piece| {
        column.saturating_add(TAB_COLUMNS - column % TAB_COLUMNS).saturating_add(piece)
    })
}

fn is_printable_ascii(bytes: &[u8]) -> bool {
    let (sixteens, rest) = bytes.as_chunks();
    let are_printable = |sixteen: &[u8; 16]| {
        let sixteen = u8x16::new(*sixteen);
        sixteen.max(u8x16::splat(b' ')).min(u8x16::splat(b'~')).simd_eq(sixteen).all()
    };
    sixteens.iter().all(are_printable) && rest.iter().all(|byte| (b' '..=b'~').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ascii_character_is_one_column() {
        assert_eq!(columns(""), 0);
        assert_eq!(columns("total 48"), 8);
    }

    #[test]
    fn a_character_of_another_width_is_seen_wherever_it_stands() {
        for at in 0..40 {
            let text = format!("{}日{}", "x".repeat(at), "x".repeat(40 - at));
            assert_eq!(columns(&text), 42, "{at}");
        }
    }

    #[test]
    fn no_character_takes_more_columns_than_bytes_except_for_tabs() {
        for character in ('\0'..=char::MAX).filter(|character| *character != '\t') {
            let text = character.to_string();
            assert!(columns(&text) as usize <= text.len(), "{character:?}");
        }
        for text in ["❤\u{fe0f}", "1\u{fe0f}\u{20e3}", "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}"] {
            assert!(columns(text) as usize <= text.len(), "{text}");
        }
    }

    #[test]
    fn a_tab_reaches_to_the_next_stop() {
        assert_eq!(columns("\t"), 8);
        assert_eq!(columns("1234567\t"), 8);
        assert_eq!(columns("12345678\tx"), 17);
    }

    #[test]
    fn east_asian_characters_take_two_columns_and_marks_none() {
        assert_eq!(columns("日本"), 4);
        assert_eq!(columns("e\u{301}"), 1);
        assert_eq!(columns("über"), 4);
        assert_eq!((columns("👨\u{200d}👩\u{200d}👧"), columns("🇫🇷"), columns("한\t")), (2, 2, 8));
    }
}
