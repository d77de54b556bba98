//! Pieces of a line: stretches in one style, with one link, within a match or not.
//!
//! The raw line is cut where style, link, highlight or match changes. Each piece is then made fit for display.

use std::ops::Range;

use crate::model::{
    ansi::{style::Style, url_at},
    display_text::{DisplayText, display_text_up_to},
    highlight::Highlight,
    line_store::Line,
    plain_url::plain_urls,
    search::work::char_start,
};

/// Maximum count of pieces of a line; the last one holds the rest. Limits the page's elements.
pub const MAX_PIECES: usize = 256;

/// Stretch of a line with the same appearance throughout.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Text to show.
    pub display: DisplayText<'a>,
    /// Style of the text.
    pub style: Style,
    /// Target of a link.
    pub url: Option<&'a str>,
    /// Whether the piece is part of a match.
    pub is_match: bool,
    /// Index of the highlight's colour.
    pub colour: Option<usize>,
}

impl Piece<'_> {
    /// Whether the piece looks like text without any style.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.style == Style::default()
            && self.url.is_none()
            && !self.is_match
            && self.colour.is_none()
            && self.display.invisible.is_empty()
    }
}

/// Line in pieces.
#[derive(Debug, PartialEq, Eq)]
pub struct Pieces<'a> {
    /// Pieces in order.
    pub pieces: Vec<Piece<'a>>,
    /// Count of characters at the end of the line that are not shown.
    pub hidden_chars: u64,
}

/// Cuts a line into pieces, with `max_chars` characters together. Matches are disjoint, and so are highlights; a match may overlap a
/// highlight.
#[must_use]
pub fn pieces_of<'a>(
    line: &Line<'a>,
    matches: &[Range<usize>],
    highlights: &[Highlight],
    max_chars: usize,
) -> Pieces<'a> {
    let mut pieces = Vec::new();
    let mut hidden_chars = 0;
    let mut remaining_chars = max_chars;
    let urls = urls_within(line.text, max_chars.saturating_mul(char::MAX.len_utf8()));
    let cuts = cuts(line, matches, highlights, &urls);
    let url_of = |at: usize| {
        let plain = || urls.iter().find(|range| range.contains(&at));
        url_at(line, at).or_else(|| plain().and_then(|range| line.text.get(range.clone())))
    };
    for pair in cuts.windows(2) {
        let &[start, end] = pair else { continue };
        let Some(raw) = line.text.get(start..end).filter(|raw| !raw.is_empty() || cuts.len() == 2) else {
            continue;
        };
        if remaining_chars == 0 {
            hidden_chars += raw.chars().count() as u64;
            continue;
        }
        let display = display_text_up_to(raw, remaining_chars);
        remaining_chars = remaining_chars.saturating_sub(display.text.chars().count());
        hidden_chars += display.hidden_chars;
        if display.hidden_chars > 0 {
            remaining_chars = 0;
        }
        let highlight = highlights.iter().find(|(range, _)| range.contains(&start));
        pieces.push(Piece {
            display,
            style: line.styles.at(start),
            url: url_of(start),
            is_match: matches.iter().any(|range| range.contains(&start)),
            colour: highlight.map(|(_, colour)| *colour),
        });
    }
    Pieces { pieces, hidden_chars }
}

/// Returns a part of a line as a line of its own, without style, and the matches and highlights within it.
#[must_use]
pub fn part_of<'a>(
    line: &Line<'a>,
    part: &Range<usize>,
    matches: &[Range<usize>],
    highlights: &[Highlight],
) -> (Line<'a>, Vec<Range<usize>>, Vec<Highlight>) {
    let text = line.text.get(part.clone()).unwrap_or_default();
    let inside = |range: &Range<usize>| {
        let inside = range.start.max(part.start)..range.end.min(part.end);
        (!inside.is_empty()).then(|| inside.start - part.start..inside.end - part.start)
    };
    let matches = matches.iter().filter_map(inside).collect();
    let highlights =
        highlights.iter().filter_map(|(range, colour)| Some((inside(range)?, *colour))).collect();
    (line.with_plain_text(text), matches, highlights)
}

/// Returns the ranges of URLs in the first `max_bytes` of a line, without one that may not end there.
fn urls_within(text: &str, max_bytes: usize) -> Vec<Range<usize>> {
    let end = char_start(text, max_bytes);
    let mut urls = plain_urls(text.get(..end).unwrap_or_default());
    urls.pop_if(|last| last.end == end && end < text.len());
    urls
}

/// Returns the offsets at which to cut, start and end of the line included. Of each kind, those beyond the maximum are not looked at.
fn cuts(
    line: &Line<'_>,
    matches: &[Range<usize>],
    highlights: &[Highlight],
    urls: &[Range<usize>],
) -> Vec<usize> {
    let runs = line.styles.runs().map(|run| run.start as usize).take(MAX_PIECES);
    let links = line
        .links
        .iter()
        .take(MAX_PIECES)
        .flat_map(|link| [link.range.start as usize, link.range.end as usize]);
    let highlights = highlights.iter().map(|(range, _)| range);
    let ranges = matches.iter().chain(highlights).chain(urls).flat_map(|range| [range.start, range.end]);
    let mut cuts: Vec<usize> = [0]
        .into_iter()
        .chain(runs)
        .chain(links)
        .chain(ranges)
        .filter(|at| *at < line.text.len().max(1))
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.truncate(MAX_PIECES);
    cuts.push(line.text.len());
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ansi::style::Color,
        display_text::MAX_DRAWN_CHARS,
        line_store::{LineKind, LineStore, StoreLimits},
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
    fn a_plain_line_is_one_piece_even_if_empty() {
        for text in ["", "plain text"] {
            let store = stored(text);
            let pieces = pieces_of(&store.line(0).unwrap(), &[], &[], MAX_DRAWN_CHARS);
            assert_eq!(texts(&pieces), [text]);
            assert!(pieces.pieces[0].is_plain());
        }
    }

    #[test]
    fn a_line_is_cut_where_style_link_highlight_or_match_changes() {
        let store = stored("a\u{1b}[31mbc\u{1b}]8;;https://x/\u{7}de\u{1b}]8;;\u{7}\u{1b}[mf");
        let line = store.line(0).unwrap();
        let pieces = pieces_of(&line, std::slice::from_ref(&(2..4)), &[(3..5, 2)], MAX_DRAWN_CHARS);
        assert_eq!(texts(&pieces), ["a", "b", "c", "d", "e", "f"]);
        let red = |piece: &Piece<'_>| piece.style.foreground == Color::Indexed(1);
        assert_eq!(pieces.pieces.iter().map(red).collect::<Vec<_>>(), [false, true, true, true, true, false]);
        let is_match: Vec<bool> = pieces.pieces.iter().map(|piece| piece.is_match).collect();
        assert_eq!(is_match, [false, false, true, true, false, false]);
        let colours: Vec<_> = pieces.pieces.iter().map(|piece| piece.colour).collect();
        assert_eq!(colours, [None, None, None, Some(2), Some(2), None]);
        assert_eq!(pieces.pieces[3].url, Some("https://x/"));
        assert_eq!(pieces.pieces[5].url, None);
    }

    #[test]
    fn a_url_in_the_text_is_a_link_and_one_of_an_escape_sequence_goes_before_it() {
        let store = stored("at http://h/a, \u{1b}]8;;https://x/\u{7}http://h/b\u{1b}]8;;\u{7}");
        let pieces = pieces_of(&store.line(0).unwrap(), &[], &[], MAX_DRAWN_CHARS);
        let urls: Vec<_> =
            pieces.pieces.iter().map(|piece| (piece.display.text.as_ref(), piece.url)).collect();
        assert_eq!(
            urls,
            [
                ("at ", None),
                ("http://h/a", Some("http://h/a")),
                (", ", None),
                ("http://h/b", Some("https://x/"))
            ]
        );
    }

    #[test]
    fn a_part_keeps_the_matches_and_highlights_within_it() {
        let store = stored("level=error msg");
        let (part, matches, highlights) =
            part_of(&store.line(0).unwrap(), &(6..11), &[0..2, 4..8, 10..13], &[(0..7, 2), (11..13, 1)]);
        assert_eq!((part.text, matches, highlights), ("error", vec![0..2, 4..5], vec![(0..1, 2)]));
    }

    #[test]
    fn the_shown_text_and_the_pieces_of_a_line_are_limited() {
        let store = stored(&"\u{1b}[31mé\u{1b}[32mé".repeat(3000));
        let pieces = pieces_of(&store.line(0).unwrap(), &[], &[], MAX_DRAWN_CHARS);
        assert!(pieces.pieces.len() <= MAX_PIECES);
        let shown: usize = texts(&pieces).iter().map(|text| text.chars().count()).sum();
        assert_eq!(shown as u64 + pieces.hidden_chars, 6000);
        assert_eq!(shown, MAX_DRAWN_CHARS);
    }
}
