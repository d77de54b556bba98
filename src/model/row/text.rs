//! Text of a row, from the pieces of a line.

use std::ops::Range;

use super::{
    RowPiece, RowText,
    pieces::{Piece, part_of, pieces_of},
};
use crate::model::{
    ansi::{css::css_of, style::Style},
    display_text::{MAX_DRAWN_CHARS, display_text, more_text},
    highlight::{COLOURS, Highlight},
    line_store::Line,
    plain_url::plain_urls,
};

/// Returns the text of a line, `max_chars` characters of it at most, and a note if not all of it is shown.
#[must_use]
pub fn line_text(
    line: &Line<'_>,
    matches: &[Range<usize>],
    highlights: &[Highlight],
    max_chars: usize,
) -> (RowText, Option<String>) {
    let shown = pieces_of(line, matches, highlights, max_chars);
    (text_of(&shown.pieces), more_text(shown.hidden_chars, line.cut_bytes))
}

/// Returns a text that is no line, with its URLs as links.
#[must_use]
pub fn linked_text(text: &str) -> RowText {
    let urls = plain_urls(text);
    let ends = urls.iter().flat_map(|range| [range.start, range.end]).chain([text.len()]);
    let starts = std::iter::once(0).chain(ends.clone());
    let piece = |(start, end): (usize, usize)| {
        let raw = text.get(start..end).filter(|raw| !raw.is_empty())?;
        let is_url = urls.iter().any(|range| range.start == start);
        Some(Piece {
            display: display_text(raw),
            style: Style::default(),
            url: is_url.then_some(raw),
            is_match: false,
            colour: None,
        })
    };
    text_of(&starts.zip(ends).filter_map(piece).collect::<Vec<_>>())
}

fn text_of(pieces: &[Piece<'_>]) -> RowText {
    match pieces {
        [piece] if piece.is_plain() => RowText::Plain(piece.display.text.to_string()),
        pieces => RowText::Pieces(pieces.iter().map(row_piece).collect()),
    }
}

/// Returns the cells of a line: the text in the byte ranges `cells`, without the line's own styles.
#[must_use]
pub fn cell_text(
    line: &Line<'_>,
    cells: &[Option<Range<usize>>],
    matches: &[Range<usize>],
    highlights: &[Highlight],
) -> RowText {
    let cell_pieces = |cell: &Option<Range<usize>>| {
        let (part, matches, highlights) =
            part_of(line, &cell.clone().unwrap_or_default(), matches, highlights);
        let shown = pieces_of(&part, &matches, &highlights, MAX_DRAWN_CHARS);
        let more = more_text(shown.hidden_chars, 0).map(RowPiece::plain);
        shown.pieces.iter().map(row_piece).chain(more).collect()
    };
    RowText::Columns(cells.iter().map(cell_pieces).collect())
}

fn row_piece(piece: &Piece<'_>) -> RowPiece {
    let text = piece.display.text.to_string();
    if piece.is_plain() {
        return RowPiece::plain(text);
    }
    let style = css_of(piece.style);
    let mut class = style.classes;
    if let Some(colour) = piece.colour.and_then(|colour| COLOURS.get(colour)) {
        class.push_str(" lit ");
        class.push_str(colour);
    }
    if piece.is_match {
        class.push_str(" hit");
    }
    RowPiece {
        text,
        invisible: piece.display.invisible.clone(),
        class,
        foreground: style.foreground,
        background: style.background,
        url: piece.url.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line_store::{LineKind, LineStore, StoreLimits};

    fn stored(message: &str) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, message, 0.0);
        store
    }

    fn pieces(text: RowText) -> Vec<RowPiece> {
        match text {
            RowText::Pieces(pieces) => pieces,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_line_without_style_is_plain_text() {
        for text in ["", "plain text", "größer 日本"] {
            let store = stored(text);
            assert_eq!(
                line_text(&store.line(0).unwrap(), &[], &[], MAX_DRAWN_CHARS),
                (RowText::Plain(text.to_owned()), None)
            );
        }
    }

    #[test]
    fn classes_combine_style_highlight_and_match() {
        let store = stored("a \u{1b}[1;31mbold\u{1b}[m z");
        let (text, _) = line_text(&store.line(0).unwrap(), &[2..4, 7..8], &[(2..6, 3)], MAX_DRAWN_CHARS);
        let pieces = pieces(text);
        let classes: Vec<(&str, &str)> =
            pieces.iter().map(|piece| (piece.text.as_str(), piece.class.as_str())).collect();
        assert_eq!(
            classes,
            [
                ("a ", ""),
                ("bo", "ansi bold lit red hit"),
                ("ld", "ansi bold lit red"),
                (" ", ""),
                ("z", "ansi hit")
            ]
        );
        assert_eq!(pieces[1].foreground.as_deref(), Some("var(--ansi-1)"));
        assert_eq!((pieces[1].background.as_ref(), pieces[4].foreground.as_ref()), (None, None));
    }

    #[test]
    fn a_background_sets_both_colours_and_a_link_its_target() {
        let store = stored("\u{1b}[97;44mx\u{1b}[m\u{1b}]8;;https://x/\u{7}y\u{1b}]8;;\u{7}");
        let pieces = pieces(line_text(&store.line(0).unwrap(), &[], &[], MAX_DRAWN_CHARS).0);
        let [paper, link] = &pieces[..] else { panic!("{pieces:?}") };
        assert_eq!(paper.class, "ansi papered");
        assert_eq!(
            (paper.foreground.as_deref(), paper.background.as_deref()),
            (Some("#ffffff"), Some("#0000ee"))
        );
        assert_eq!((link.class.as_str(), link.url.as_deref()), ("ansi", Some("https://x/")));
    }

    #[test]
    fn urls_of_a_text_that_is_no_line_are_links() {
        assert_eq!(linked_text("no URL"), RowText::Plain("no URL".to_owned()));
        let pieces = pieces(linked_text("see https://a/ and https://b/c."));
        let shown: Vec<_> = pieces.iter().map(|piece| (piece.text.as_str(), piece.url.as_deref())).collect();
        let [a, b] = ["https://a/", "https://b/c"].map(|url| (url, Some(url)));
        assert_eq!(shown, [("see ", None), a, (" and ", None), b, (".", None)]);
    }

    #[test]
    fn invisible_characters_are_marked_in_the_text_that_is_shown() {
        let store = stored("a\u{202e}b");
        let pieces = pieces(line_text(&store.line(0).unwrap(), &[], &[], MAX_DRAWN_CHARS).0);
        assert_eq!((pieces[0].text.as_str(), pieces[0].class.as_str()), ("a<U+202E>b", "ansi"));
        assert_eq!(pieces[0].invisible.first(), Some(&(1..9)));
    }

    #[test]
    fn text_that_is_not_shown_is_counted_after_the_line_or_in_its_cell() {
        let text = "é".repeat(MAX_DRAWN_CHARS + 12);
        let store = stored(&text);
        let line = store.line(0).unwrap();
        let (shown, more) = line_text(&line, &[], &[], MAX_DRAWN_CHARS);
        assert_eq!(more.as_deref(), Some("… 12 more characters"));
        assert!(matches!(shown, RowText::Plain(shown) if shown.chars().count() == MAX_DRAWN_CHARS));
        let RowText::Columns(cells) = cell_text(&line, &[Some(0..text.len())], &[], &[]) else { panic!() };
        assert_eq!(cells[0].last(), Some(&RowPiece::plain("… 12 more characters".to_owned())));
    }

    #[test]
    fn a_cell_has_the_matches_and_highlights_within_it_and_a_missing_one_is_empty() {
        let store = stored(r#"{"level":"error","msg":"no route"}"#);
        let cells = [Some(24..32), None];
        let text = cell_text(&store.line(0).unwrap(), &cells, &[2..4, 27..30], &[(22..26, 0)]);
        let RowText::Columns(columns) = text else { panic!("{text:?}") };
        let classes: Vec<(&str, &str)> =
            columns[0].iter().map(|piece| (piece.text.as_str(), piece.class.as_str())).collect();
        assert_eq!(classes, [("no", "ansi lit yellow"), (" ", ""), ("rou", "ansi hit"), ("te", "")]);
        assert_eq!(columns[1], [RowPiece::plain(String::new())]);
    }
}
