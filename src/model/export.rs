//! Export of lines to a file.

use super::{line_store::Line, local_time::LocalTime, visible_lines::VisibleLines};

/// Lines to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportScope {
    /// Lines that pass the filter.
    Visible,
    /// All lines held.
    Held,
}

/// Format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Plain text, one line each.
    Text,
    /// One JSON object for each line: time (UTC), level, source, text.
    JsonLines,
}

impl ExportFormat {
    /// Returns the extension of a file of this format.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Text => "log",
            Self::JsonLines => "jsonl",
        }
    }

    fn push_line(self, text: &mut String, line: &Line<'_>) {
        match self {
            Self::Text => text.push_str(line.text),
            Self::JsonLines => push_json(text, line),
        }
        text.push('\n');
    }
}

/// Exports lines from `position` on, about `bytes` at a time. Returns the text and the position to go on from; `None` at the
/// end.
#[must_use]
pub fn export_from(
    lines: VisibleLines<'_>,
    format: ExportFormat,
    position: u64,
    bytes: usize,
) -> Option<(String, u64)> {
    let positions = lines.positions();
    let mut position = position.max(positions.start);
    if position >= positions.end {
        return None;
    }
    let mut text = String::new();
    while position < positions.end && text.len() < bytes {
        if let Some(line) = lines.line_at(position) {
            format.push_line(&mut text, &line);
        }
        position += 1;
    }
    Some((text, position))
}

fn push_json(json: &mut String, line: &Line<'_>) {
    let time = LocalTime { unix_ms: line.arrived_ms, offset_minutes: 0 }.iso();
    json.push_str(&format!(r#"{{"time":"{time}""#));
    if let Some(level) = line.level() {
        json.push_str(&format!(r#","level":"{}""#, level.as_str()));
    }
    json.push_str(&format!(r#","source":"{}","text":""#, line.kind.as_str()));
    for character in line.text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => json.push(character),
        }
    }
    json.push_str("\"}");
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{
        super::line_store::{LineKind, LineStore, StoreLimits},
        *,
    };

    fn stored(message: &str) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, message, 1_700_057_000_000.0 - 9_000.0);
        store
    }

    #[test]
    fn lines_are_exported_in_pieces() {
        let store = stored("one\ntwo\nERROR three");
        let export =
            |position, bytes| export_from(VisibleLines::all(&store), ExportFormat::Text, position, bytes);
        assert_eq!(export(0, 1), Some(("one\n".to_owned(), 1)));
        assert_eq!(export(1, 1000), Some(("two\nERROR three\n".to_owned(), 3)));
        assert_eq!(export(3, 1000), None);
    }

    #[test]
    fn a_line_of_json_has_its_time_level_and_source() {
        let store = stored("ERROR three");
        let (json, _) = export_from(VisibleLines::all(&store), ExportFormat::JsonLines, 0, 1000).unwrap();
        assert_eq!(
            json,
            "{\"time\":\"2023-11-15T14:03:11.000Z\",\"level\":\"error\",\"source\":\"group\",\"text\":\"ERROR three\"}\n"
        );
    }

    #[test]
    fn exported_json_is_valid_whatever_the_text() {
        let text = "quote \" slash \\ tab \t nul \0 é\u{202e}";
        let store = stored(text);
        let (json, _) = export_from(VisibleLines::all(&store), ExportFormat::JsonLines, 0, 1000).unwrap();
        assert!(json.contains(r#""text":"quote \" slash \\ tab \u0009 nul \u0000 é"#), "{json}");
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["text"], text);
    }
}
