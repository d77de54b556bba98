//! Consecutive lines that are stored and dropped together.

use std::ops::Range;

use memchr::memchr_iter;

mod arrival;
mod interpretation;
mod redrawn;

pub(crate) use self::arrival::Arrived;
use self::{arrival::Arrival, redrawn::RedrawnLine};
use crate::{
    ansi::{Link, StyledLine},
    level::{Level, level_of},
    line_store::{CHUNK_BYTES, Line, LineKind, MAX_CHUNK_LINES, MessagePlace},
    styles::{MAX_RUN_BYTES, Styles},
    text_columns::columns,
    words::Words,
};

/// Level of a line, as far as it was looked at. Lines are stored faster than levels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineLevel {
    /// The line was not interpreted yet.
    Unknown,
    /// Its level, if it has one.
    Known(Option<Level>),
}

/// Start and level of a line. 4 bytes, because every line has one.
struct Record {
    /// Byte of the chunk's text at which it begins. Only a line that begins at 0 reaches beyond [`CHUNK_BYTES`].
    start: u16,
    level: LineLevel,
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
    /// Count of lines of each level, of those that were interpreted.
    levels: [u64; Level::ALL.len()],
    /// Count of lines from the first on that were interpreted. Others may be, too.
    interpreted: usize,
    /// Whether the lines count in the timeline.
    is_timed: bool,
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
            interpreted: 0,
            is_timed: true,
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
        self.interpreted = 0;
        self.is_timed = true;
        self.widest_columns = 0;
        self.cut_bytes = 0;
        self.redrawn.clear();
        self.redrawn_bytes = 0;
        self
    }

    /// Replaces the content of a line, which was interpreted. Returns its width.
    pub(crate) fn redraw(&mut self, id: u64, text: String, styled: StyledLine, cut_bytes: u64) -> u32 {
        let index = id.checked_sub(self.first_id).and_then(|index| usize::try_from(index).ok());
        let Some((index, record)) = index.and_then(|index| Some((index, self.records.get(index)?))) else {
            return 0;
        };
        let place = self.redrawn.binary_search_by_key(&index, |line| line.index);
        let old = place.ok().and_then(|at| self.redrawn.get(at));
        let before = match record.level {
            LineLevel::Known(level) => level,
            LineLevel::Unknown => None,
        };
        let (old_level, old_bytes) = old.map_or((before, 0), |old| (old.level, old.bytes()));
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

    /// Whether a line of `bytes` still fits.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        bytes < self.room()
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
    pub(crate) fn push(&mut self, text: &str, arrived: Arrived, cut_bytes: u64) {
        self.add_arrival(arrived);
        self.add_record(self.text.len());
        self.text.push_str(text);
        self.text.push('\n');
        self.notices += u64::from(arrived.origin.kind == LineKind::Notice);
        self.widest_columns = self.widest_columns.max(columns(text));
        self.cut_bytes += cut_bytes;
    }

    /// Appends the first of `lines`, which are separated by `\n`: at most `most`, as far as they fit and have at most `line_bytes`.
    /// Returns their number, and their bytes with line ends. `has_tabs` is whether there are any.
    pub(crate) fn push_lines(
        &mut self,
        lines: &str,
        (most, line_bytes): (usize, usize),
        has_tabs: bool,
        mut arrived: Arrived,
    ) -> (u32, usize) {
        let (mut count, mut start) = (0, 0);
        let (base, room) = (self.text.len(), self.room());
        for end in memchr_iter(b'\n', lines.as_bytes()).chain([lines.len()]) {
            if count as usize >= most || end >= room || end - start > line_bytes {
                break;
            }
            // Further lines of a message belong to its second one.
            if count < 2 {
                self.add_arrival(arrived);
                arrived.place.line = arrived.place.line.saturating_add(1);
            }
            self.add_record(base + start);
            // No character takes more columns than bytes, except for tabs.
            if (has_tabs || end - start > self.widest_columns as usize)
                && let Some(line) = lines.get(start..end)
            {
                self.widest_columns = self.widest_columns.max(columns(line));
            }
            (count, start) = (count + 1, end + 1);
        }
        self.text.push_str(lines.get(..start).unwrap_or(lines));
        if start > lines.len() {
            self.text.push('\n');
        }
        (count, start)
    }

    /// Returns how many bytes still fit, line ends included: none into a chunk that is larger than usual and one with a line that
    /// was cut, which have a single line.
    fn room(&self) -> usize {
        if self.capacity > CHUNK_BYTES && !self.records.is_empty() || self.cut_bytes > 0 {
            return 0;
        }
        self.capacity.saturating_sub(self.text.len() + self.styles.bytes() + self.link_bytes)
    }

    fn add_record(&mut self, start: usize) {
        // Does not saturate: chunks are bounded, see the assertion above.
        let start = u16::try_from(start).unwrap_or(u16::MAX);
        self.records.push(Record { start, level: LineLevel::Unknown });
    }

    /// Records the arrival of the next line, unless it came with the last one.
    fn add_arrival(&mut self, arrived: Arrived) {
        let Arrived { origin, arrived_ms, place } = arrived;
        let lines = self.records.len();
        let came_with_the_last = |last: &mut Arrival| {
            last.origin == origin
                && last.arrived_ms.to_bits() == arrived_ms.to_bits()
                && last.extend(lines - usize::from(last.first), place)
        };
        if !self.arrivals.last_mut().is_some_and(came_with_the_last) {
            // Does not saturate: chunks are bounded, see the assertion above.
            let first = u16::try_from(lines).unwrap_or(u16::MAX);
            self.arrivals.push(Arrival { first, origin, arrived_ms, place, is_run: false });
        }
    }

    pub(crate) fn line(&self, id: u64) -> Option<Line<'_>> {
        let index = usize::try_from(id.checked_sub(self.first_id)?).ok()?;
        let record = self.records.get(index)?;
        let bytes = self.bytes_of(index);
        let text = self.text.get(bytes.start as usize..bytes.end as usize)?.strip_suffix('\n')?;
        let arrival = self.arrival_of(index)?;
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

    fn arrival_of(&self, index: usize) -> Option<&Arrival> {
        let after = self.arrivals.partition_point(|arrival| usize::from(arrival.first) <= index);
        self.arrivals.get(after.checked_sub(1)?)
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
            return self.lines_from(id).filter(|line| words.find(line.text, 0).is_some()).for_each(found);
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

    /// Its lines from `id` on.
    pub(crate) fn lines_from(&self, id: u64) -> impl Iterator<Item = Line<'_>> {
        (id.max(self.first_id)..).map_while(|id| self.line(id))
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
