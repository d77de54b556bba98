//! A line as it is drawn: pieces, each in one style, some leading somewhere, some found by a search.
//!
//! Cuts the raw line where style, link or search hit changes, and then makes each piece fit to be drawn.

use std::ops::Range;

use super::{
    ansi::style::Style,
    display_text::{DisplayText, MAX_DRAWN_CHARS, display_text_up_to},
    highlight::Mark,
    line_store::Line,
    styles::LineStyles,
};

/// Most pieces of a line that are drawn apart; the rest is one piece. Bounds the page's elements.
pub const MAX_PIECES: usize = 256;

/// A stretch of a line that is drawn alike.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What to draw.
    pub display: DisplayText<'a>,
    /// How.
    pub style: Style,
    /// Where it leads to, if anywhere.
    pub url: Option<&'a str>,
    /// Whether a search found it.
    pub is_hit: bool,
    /// The colour of the rule that marks it, if one does.
    pub colour: Option<u8>,
}

impl Piece<'_> {
    /// Whether it is drawn like any other text.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.style == Style::default()
            && self.url.is_none()
            && !self.is_hit
            && self.colour.is_none()
            && self.display.marks.is_empty()
    }
}

/// A line in pieces.
#[derive(Debug, PartialEq, Eq)]
pub struct Pieces<'a> {
    /// In their order.
    pub pieces: Vec<Piece<'a>>,
    /// Characters at the end of the line that are not drawn.
    pub hidden_chars: u64,
}

/// Cuts a line. Neither `hits` nor `marks` overlap one another; a hit may lie on a mark.
#[must_use]
pub fn row_pieces<'a>(line: &Line<'a>, hits: &[Range<usize>], marks: &[Mark]) -> Pieces<'a> {
    let mut pieces = Vec::new();
    let mut hidden_chars = 0;
    let mut room = MAX_DRAWN_CHARS;
    let cuts = cuts(line, hits, marks);
    for pair in cuts.windows(2) {
        let &[start, end] = pair else { continue };
        let Some(raw) = line.text.get(start..end).filter(|raw| !raw.is_empty() || cuts.len() == 2) else {
            continue;
        };
        if room == 0 {
            hidden_chars += raw.chars().count() as u64;
            continue;
        }
        let display = display_text_up_to(raw, room);
        room = room.saturating_sub(display.text.chars().count());
        hidden_chars += display.hidden_chars;
        if display.hidden_chars > 0 {
            room = 0;
        }
        pieces.push(Piece {
            display,
            style: line.styles.at(start),
            url: link_at(line, start),
            is_hit: hits.iter().any(|hit| hit.contains(&start)),
            colour: marks.iter().find(|(range, _)| range.contains(&start)).map(|(_, colour)| *colour),
        });
    }
    Pieces { pieces, hidden_chars }
}

/// A stretch of a line, as a line of its own that has no style; and the hits and marks in it.
#[must_use]
pub fn part_of<'a>(
    line: &Line<'a>,
    part: &Range<usize>,
    hits: &[Range<usize>],
    marks: &[Mark],
) -> (Line<'a>, Vec<Range<usize>>, Vec<Mark>) {
    let text = line.text.get(part.clone()).unwrap_or_default();
    let inside = |range: &Range<usize>| {
        let inside = range.start.max(part.start)..range.end.min(part.end);
        (!inside.is_empty()).then(|| inside.start - part.start..inside.end - part.start)
    };
    let hits = hits.iter().filter_map(inside).collect();
    let marks = marks.iter().filter_map(|(range, colour)| Some((inside(range)?, *colour))).collect();
    (Line { text, styles: LineStyles::default(), links: &[], cut_bytes: 0, ..*line }, hits, marks)
}

/// Where to cut, beginning and end included.
fn cuts(line: &Line<'_>, hits: &[Range<usize>], marks: &[Mark]) -> Vec<usize> {
    let runs = line.styles.runs().map(|run| run.start as usize);
    let links = line.links.iter().flat_map(|link| [link.range.start as usize, link.range.end as usize]);
    let marks = marks.iter().map(|(range, _)| range);
    let found = hits.iter().chain(marks).flat_map(|range| [range.start, range.end]);
    let mut cuts: Vec<usize> = [0]
        .into_iter()
        .chain(runs)
        .chain(links)
        .chain(found)
        .filter(|at| *at < line.text.len().max(1))
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.truncate(MAX_PIECES);
    cuts.push(line.text.len());
    cuts
}

fn link_at<'a>(line: &Line<'a>, at: usize) -> Option<&'a str> {
    let is_here =
        |link: &&super::ansi::Link| (link.range.start as usize..link.range.end as usize).contains(&at);
    line.links.iter().find(is_here).map(|link| link.url.as_str())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            ansi::style::Color,
            line_store::{LineKind, LineStore, StoreLimits},
        },
        *,
    };

    fn stored(message: &str) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, message, 0.0);
        store
    }

    fn texts<'a>(pieces: &'a Pieces<'_>) -> Vec<&'a str> {
        pieces.pieces.iter().map(|piece| piece.display.text.as_ref()).collect()
    }

    #[test]
    fn a_plain_line_is_one_piece_even_an_empty_one() {
        for text in ["", "plain text"] {
            let store = stored(text);
            let pieces = row_pieces(&store.line(0).unwrap(), &[], &[]);
            assert_eq!(texts(&pieces), [text]);
            assert!(pieces.pieces[0].is_plain());
        }
    }

    #[test]
    fn styles_links_and_hits_cut_each_other() {
        let store = stored("a\u{1b}[31mbc\u{1b}]8;;https://x/\u{7}de\u{1b}]8;;\u{7}\u{1b}[mf");
        let line = store.line(0).unwrap();
        let pieces = row_pieces(&line, std::slice::from_ref(&(2..4)), &[(3..5, 2)]);
        assert_eq!(texts(&pieces), ["a", "b", "c", "d", "e", "f"]);
        let red = |piece: &Piece<'_>| piece.style.foreground == Color::Indexed(1);
        assert_eq!(pieces.pieces.iter().map(red).collect::<Vec<_>>(), [false, true, true, true, true, false]);
        let hit: Vec<bool> = pieces.pieces.iter().map(|piece| piece.is_hit).collect();
        assert_eq!(hit, [false, false, true, true, false, false]);
        let colours: Vec<_> = pieces.pieces.iter().map(|piece| piece.colour).collect();
        assert_eq!(colours, [None, None, None, Some(2), Some(2), None]);
        assert_eq!(pieces.pieces[3].url, Some("https://x/"));
        assert_eq!(pieces.pieces[5].url, None);
    }

    #[test]
    fn a_part_keeps_the_hits_that_are_in_it() {
        let store = stored("level=error msg");
        let (part, hits, marks) =
            part_of(&store.line(0).unwrap(), &(6..11), &[0..2, 4..8, 10..13], &[(0..7, 2), (11..13, 1)]);
        assert_eq!((part.text, hits, marks), ("error", vec![0..2, 4..5], vec![(0..1, 2)]));
    }

    #[test]
    fn what_is_drawn_of_a_long_line_and_how_many_pieces_is_bounded() {
        let store = stored(&"\u{1b}[31mé\u{1b}[32mé".repeat(3000));
        let pieces = row_pieces(&store.line(0).unwrap(), &[], &[]);
        assert!(pieces.pieces.len() <= MAX_PIECES);
        let drawn: usize = texts(&pieces).iter().map(|text| text.chars().count()).sum();
        assert_eq!(drawn as u64 + pieces.hidden_chars, 6000);
        assert_eq!(drawn, MAX_DRAWN_CHARS);
    }
}
