//! A stretch of consecutive lines that are stored, dropped and reused together.

use std::ops::Range;

use super::{
    ansi::{Link, StyleRun, StyledLine},
    level::Level,
    line_store::{Line, LineKind, Origin},
    words::Words,
};

/// What is known of a line beside its text: 24 bytes.
struct Record {
    start: u32,
    len: u32,
    columns: u32,
    kind: LineKind,
    level: Option<Level>,
    source: u16,
    arrived_ms: f64,
}

const _: () = assert!(size_of::<Record>() == 24);

/// Where the styles and links of a line are. Only lines that have some have one.
struct Styled {
    index: usize,
    runs: Range<usize>,
    links: Range<usize>,
}

/// Lines of UTF-8, each followed by a line feed, so that a search through the whole text finds no match across lines.
///
/// The text never grows beyond the room it was made with. Styles and links count against that room too, so what they
/// leave of the text's memory is given back once the chunk is full.
pub(crate) struct Chunk {
    first_id: u64,
    room: usize,
    text: String,
    records: Vec<Record>,
    /// In the order of their lines.
    styled: Vec<Styled>,
    runs: Vec<StyleRun>,
    links: Vec<Link>,
    /// Memory that styles and links take, counted against the room as text is.
    style_bytes: usize,
    notices: u64,
    /// How many lines have each level.
    levels: [u64; Level::ALL.len()],
    widest_columns: u32,
    /// Bytes of the line that were not kept. Only a line that fills a chunk alone is ever cut.
    cut_bytes: u64,
}

impl Chunk {
    /// An empty chunk with `room` bytes for text, whose first line will be `first_id`.
    pub(crate) fn new(first_id: u64, room: usize) -> Self {
        Self {
            first_id,
            room,
            text: String::with_capacity(room),
            records: Vec::new(),
            styled: Vec::new(),
            runs: Vec::new(),
            links: Vec::new(),
            style_bytes: 0,
            notices: 0,
            levels: [0; Level::ALL.len()],
            widest_columns: 0,
            cut_bytes: 0,
        }
    }

    /// Gives back the room that is left: no further line comes.
    pub(crate) fn seal(&mut self) {
        self.text.shrink_to_fit();
        self.records.shrink_to_fit();
        self.styled.shrink_to_fit();
        self.runs.shrink_to_fit();
        self.links.shrink_to_fit();
    }

    /// Forgets all lines, keeps the memory.
    pub(crate) fn reuse(mut self, first_id: u64) -> Self {
        self.first_id = first_id;
        self.text.clear();
        self.text.reserve_exact(self.room);
        self.records.clear();
        self.styled.clear();
        self.runs.clear();
        self.links.clear();
        self.style_bytes = 0;
        self.notices = 0;
        self.levels = [0; Level::ALL.len()];
        self.widest_columns = 0;
        self.cut_bytes = 0;
        self
    }

    /// Whether a line of `bytes` still fits.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        let taken = self.text.len().saturating_add(self.style_bytes);
        taken.saturating_add(bytes).saturating_add(1) <= self.room
    }

    /// Gives the line that was pushed last its styles and links.
    pub(crate) fn style_last(&mut self, styled: StyledLine) {
        let Some(index) = self.records.len().checked_sub(1) else { return };
        self.style_bytes += style_bytes(&styled);
        let (first_run, first_link) = (self.runs.len(), self.links.len());
        self.runs.extend(styled.runs);
        self.links.extend(styled.links);
        self.styled.push(Styled {
            index,
            runs: first_run..self.runs.len(),
            links: first_link..self.links.len(),
        });
    }

    /// Appends one line without its line end. The caller has asked [`Self::fits`].
    pub(crate) fn push(
        &mut self,
        text: &str,
        origin: Origin,
        level: Option<Level>,
        columns: u32,
        arrived_ms: f64,
        cut_bytes: u64,
    ) {
        let Origin { kind, source } = origin;
        // A chunk's room is bounded far below 4 GiB, so these never saturate.
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.text.push('\n');
        self.records.push(Record { start, len, columns, kind, level, source, arrived_ms });
        if let Some(count) = level.and_then(|level| self.levels.get_mut(level as usize)) {
            *count += 1;
        }
        self.notices += u64::from(kind == LineKind::Notice);
        self.widest_columns = self.widest_columns.max(columns);
        self.cut_bytes += cut_bytes;
    }

    pub(crate) fn line(&self, id: u64) -> Option<Line<'_>> {
        let index = usize::try_from(id.checked_sub(self.first_id)?).ok()?;
        let record = self.records.get(index)?;
        let start = record.start as usize;
        let text = self.text.get(start..start + record.len as usize)?;
        let styled = self.styled.binary_search_by_key(&index, |styled| styled.index).ok();
        let styled = styled.and_then(|at| self.styled.get(at));
        let (runs, links) = styled.map_or((0..0, 0..0), |styled| (styled.runs.clone(), styled.links.clone()));
        Some(Line {
            id,
            text,
            runs: self.runs.get(runs).unwrap_or_default(),
            links: self.links.get(links).unwrap_or_default(),
            kind: record.kind,
            source: record.source,
            level: record.level,
            columns: record.columns,
            arrived_ms: record.arrived_ms,
            cut_bytes: self.cut_bytes,
        })
    }

    /// Tells the lines from `id` on in whose text `words` stand, each once. Looks through all of the text at once: no
    /// match reaches from line to line, since a query holds no line feed.
    pub(crate) fn lines_with<'a>(&'a self, id: u64, words: &Words, mut found: impl FnMut(Line<'a>)) {
        let first = usize::try_from(id.saturating_sub(self.first_id)).unwrap_or(usize::MAX);
        let mut from = self.records.get(first).map_or(self.text.len(), |record| record.start as usize);
        while let Some(place) = words.find(&self.text, from) {
            let after = self.records.partition_point(|record| record.start as usize <= place.start);
            let Some(line) = self.line(self.first_id + after as u64 - 1) else { return };
            found(line);
            from = self.records.get(after).map_or(self.text.len(), |record| record.start as usize);
        }
    }

    /// Id of the line that follows its last.
    pub(crate) fn next_id(&self) -> u64 {
        self.first_id + self.records.len() as u64
    }

    /// Bytes of text, line ends included.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// All lines.
    pub(crate) fn lines_of(&self) -> impl Iterator<Item = Line<'_>> {
        (self.first_id..).map_while(|id| self.line(id))
    }

    pub(crate) fn level_count(&self, level: Level) -> u64 {
        self.levels.get(level as usize).copied().unwrap_or_default()
    }

    pub(crate) fn first_id(&self) -> u64 {
        self.first_id
    }

    pub(crate) fn lines(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn notices(&self) -> u64 {
        self.notices
    }

    pub(crate) fn room(&self) -> usize {
        self.room
    }

    pub(crate) fn widest_columns(&self) -> u32 {
        self.widest_columns
    }
}

/// Memory that a line's styles and links take.
pub(crate) fn style_bytes(line: &StyledLine) -> usize {
    let links: usize = line.links.iter().map(|link| size_of::<Link>() + link.url.len()).sum();
    line.runs.len() * size_of::<StyleRun>() + links
}
