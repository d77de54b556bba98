//! A line as readers of a store get it, and the facts about it.

use crate::{
    ansi::Link,
    chunk::LineLevel,
    json::is_json_object,
    level::{Level, level_of},
    prefix::split_prefix,
    styles::LineStyles,
    text_columns::columns,
};

/// Author of a line. A flag beside the text: no text can forge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Published to the group.
    Group,
    /// Sent by an application server, not through the group.
    Server,
    /// Read from a file that the user opened.
    File,
    /// The page itself: a gap, a reconnect.
    Notice,
}

impl LineKind {
    /// Whether lines of this kind are published, and count in the timeline.
    pub(crate) fn is_published(self) -> bool {
        matches!(self, Self::Group | Self::Server)
    }

    /// Returns the name of the kind in the page's markup.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Server => "server",
            Self::File => "file",
            Self::Notice => "notice",
        }
    }
}

/// Author and source of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Author.
    pub kind: LineKind,
    /// The number of its source, from 0.
    pub source: u16,
}

impl From<LineKind> for Origin {
    /// Of the first source.
    fn from(kind: LineKind) -> Self {
        Self { kind, source: 0 }
    }
}

/// Place of a line in the messages of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessagePlace {
    /// Sequence id of the message; `None` for lines without one.
    pub sequence_id: Option<u64>,
    /// Number of the line in the message, from 0.
    pub line: u32,
}

/// One line, borrowed from its store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// Position in everything ever appended, from 0. Used again only after [`make_room`](crate::line_store::LineStore::make_room).
    pub id: u64,
    /// The text without its line end and without escape sequences.
    pub text: &'a str,
    /// Its styles.
    pub styles: LineStyles<'a>,
    /// Its links.
    pub links: &'a [Link],
    pub(crate) level: LineLevel,
    /// Author.
    pub kind: LineKind,
    /// The number of its source, from 0.
    pub source: u16,
    /// When it arrived, in milliseconds since 1970.
    pub arrived_ms: f64,
    /// Its place in the messages of its source.
    pub place: MessagePlace,
    /// Count of bytes that were cut off at its end.
    pub cut_bytes: u64,
}

impl Line<'_> {
    /// Returns the log level, by its own words. Looks for it unless [`LineStore::interpret_some`] did.
    ///
    /// [`LineStore::interpret_some`]: super::LineStore::interpret_some
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        match self.level {
            LineLevel::Known(level) => level,
            LineLevel::Unknown if self.kind == LineKind::Notice => None,
            LineLevel::Unknown => level_of(self.text),
        }
    }

    /// Width in columns of a monospaced font, estimated for other than ASCII.
    #[must_use]
    pub fn columns(&self) -> u32 {
        columns(self.text)
    }

    /// Whether it is a JSON object, alone or behind a usual prefix.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json_object().is_some()
    }
}

impl<'a> Line<'a> {
    /// Returns a line with this text, plain, and everything else as it is.
    #[must_use]
    pub fn with_plain_text(self, text: &'a str) -> Self {
        Self { text, styles: LineStyles::default(), links: &[], cut_bytes: 0, ..self }
    }

    /// Returns the JSON object that it consists of, without the prefix that tools put before it.
    #[must_use]
    pub fn json_object(&self) -> Option<&'a str> {
        let may_be_json = self.kind != LineKind::Notice && self.cut_bytes == 0;
        let object = split_prefix(self.text).content;
        (may_be_json && is_json_object(object)).then_some(object)
    }
}

/// How many lines there are and were, notices left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// Ever received.
    pub received: u64,
    /// Still held.
    pub held: u64,
    /// Dropped to stay within the limits: `received - held`.
    pub dropped: u64,
}
