//! Characters that are invisible, or hide or reorder others.

/// Whether a character is invisible, or hides or reorders others; control characters but the tab among them. Joiners and variation
/// selectors are not: scripts and emoji need them.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    match character {
        '\t' | ' '..='~' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width space, direction marks.
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' => true,
        // Line and paragraph separators, embeddings, overrides, isolates, invisible operators.
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        // Byte order mark, interlinear annotations.
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        // Fillers of Hangul, and tags: text of ASCII that no font shows.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_visible_and_what_hides_or_reorders_it_is_not() {
        assert!("größer\t日本 👩\u{200d}👩 \u{2764}\u{fe0f} نص \u{301}".chars().all(|c| !is_invisible(c)));
        let hidden =
            "\0\u{1b}\u{9b}\u{ad}\u{61c}\u{200b}\u{200e}\u{2028}\u{202e}\u{2069}\u{feff}\u{3164}\u{e0041}";
        assert!(hidden.chars().all(is_invisible));
    }
}
