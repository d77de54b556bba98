//! Lines that were replaced after they were stored.

use super::LineLevel;
use crate::{ansi::Link, level::Level, line_store::Line, styles::Styles};

/// Content of a line that was replaced. The text that it had before stays in the chunk.
pub(super) struct RedrawnLine {
    pub(super) index: usize,
    pub(super) text: String,
    pub(super) styles: Styles,
    pub(super) links: Vec<Link>,
    pub(super) level: Option<Level>,
    pub(super) cut_bytes: u64,
}

impl RedrawnLine {
    /// Returns `line` with this content.
    pub(super) fn over<'a>(&'a self, line: Line<'a>) -> Line<'a> {
        Line {
            text: &self.text,
            styles: self.styles.of_line(0..u32::MAX),
            links: &self.links,
            level: LineLevel::Known(self.level),
            cut_bytes: self.cut_bytes,
            ..line
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let links: usize = self.links.iter().map(|link| size_of::<Link>() + link.url.len()).sum();
        size_of::<Self>() + self.text.capacity() + self.styles.bytes() + links
    }
}
