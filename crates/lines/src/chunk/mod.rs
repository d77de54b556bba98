//! Consecutive lines that are stored and dropped together.

use std::ops::Range;

mod arrival;
mod redrawn;

use self::{arrival::Arrival, redrawn::RedrawnLine};
use crate::{
    ansi::{Link, StyledLine},
    level::{Level, level_of},
    line_store::{CHUNK_BYTES, Line, LineKind, MAX_CHUNK_LINES, MessagePlace, Origin},
    styles::{MAX_RUN_BYTES, Styles},
    text_columns::columns,
    words::Words,
};

/// Start and level of a line. 4 bytes, because every line has one.
struct Record {
    /// Byte of the chunk's text at which it begins. Only a line that begins at 0 reaches beyond [`CHUNK_BYTES`].
    start: u16,
    level: Option<Level>,
}

const _: () = assert!(size_of::<Record>() == 4 && CHUNK_BYTES <= 1 << 16);

const _: () = assert!(MAX_CHUNK_LINES <= 1 << 16);

/// Links of a line that has any.
struct Linked {
    index: usize,
    links: Range<usize>,
}

/// Lines of UTF-8, each followed by a line feed, so that a search through the whole text finds no match across lines.
///
/// The text never grows beyond its initial capacity. Styles and links count as well, so the memory that they leave of the text's is
/// freed once the chunk is full.
pub(crate) struct Chunk {
    first_id: u64,
    capacity: usize,
    text: String,
    records: Vec<Record>,
    /// In the order of their lines, each before its first.
    arrivals: Vec<Arrival>,
    styles: Styles,
    /// In the order of their lines.
    linked: Vec<Linked>,
    links: Vec<Link>,
    /// Memory of the links, which counts like that of text and styles.
    link_bytes: usize,
    notices: u64,
    /// Count of lines of each level.
    levels: [u64; Level::ALL.len()],
    widest_columns: u32,
    /// Count of bytes that were cut off the line. Only a line that fills a chunk alone is ever cut.
    cut_bytes: u64,
    /// In the order of their lines.
    redrawn: Vec<RedrawnLine>,
    /// Memory that they take.
    redrawn_bytes: usize,
}

impl Chunk {
    /// Creates an empty chunk with a capacity in bytes of text, whose first line will be `first_id`.
    pub(crate) fn new(first_id: u64, capacity: usize) -> Self {
        Self {
            first_id,
            capacity,
            text: String::with_capacity(capacity),
            records: Vec::new(),
            arrivals: Vec::new(),
            styles: Styles::default(),
            linked: Vec::new(),
            links: Vec::new(),
            link_bytes: 0,
            notices: 0,
            levels: [0; Level::ALL.len()],
            widest_columns: 0,
            cut_bytes: 0,
            redrawn: Vec::new(),
            redrawn_bytes: 0,
        }
    }

    /// Frees unused memory: no further line is appended.
    pub(crate) fn seal(&mut self) {
        self.text.shrink_to_fit();
        self.records.shrink_to_fit();
        self.arrivals.shrink_to_fit();
        self.styles.seal();
        self.linked.shrink_to_fit();
        self.links.shrink_to_fit();
    }

    /// Removes all lines, and retains the memory.
    pub(crate) fn reuse(mut self, first_id: u64) -> Self {
        self.first_id = first_id;
        self.text.clear();
        self.text.reserve_exact(self.capacity);
        self.records.clear();
        self.arrivals.clear();
        self.styles.clear();
        self.linked.clear();
        self.links.clear();
        self.link_bytes = 0;
        self.notices = 0;
        self.levels = [0; Level::ALL.len()];
        self.widest_columns = 0;
        self.cut_bytes = 0;
        self.redrawn.clear();
        self.redrawn_bytes = 0;
        self
    }

    /// Replaces the content of a line. Returns its width.
    pub(crate) fn redraw(&mut self, id: u64, text: String, styled: StyledLine, cut_bytes: u64) -> u32 {
        let index = id.checked_sub(self.first_id).and_then(|index| usize::try_from(index).ok());
        let Some((index, record)) = index.and_then(|index| Some((index, self.records.get(index)?))) else {
            return 0;
        };
        let place = self.redrawn.binary_search_by_key(&index, |line| line.index);
        let old = place.ok().and_then(|at| self.redrawn.get(at));
        let (old_level, old_bytes) = old.map_or((record.level, 0), |old| (old.level, old.bytes()));
        let (level, columns) = (level_of(&text), columns(&text));
        for (level, is_new) in [(old_level, false), (level, true)] {
            if let Some(count) = level.and_then(|level| self.levels.get_mut(level as usize)) {
                *count = if is_new { *count + 1 } else { count.saturating_sub(1) };
            }
        }
        let mut styles = Styles::default();
        styles.push(0, &styled.runs);
        let line = RedrawnLine { index, text, styles, links: styled.links, level, cut_bytes };
        self.redrawn_bytes = self.redrawn_bytes - old_bytes + line.bytes();
        self.widest_columns = self.widest_columns.max(columns);
        match place {
            Ok(at) => {
                if let Some(old) = self.redrawn.get_mut(at) {
                    *old = line;
                }
            }
            Err(at) => self.redrawn.insert(at, line),
        }
        columns
    }

    /// Returns the lines at a place, of any source.
    pub(crate) fn lines_at(&self, place: MessagePlace) -> impl Iterator<Item = u64> {
        let ends = self
            .arrivals
            .iter()
            .skip(1)
            .map(|arrival| usize::from(arrival.first))
            .chain([self.records.len()]);
        self.arrivals.iter().zip(ends).filter_map(move |(arrival, end)| {
            let first = usize::from(arrival.first);
            let line = arrival.line_at(place)?;
            (line < end - first).then_some(self.first_id + (first + line) as u64)
        })
    }

    /// Moves the chunk to other ids.
    pub(crate) fn renumber(&mut self, first_id: u64) {
        self.first_id = first_id;
    }

    /// Returns the memory of replaced lines, which is beside the capacity.
    pub(crate) fn redrawn_bytes(&self) -> usize {
        self.redrawn_bytes
    }

    /// Whether a line of `bytes` still fits. A chunk that is larger than usual, and one with a line that was cut, have a single
    /// line.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        if self.capacity > CHUNK_BYTES && !self.records.is_empty() || self.cut_bytes > 0 {
            return false;
        }
        let taken = self.text.len() + self.styles.bytes() + self.link_bytes;
        taken.saturating_add(bytes).saturating_add(1) <= self.capacity
    }

    /// Stores the styles and links of the line that was pushed last.
    pub(crate) fn style_last(&mut self, styled: StyledLine) {
        let Some(index) = self.records.len().checked_sub(1) else { return };
        self.styles.push(self.bytes_of(index).start, &styled.runs);
        if styled.links.is_empty() {
            return;
        }
        self.link_bytes += link_bytes(&styled);
        let first_link = self.links.len();
        self.links.extend(styled.links);
        self.linked.push(Linked { index, links: first_link..self.links.len() });
    }

    /// Appends one line without its line end, which [`Self::fits`].
    pub(crate) fn push(
        &mut self,
        text: &str,
        origin: Origin,
        level: Option<Level>,
        columns: u32,
        (arrived_ms, place): (f64, MessagePlace),
        cut_bytes: u64,
    ) {
        let lines = self.records.len();
        let came_with_the_last = |last: &mut Arrival| {
            last.origin == origin
                && last.arrived_ms.to_bits() == arrived_ms.to_bits()
                && last.extend(lines - usize::from(last.first), place)
        };
        if !self.arrivals.last_mut().is_some_and(came_with_the_last) {
            // Neither this nor the start saturates: chunks are bounded, see the assertions above.
            let first = u16::try_from(self.records.len()).unwrap_or(u16::MAX);
            self.arrivals.push(Arrival { first, origin, arrived_ms, place, is_run: false });
        }
        let start = u16::try_from(self.text.len()).unwrap_or(u16::MAX);
        self.text.push_str(text);
        self.text.push('\n');
        self.records.push(Record { start, level });
        if let Some(count) = level.and_then(|level| self.levels.get_mut(level as usize)) {
            *count += 1;
        }
        self.notices += u64::from(origin.kind == LineKind::Notice);
        self.widest_columns = self.widest_columns.max(columns);
        self.cut_bytes += cut_bytes;
    }

    pub(crate) fn line(&self, id: u64) -> Option<Line<'_>> {
        let index = usize::try_from(id.checked_sub(self.first_id)?).ok()?;
        let record = self.records.get(index)?;
        let bytes = self.bytes_of(index);
        let text = self.text.get(bytes.start as usize..bytes.end as usize)?.strip_suffix('\n')?;
        let after = self.arrivals.partition_point(|arrival| usize::from(arrival.first) <= index);
        let arrival = self.arrivals.get(after.checked_sub(1)?)?;
        let Arrival { first, origin, arrived_ms, .. } = arrival;
        let linked = self.linked.binary_search_by_key(&index, |linked| linked.index).ok();
        let links = linked.and_then(|at| self.linked.get(at)).map_or(0..0, |linked| linked.links.clone());
        let line = Line {
            id,
            text,
            styles: self.styles.of_line(bytes),
            links: self.links.get(links).unwrap_or_default(),
            kind: origin.kind,
            source: origin.source,
            level: record.level,
            arrived_ms: *arrived_ms,
            place: arrival.place_of(index - usize::from(*first)),
            cut_bytes: self.cut_bytes,
        };
        Some(match self.redrawn_line(index) {
            Some(redrawn) => redrawn.over(line),
            None => line,
        })
    }

    fn redrawn_line(&self, index: usize) -> Option<&RedrawnLine> {
        // The usual case, for every line of a search.
        if self.redrawn.is_empty() {
            return None;
        }
        let at = self.redrawn.binary_search_by_key(&index, |line| line.index).ok()?;
        self.redrawn.get(at)
    }

    /// The bytes of a line, its line end included.
    fn bytes_of(&self, index: usize) -> Range<u32> {
        let start = |index: usize| self.records.get(index).map(|record| u32::from(record.start));
        // The capacity of a chunk is far below 4 GiB.
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        start(index).unwrap_or(end)..start(index + 1).unwrap_or(end)
    }

    /// Passes the lines from `id` on that contain `words` to `found`, each once. Searches the whole text at once: no match spans
    /// lines, because a query has no line feed.
    pub(crate) fn lines_with<'a>(&'a self, id: u64, words: &Words, mut found: impl FnMut(Line<'a>)) {
        if !self.redrawn.is_empty() {
            // The text of a replaced line is not that of the chunk.
            let lines = (id.max(self.first_id)..).map_while(|id| self.line(id));
            return lines.filter(|line| words.find(line.text, 0).is_some()).for_each(found);
        }
        let first = usize::try_from(id.saturating_sub(self.first_id)).unwrap_or(usize::MAX);
        let mut from = self.records.get(first).map_or(self.text.len(), |record| usize::from(record.start));
        while let Some(place) = words.find(&self.text, from) {
            let after = self.records.partition_point(|record| usize::from(record.start) <= place.start);
            let Some(line) = self.line(self.first_id + after as u64 - 1) else { return };
            found(line);
            from = self.records.get(after).map_or(self.text.len(), |record| usize::from(record.start));
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

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn widest_columns(&self) -> u32 {
        self.widest_columns
    }
}

/// Memory that a line's styles and links take at most.
pub(crate) fn style_bytes(line: &StyledLine) -> usize {
    line.runs.len() * MAX_RUN_BYTES + link_bytes(line)
}

fn link_bytes(line: &StyledLine) -> usize {
    line.links.iter().map(|link| size_of::<Link>() + link.url.len()).sum()
}
