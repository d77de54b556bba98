//! The publisher: its name in marks, and its sources.

use std::fmt::Write;

use webpubsub_protocol::marks::{MAX_NAME_BYTES, Mark};

use super::input::CommandEnd;

/// Length of a publisher's name. Two of a thousand publishers in a group have the same one with a probability of 1 in 70,000.
const NAME_CHARS: usize = 7;
/// Characters of a publisher's name.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Name and sources of a run of `stream`, `run` or `tail`.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    name: String,
    sources: Vec<String>,
    is_command: bool,
}

impl Publisher {
    /// Creates a publisher with a single source.
    pub(crate) fn new() -> Self {
        Self::of_sources(vec![String::new()])
    }

    /// Creates a publisher of sources with these names. An empty name is that of the main source, whose lines need no mark.
    pub(crate) fn of_sources(names: Vec<String>) -> Self {
        let short =
            |name: String| match name.char_indices().find(|(at, c)| at + c.len_utf8() > MAX_NAME_BYTES) {
                Some((end, _)) => name.get(..end).unwrap_or_default().to_owned(),
                None => name,
            };
        Self { name: random_name(), sources: names.into_iter().map(short).collect(), is_command: false }
    }

    /// Creates the publisher of a command, whose start and end are published.
    pub(crate) fn of_command(names: Vec<String>) -> Self {
        Self { is_command: true, ..Self::of_sources(names) }
    }

    /// Returns the names of the sources.
    pub(super) fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Whether lines of a source need no mark after those of `last`, or at the beginning of a message.
    pub(super) fn is_same(&self, last: Option<usize>, source: usize) -> bool {
        let name = |source: usize| self.sources.get(source).map_or("", String::as_str);
        last.map_or("", name) == name(source)
    }

    /// Writes the mark of a source.
    pub(super) fn write_mark(&self, text: &mut String, source: usize, is_unfinished: bool) {
        let name = self.sources.get(source).map_or("", String::as_str);
        // Writing to a string cannot fail.
        write!(text, "{}", Mark::Source { publisher: &self.name, name, is_unfinished }).unwrap_or_default();
    }

    /// Returns the mark that reports the start of the command, if there is one.
    pub(super) fn start_mark(&self) -> Option<String> {
        self.is_command.then(|| Mark::CommandStart { publisher: &self.name }.to_string())
    }

    /// Returns the mark that reports the end of a command.
    pub(super) fn end_mark(&self, end: CommandEnd) -> String {
        let seconds = Some(end.duration.as_secs_f64());
        Mark::CommandEnd { publisher: &self.name, exit_code: end.exit_code, seconds }.to_string()
    }
}

fn random_name() -> String {
    // Without a source of random numbers, publishers have the same name: unfinished lines of one could replace another's.
    let random = getrandom::u64().unwrap_or_default();
    let letter =
        |at: usize| ALPHABET.get(usize::try_from((random >> (5 * at)) & 31).unwrap_or_default()).copied();
    (0..NAME_CHARS).filter_map(letter).map(char::from).collect()
}
