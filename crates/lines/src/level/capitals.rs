//! Level by a word in capitals near the beginning of a line.

use wide::u8x16;

use super::{Level, text::is_denial};

/// Bytes of a line in which a word in capitals is searched.
pub(super) const WORD_BYTES: usize = 80;

/// A word in capitals that stands alone. Two that name different levels have no meaning.
pub(super) fn level_of_capitals(line: &str) -> Option<Level> {
    let mut capitals = capitals_of(line);
    let mut found = None;
    loop {
        // Places where three follow each other; most lines have few.
        let runs = capitals & capitals >> 1 & capitals >> 2;
        if runs == 0 {
            return found;
        }
        let start = runs.trailing_zeros();
        let len = (capitals >> start).trailing_ones();
        capitals &= u128::MAX.checked_shl(start + len).unwrap_or_default();
        let (start, end) = (start as usize, (start + len) as usize);
        let Some(level) = line.get(start..end).and_then(Level::of_word) else { continue };
        if !stands_alone(line, start, end) {
            continue;
        }
        match found {
            None => found = Some(level),
            Some(other) if other != level => return None,
            Some(_) => {}
        }
    }
}

/// Whether the bytes `start..end` are a word of its own that is neither counted as 0 nor denied.
fn stands_alone(line: &str, start: usize, end: usize) -> bool {
    let (before, after) = (line.get(..start).unwrap_or_default(), line.get(end..).unwrap_or_default());
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/');
    let [first, second] = [0, 1].map(|at| after.as_bytes().get(at).copied().unwrap_or(b' '));
    // `ERROR.log`, `ERROR-CODE`, `NON-ERROR`.
    let is_joined = matches!(first, b'.' | b'-') && is_of_word(second);
    let mut bytes = before.bytes().rev();
    let is_joined_before = match bytes.next() {
        // `channel.ERROR: …` of Monolog.
        Some(b'.') if first == b':' => false,
        Some(b'.' | b'-') => bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic()),
        last => last.is_some_and(is_of_word),
    };
    if is_of_word(first) || is_joined || is_joined_before {
        return false;
    }
    let denies =
        |word: &&str| ["0", "no", "non", "zero", "without"].iter().any(|no| word.eq_ignore_ascii_case(no));
    let is_denied =
        before.ends_with(' ') && before.split_ascii_whitespace().next_back().as_ref().is_some_and(denies);
    !is_denied && !after.strip_prefix([':', '=']).is_some_and(is_denial)
}

/// Returns a bit for each of the first [`WORD_BYTES`] bytes that is a capital letter. Takes sixteen at a time: this runs for
/// every line, and a branch for each byte would cost more than the rest of the intake.
fn capitals_of(line: &str) -> u128 {
    let mut bits = 0;
    for (place, bytes) in line.as_bytes().chunks(16).take(WORD_BYTES / 16).enumerate() {
        let mut sixteen = [0; 16];
        sixteen.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let sixteen = u8x16::new(sixteen);
        let between = sixteen.max(u8x16::splat(b'A')).min(u8x16::splat(b'Z'));
        bits |= u128::from(between.simd_eq(sixteen).to_bitmask()) << (16 * place);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn capitals_are_found_wherever_they_are(line in "[A-Z@\\[a-z0-9 É\u{1F600}]{0,100}") {
            let expected = line.bytes().take(WORD_BYTES).enumerate();
            let expected = expected.filter(|(_, byte)| byte.is_ascii_uppercase()).fold(0, |bits, (at, _)| bits | 1_u128 << at);
            proptest::prop_assert_eq!(capitals_of(&line), expected);
        }
    }
}
