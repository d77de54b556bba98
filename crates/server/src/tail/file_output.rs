//! Text of a followed file for the pipeline.

use memchr::memrchr;

use crate::pipeline::input::InputPart;

/// Sources of the pipeline for each file, all of one name: lines of the current and of renamed files must not mix.
pub(super) const SOURCES_PER_FILE: usize = 3;
/// Maximum length of an unfinished line of an older renamed file, in bytes. A longer line is split.
const MAX_HELD_BYTES: usize = 64 * 1024;

/// Generation of a followed file, by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// The file at the path.
    Current = 0,
    /// The file that was renamed last.
    Renamed = 1,
    /// A file that was renamed before. Only its complete lines are emitted.
    Older = 2,
}

/// Output of a followed file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileOutput {
    /// Text of a generation.
    Text(Age, Vec<u8>),
    /// The unfinished line of the current file becomes that of the file renamed last.
    MoveLine,
}

impl FileOutput {
    /// Returns the input of the pipeline for the file with this number.
    pub(super) fn into_input(self, file: usize) -> InputPart {
        let source = |age: Age| SOURCES_PER_FILE * file + age as usize;
        match self {
            Self::Text(age, text) => InputPart::Bytes(source(age), text),
            Self::MoveLine => InputPart::MoveLine { from: source(Age::Current), to: source(Age::Renamed) },
        }
    }
}

/// Text of one generation.
#[derive(Debug)]
pub(super) struct GenerationText {
    age: Age,
    /// Whether the emitted text ends within a line.
    is_in_line: bool,
    /// Unfinished line that is not emitted.
    held: Vec<u8>,
}

impl GenerationText {
    /// Creates the text of the current file.
    pub(super) fn new() -> Self {
        Self { age: Age::Current, is_in_line: false, held: Vec::new() }
    }

    /// Returns the output for new text.
    pub(super) fn push(&mut self, text: Vec<u8>) -> FileOutput {
        let text = if self.age == Age::Older { self.complete_lines(&text) } else { text };
        if let Some(last) = text.last() {
            self.is_in_line = *last != b'\n';
        }
        FileOutput::Text(self.age, text)
    }

    /// Handles that the file was renamed, or that another one was renamed after it. Returns the output.
    pub(super) fn grow_older(&mut self) -> Option<FileOutput> {
        let output = match self.age {
            Age::Current if self.is_in_line => Some(FileOutput::MoveLine),
            Age::Current | Age::Older => None,
            Age::Renamed => self.end(),
        };
        self.age = if self.age == Age::Current { Age::Renamed } else { Age::Older };
        output
    }

    /// Ends the last line. Returns the output, unless the line is complete.
    pub(super) fn end(&mut self) -> Option<FileOutput> {
        let mut rest = std::mem::take(&mut self.held);
        let is_in_line = std::mem::take(&mut self.is_in_line) || !rest.is_empty();
        is_in_line.then(|| {
            rest.push(b'\n');
            FileOutput::Text(self.age, rest)
        })
    }

    fn complete_lines(&mut self, text: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(text);
        let end = memrchr(b'\n', &self.held).map_or(0, |end| end + 1);
        let held = self.held.split_off(end);
        let mut lines = std::mem::replace(&mut self.held, held);
        if self.held.len() > MAX_HELD_BYTES {
            lines.append(&mut self.held);
            lines.push(b'\n');
        }
        lines
    }
}
