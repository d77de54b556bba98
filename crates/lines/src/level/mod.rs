//! Log level of a line, by its own words.
//!
//! The words, fields and numbers are those of the table in `docs/levels.md`, which names their sources. Elsewhere in a
//! line a word has no meaning: `0 errors` is no error.
//!
//! | module | concept |
//! | --- | --- |
//! | `words` | words, letters and numbers of levels |
//! | `object` | level of a JSON object, by its fields |
//! | `text` | level of other lines, by the place of a word |
//! | `key` | level in a field |
//! | `time` | dates and times before a level |
//! | `location` | level behind a place in a source file |
//! | `capitals` | level by a word in capitals |

mod capitals;
mod key;
mod location;
mod object;
mod text;
mod time;
mod words;

use self::{key::level_of_key, object::level_of_object, text::level_of_text};
use super::prefix::{Prefixed, split_prefix};

/// Log level, most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// A failure.
    Error,
    /// A possible failure.
    Warning,
    /// An event in normal operation.
    Info,
    /// Details for debugging.
    Debug,
    /// Finest details.
    Trace,
}

impl Level {
    /// All levels, most severe first.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warning, Self::Info, Self::Debug, Self::Trace];

    /// Returns the name of the level, for users and for the page's markup.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Bytes of a line in which a key is searched.
const KEY_BYTES: usize = 512;

/// Returns the level of a line, if it has one.
#[must_use]
pub fn level_of(line: &str) -> Option<Level> {
    let Prefixed { content, priority } = split_prefix(line.trim_start());
    let content = content.trim_start();
    if !content.starts_with('{') {
        return priority.or_else(|| level_of_text(content));
    }
    let level = level_of_object(content).unwrap_or_else(|_| level_of_key(beginning(content, KEY_BYTES)));
    level.or(priority)
}

fn beginning(line: &str, bytes: usize) -> &str {
    let mut end = bytes.min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
