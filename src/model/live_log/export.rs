//! Lines for a file.

use std::fmt::Write;

use super::LiveLog;
use crate::model::{line_store::Line, local_time::LocalTime};

/// Which lines are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportScope {
    /// Those shown.
    Shown,
    /// All that are held.
    Held,
}

/// How lines are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Their text, one a line.
    Text,
    /// One JSON object a line: time (UTC), level, source, text.
    JsonLines,
}

impl ExportFormat {
    /// What a file's name ends with.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Text => "log",
            Self::JsonLines => "jsonl",
        }
    }
}

impl LiveLog {
    /// Lines for a file, from `position` on, up to about `bytes`; and the position after them. `None` at the end.
    #[must_use]
    pub fn export_from(
        &self,
        (scope, format): (ExportScope, ExportFormat),
        position: u64,
        bytes: usize,
    ) -> Option<(String, u64)> {
        let (first, next) = match scope {
            ExportScope::Shown => self.positions(),
            ExportScope::Held => (self.store.first_id(), self.store.next_id()),
        };
        let mut position = position.max(first);
        if position >= next {
            return None;
        }
        let mut text = String::new();
        while position < next && text.len() < bytes {
            let line = match scope {
                ExportScope::Shown => self.line_at(position),
                ExportScope::Held => self.store.line(position),
            };
            if let Some(line) = line {
                match format {
                    ExportFormat::Text => text.push_str(line.text),
                    ExportFormat::JsonLines => push_json(&mut text, &line),
                }
                text.push('\n');
            }
            position += 1;
        }
        Some((text, position))
    }
}

fn push_json(json: &mut String, line: &Line<'_>) {
    let time = LocalTime { unix_ms: line.arrived_ms, offset_minutes: 0 }.iso();
    // Writing to a string cannot fail.
    write!(json, r#"{{"time":"{time}""#).unwrap_or_default();
    if let Some(level) = line.level {
        write!(json, r#","level":"{}""#, level.as_str()).unwrap_or_default();
    }
    write!(json, r#","source":"{}","text":""#, line.kind.as_str()).unwrap_or_default();
    for character in line.text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\u{1f}' => write!(json, "\\u{:04x}", u32::from(character)).unwrap_or_default(),
            _ => json.push(character),
        }
    }
    json.push_str("\"}");
}
