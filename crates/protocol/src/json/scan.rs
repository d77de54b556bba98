//! Reading the values of a frame that is as usual. Each gives what follows, or `None` for what is not as usual.

use super::write::plain_len;

/// Longest number that surely fits 64 bits, in digits.
const MAX_DIGITS: usize = 18;

/// Puts `value` into `slot`, unless there is one: a member that comes twice is unusual.
pub(super) fn put<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Puts the string at the beginning of `text` into `slot`, and gives what follows.
pub(super) fn put_string<'a>(slot: &mut Option<&'a str>, text: &'a str) -> Option<&'a str> {
    let (value, rest) = string(text)?;
    put(slot, value)?;
    Some(rest)
}

/// Puts the number at the beginning of `text` into `slot`, and gives what follows.
pub(super) fn put_number<'a>(slot: &mut Option<u64>, text: &'a str) -> Option<&'a str> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(end)?;
    // JSON has no leading noughts.
    let is_usual = (1..=MAX_DIGITS).contains(&end) && (end == 1 || !digits.starts_with('0'));
    put(slot, digits.parse().ok().filter(|_| is_usual)?)?;
    Some(rest)
}

/// The JSON string at the beginning of `text`, if it holds nothing that is escaped; and what follows.
pub(super) fn string(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let (value, rest) = inner.split_at_checked(plain_len(inner.as_bytes()))?;
    Some((value, rest.strip_prefix('"')?))
}
