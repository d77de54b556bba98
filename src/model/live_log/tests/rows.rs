//! Content of rows.

use super::*;
use crate::model::{
    gutter::GutterContent,
    highlight::HighlightRules,
    level::Level,
    navigation::Direction,
    row::{Fold, LineLength, RowContent, RowMarks, RowPiece, RowText, SourceTag},
    search::Query,
};

const JSON: &str = r#"{"level":"error","msg":"no route"}"#;

fn row(log: &mut LiveLog, position: u64) -> RowContent {
    log.row(position, 0, &mut Work::slice()).unwrap()
}

#[test]
fn a_plain_line_has_its_text_number_kind_and_level() {
    let mut log = log_after(&[message("ERROR one")]);
    assert_eq!(
        row(&mut log, 0),
        RowContent {
            line_id: 0,
            kind: LineKind::Group,
            level: Some(Level::Error),
            gutter: "1".to_owned(),
            tag: None,
            fold: Fold::None,
            text: RowText::Plain("ERROR one".to_owned()),
            more: None,
            length: LineLength::Short,
            marks: RowMarks::default(),
        }
    );
    assert_eq!(log.row(1, 0, &mut Work::slice()), None);
}

#[test]
fn the_gutter_shows_a_time_or_the_time_since_the_line_above() {
    let mut log = log_after(&[message("a")]);
    log.handle_event(0, &message("b"), LocalTime { unix_ms: LOST.unix_ms + 1_250.0, ..LOST });
    log.handle_event(0, &message("c"), LocalTime { unix_ms: LOST.unix_ms + 3_701_250.0, ..LOST });
    let mut gutters = |gutter| {
        log.set_gutter(gutter);
        [0, 1, 2].map(|position| log.row(position, 0, &mut Work::slice()).unwrap().gutter)
    };
    assert_eq!(gutters(GutterContent::LineNumber), ["1", "2", "3"]);
    assert_eq!(gutters(GutterContent::Time), ["14:03:11", "14:03:12", "15:04:52"]);
    assert_eq!(gutters(GutterContent::Elapsed), ["", "+1.250 s", "+1:01:40"]);
    let revision = log.revision();
    log.set_gutter(GutterContent::Elapsed);
    assert_eq!((log.revision(), log.gutter()), (revision, GutterContent::Elapsed), "nothing changed");
}

#[test]
fn with_several_sources_lines_are_tagged_except_those_of_files() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let sources = names.map(|name| source(name, 0)).into();
    let mut log = LiveLog::new(sources, StoreLimits::default());
    log.handle_event(0, &message_to("b", "x"), LOST);
    log.handle_event(0, &message_to("i", "x"), LOST);
    log.append_file_line("x", LOST.unix_ms);
    let tags: Vec<Option<SourceTag>> = (0..3).map(|position| row(&mut log, position).tag).collect();
    let tag = |color, name: &str| Some(SourceTag { color, name: name.to_owned() });
    assert_eq!(tags, [tag(1, "b"), tag(0, "i"), None], "colours are reused");
    assert_eq!(log.list_widths().tag, 2);
}

#[test]
fn a_json_line_can_be_opened() {
    let mut log = log_after(&[message(JSON), message("{not json}")]);
    assert_eq!((row(&mut log, 0).fold, row(&mut log, 1).fold), (Fold::Closed, Fold::None));
    log.toggle_open(0);
    let Fold::Open(rows) = row(&mut log, 0).fold else { panic!("closed") };
    let values: Vec<(&str, &str)> = rows.iter().map(|row| (row.key.as_str(), row.value.as_str())).collect();
    assert_eq!(values, [("level", "error"), ("msg", "no route")]);
}

#[test]
fn matches_and_highlights_are_classes_of_pieces() {
    let mut log = log_after(&[message("took 12 ms: timeout")]);
    let revision = log.revision();
    log.set_highlights(HighlightRules::parse("red: timeout").0);
    log.set_query(Query { pattern: "12".into(), ..Query::default() });
    assert!(log.revision() > revision);
    let row = row(&mut log, 0);
    assert!(row.is_whole_line());
    let RowText::Pieces(pieces) = row.text else { panic!("{:?}", row.text) };
    let classes: Vec<(&str, &str)> =
        pieces.iter().map(|piece| (piece.text.as_str(), piece.class.as_str())).collect();
    assert_eq!(classes, [("took ", ""), ("12", "ansi hit"), (" ms: ", ""), ("timeout", "ansi lit red")]);
}

#[test]
fn columns_replace_the_text_of_lines_that_have_one_of_the_fields() {
    let mut log = log_after(&[message(JSON), message("plain"), message(r#"{"other":1}"#)]);
    log.set_columns("msg,level,missing");
    let first = row(&mut log, 0);
    assert!(!first.is_whole_line() && first.more.is_none());
    let RowText::Columns(cells) = first.text else { panic!("{:?}", first.text) };
    let plain = |text: &str| vec![RowPiece::plain(text.to_owned())];
    assert_eq!(cells, [plain("no route"), plain("error"), plain("")]);
    assert!(row(&mut log, 1).is_whole_line() && row(&mut log, 2).is_whole_line());
    let widths = log.list_widths();
    assert_eq!(
        (widths.cells, widths.columns),
        (vec![8, 5, 0], 34),
        "the widest line is wider than the columns"
    );
    let revision = log.revision();
    log.set_columns("msg, level, missing");
    assert_eq!(log.revision(), revision, "the same columns");
    log.set_columns("");
    assert!(log.revision() > revision && row(&mut log, 0).is_whole_line());
    assert!(log.list_widths().cells.is_empty());
}

#[test]
fn rows_have_marks_for_the_current_match_bookmarks_and_links() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=50));
    log.set_query(Query { pattern: "line 7".into(), ..Query::default() });
    log.lay_out(true);
    log.step_match(Direction::Forward, &mut Work::slice());
    log.toggle_bookmark();
    let marks = |log: &mut LiveLog, position| row(log, position).marks;
    let of_match = RowMarks { is_current: true, is_bookmarked: true, ..RowMarks::default() };
    assert_eq!(marks(&mut log, 6), of_match);
    log.link_line(8, false);
    assert_eq!(marks(&mut log, 6), RowMarks { is_current: false, ..of_match }, "the caret has moved");
    assert_eq!(marks(&mut log, 8), RowMarks { is_current: true, is_linked: true, ..RowMarks::default() });
    assert_eq!(marks(&mut log, 7), RowMarks::default());
    let revision = log.revision();
    log.select(None);
    assert!(log.revision() > revision);
    assert_eq!(marks(&mut log, 6), of_match, "without a caret, the match is current");
}

#[test]
fn a_notice_is_never_linked() {
    let mut log = log_after(&[message("one")]);
    log.add_notice("of the page", LOST);
    log.handle_event(0, &message("two"), LOST);
    log.link_line(2, false);
    let linked = [0, 1, 2].map(|position| row(&mut log, position).marks.is_linked);
    assert_eq!(linked, [false, false, true]);
}

#[test]
fn text_that_is_not_shown_is_counted() {
    let mut log = log_after(&[]);
    log.append(&"x".repeat(4_012), LOST);
    assert_eq!(row(&mut log, 0).more.as_deref(), Some("… 12 more characters"));
}
