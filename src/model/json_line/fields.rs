//! Values of fields in a JSON line, by name, as ranges of the line's text.

use std::ops::Range;

use super::{
    MAX_JSON_BYTES,
    scanner::{Scanner, Token},
};
use crate::model::prefix::split_prefix;

/// Maximum count of fields.
pub const MAX_FIELDS: usize = 12;
/// Maximum length of a field's name, in bytes.
pub const MAX_NAME_BYTES: usize = 100;

/// Parses names separated by commas. Ignores those that are too long, and those beyond [`MAX_FIELDS`].
#[must_use]
pub fn field_names(text: &str) -> Vec<String> {
    let names =
        text.split(',').map(str::trim).filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES);
    names.take(MAX_FIELDS).map(str::to_owned).collect()
}

/// Returns the ranges of the values of the top-level fields `names`, strings without quotes. `None` if the line has none of
/// them, or is not a JSON object behind at most a usual prefix.
#[must_use]
pub fn field_values(line: &str, names: &[String]) -> Option<Vec<Option<Range<usize>>>> {
    let object = split_prefix(line).content;
    let prefix_bytes = line.len() - object.len();
    let values = values_in(object, names)?;
    let in_line = |range: Range<usize>| range.start + prefix_bytes..range.end + prefix_bytes;
    Some(values.into_iter().map(|range| range.map(in_line)).collect())
}

fn values_in(line: &str, names: &[String]) -> Option<Vec<Option<Range<usize>>>> {
    if line.len() > MAX_JSON_BYTES || !line.starts_with('{') {
        return None;
    }
    let mut values = vec![None; names.len()];
    let mut missing = names.len();
    // Index of the field whose value comes next, and the start of a nested value.
    let (mut wanted, mut start) = (None, 0);
    let mut scanner = Scanner::new(line);
    while missing > 0
        && let Some(token) = scanner.next()
    {
        let found = match token.ok()? {
            Token::Key(range) if scanner.depth() == 1 => {
                let key = line.get(range)?;
                wanted = names.iter().position(|name| name == key);
                continue;
            }
            Token::Text(range) | Token::Word(range) if scanner.depth() == 1 => range,
            Token::Open { at, .. } if scanner.depth() == 2 => {
                start = at;
                continue;
            }
            Token::Close { at } if scanner.depth() == 1 => start..at + 1,
            _ => continue,
        };
        // Of fields with the same name, the first one counts.
        if let Some(value) =
            wanted.take().and_then(|index: usize| values.get_mut(index)).filter(|value| value.is_none())
        {
            *value = Some(found);
            missing -= 1;
        }
    }
    (missing < names.len()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values<'a>(line: &'a str, names: &str) -> Option<Vec<Option<&'a str>>> {
        let values = field_values(line, &field_names(names))?;
        Some(values.into_iter().map(|value| value.map(|range| &line[range])).collect())
    }

    #[test]
    fn top_level_fields_are_found_in_the_requested_order() {
        let line = r#"{"ts":17,"in":{"msg":"no"},"msg":"say \"hi\"","level":"info","msg":"again"}"#;
        assert_eq!(
            values(line, "level, msg,in,nope,ts"),
            Some(vec![Some("info"), Some(r#"say \"hi\""#), Some(r#"{"msg":"no"}"#), None, Some("17")])
        );
    }

    #[test]
    fn fields_are_found_behind_a_prefix() {
        let line = r#"2026-11-29T12:00:00.0Z stdout F {"level":"error","msg":"é"}"#;
        assert_eq!(values(line, "msg,level"), Some(vec![Some("é"), Some("error")]));
    }

    #[test]
    fn a_line_without_the_fields_has_no_values() {
        for line in ["plain", "{}", r#"{"other":1}"#, r#"{"a" "msg":1}"#, r#"["msg"]"#] {
            assert_eq!(values(line, "msg"), None, "{line}");
        }
    }

    #[test]
    fn the_count_and_length_of_names_are_limited() {
        assert_eq!(field_names(" a ,,b,"), ["a", "b"]);
        assert_eq!(field_names(&"x,".repeat(50)).len(), MAX_FIELDS);
        assert!(field_names(&"x".repeat(MAX_NAME_BYTES + 1)).is_empty());
    }
}
