//! An overlong line as a terminal shows it.

use tailcast_lines::ansi::{
    AnsiReader,
    line_editor::LineEditor,
    sgr::{RESET, sgr_sequence},
    style::Style,
};

use super::line_batcher::{MAX_LINE_BYTES, floor_char_boundary};

/// Length of the parts of a line that is too long, in bytes of its text without styles.
const PART_BYTES: usize = 16 * 1024;

/// A line that is read in pieces.
#[derive(Debug, Clone)]
pub(super) struct ScreenLine {
    reader: AnsiReader,
    editor: LineEditor,
    /// Style at the end of the lines emitted before.
    style_before: Style,
}

impl ScreenLine {
    /// Creates an empty line after the lines that `reader` has read.
    pub(super) fn after(reader: &AnsiReader) -> Self {
        Self { reader: reader.clone(), editor: LineEditor::default(), style_before: reader.style() }
    }

    /// Reads a piece of the line.
    pub(super) fn read(&mut self, text: &str) {
        self.reader.read_piece(text, &mut self.editor);
    }

    /// Returns what the line shows, as text that stands alone.
    pub(super) fn shown(&self) -> String {
        let line = self.editor.clone().finish();
        line.with_escapes(0..line.text.len())
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.shown().len() > MAX_LINE_BYTES
    }

    /// Emits what the line shows, in parts if it is too long; with `continues`, all of them are parts. An empty line is left.
    pub(super) fn take_parts(&mut self, continues: bool, mut emit: impl FnMut(&str, bool)) {
        if !continues {
            self.reader.end_line();
        }
        let line = std::mem::take(&mut self.editor).finish();
        let whole = line.with_escapes(0..line.text.len());
        if whole.len() <= MAX_LINE_BYTES {
            return emit(&self.standing_between(&whole), continues);
        }
        let mut start = 0;
        while start < line.text.len() {
            let limit = (start + PART_BYTES).min(line.text.len());
            let end = floor_char_boundary(line.text.as_bytes(), limit);
            let styled = line.with_escapes(start..end);
            let is_rich = styled.len() > MAX_LINE_BYTES;
            // More style than text may be: the text is what counts.
            let part = if is_rich { line.text.get(start..end).unwrap_or_default() } else { &styled };
            emit(&self.standing_between(part), continues || end < line.text.len());
            start = end;
        }
    }

    /// Surrounds text that stands alone by the styles of the lines before and after it.
    fn standing_between(&mut self, shown: &str) -> String {
        let style = self.reader.style();
        let before = if self.style_before == Style::default() { "" } else { RESET };
        self.style_before = style;
        let after = if style == Style::default() { String::new() } else { sgr_sequence(style) };
        format!("{before}{shown}{after}")
    }
}
