//! How many columns of a monospaced font a line takes.

use wide::u8x16;

/// Columns from one tab stop to the next. The stylesheet says the same.
pub const TAB_COLUMNS: u32 = 8;

/// Columns of `text`: exact for ASCII, an estimate by East Asian width for the rest, since fonts decide.
#[must_use]
pub fn columns(text: &str) -> u32 {
    if is_printable_ascii(text.as_bytes()) {
        return u32::try_from(text.len()).unwrap_or(u32::MAX);
    }
    text.chars().fold(0, |column: u32, character| match character {
        '\t' => column.saturating_add(TAB_COLUMNS - column % TAB_COLUMNS),
        _ => column.saturating_add(width(character)),
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

/// Columns of one character that is no tab. Wide blocks are taken whole: too wide an estimate does no harm.
fn width(character: char) -> u32 {
    match u32::from(character) {
        // Combining marks, variation selectors, joiners.
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20F0 | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
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
    }
}
