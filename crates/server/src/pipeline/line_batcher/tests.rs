//! The batcher against a page that reads its messages.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use tailcast_lines::{
    ansi::{AnsiReader, StyledLine},
    line_store::{LineKind, LineStore, Origin, StoreLimits},
};
use webpubsub_protocol::marks::{Mark, parts};

use super::*;
use crate::pipeline::source_lines::{UPDATE_DELAY, UPDATE_INTERVAL};

/// A page: rows, each with the name of its source, and the ends of commands.
struct Page {
    store: LineStore,
    names: Vec<String>,
    ends: Vec<String>,
}

impl Page {
    fn new() -> Self {
        Self { store: LineStore::new(StoreLimits::default()), names: vec![String::new()], ends: Vec::new() }
    }

    fn receive(&mut self, message: &str) {
        for part in parts(message) {
            let text = part.text.unwrap_or_default();
            match part.mark {
                Some(Mark::Source { publisher, name, is_unfinished }) => {
                    let source =
                        self.names.iter().position(|known| known == name).unwrap_or(self.names.len());
                    if source == self.names.len() {
                        self.names.push(name.to_owned());
                    }
                    let origin = Origin { kind: LineKind::Group, source: u16::try_from(source).unwrap() };
                    self.store.push_marked(origin, publisher, text, is_unfinished, 0.0);
                }
                Some(end @ Mark::CommandEnd { .. }) => self.ends.push(end.to_string()),
                Some(Mark::CommandStart { .. }) | None if part.text.is_some() => {
                    self.store.push_message(LineKind::Group, text, 0.0);
                }
                _ => {}
            }
        }
    }

    fn rows(&self) -> Vec<(&str, String)> {
        let row = |line: tailcast_lines::line_store::Line<'_>| {
            let styled = StyledLine {
                text: line.text.to_owned(),
                runs: line.styles.runs().collect(),
                links: line.links.to_vec(),
            };
            let name = self.names.get(usize::from(line.source)).map_or("?", String::as_str);
            (name, styled.with_escapes(0..line.text.len()))
        };
        self.store.lines_from(0).map(row).collect()
    }
}

/// A batcher with a clock, which sends its messages at once.
struct Bench {
    batcher: LineBatcher,
    now: Instant,
    messages: Vec<String>,
    counted: u64,
    read: u64,
}

impl Bench {
    fn of(publisher: Publisher) -> Self {
        let batcher = LineBatcher::new(publisher);
        Self { batcher, now: Instant::now(), messages: Vec::new(), counted: 0, read: 0 }
    }

    fn new(names: &[&str]) -> Self {
        Self::of(Publisher::of_sources(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    fn push(&mut self, source: usize, bytes: impl AsRef<[u8]>) {
        self.read += self.batcher.push(source, bytes.as_ref(), self.now);
        self.take_batches();
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
        while let Some(batch) = self.batcher.next_update(self.now) {
            assert_eq!(batch.lines, 0);
            self.messages.push(batch.text);
        }
    }

    fn take_batches(&mut self) {
        while let Some(batch) = self.batcher.next_batch() {
            self.counted += batch.lines;
            self.messages.push(batch.text);
        }
    }

    fn finish(&mut self) -> &[String] {
        self.read += self.batcher.finish();
        self.take_batches();
        self.counted += self.batcher.take_shown_lines();
        assert_eq!(self.counted, self.read);
        &self.messages
    }

    fn page(&self) -> Page {
        let mut page = Page::new();
        self.messages.iter().for_each(|message| page.receive(message));
        page
    }
}

/// Returns the messages for chunks of the main source that come at once.
fn messages(chunks: &[&[u8]]) -> (Vec<String>, InputWarnings) {
    let mut bench = Bench::new(&[""]);
    chunks.iter().for_each(|chunk| bench.push(0, chunk));
    (bench.finish().to_vec(), bench.batcher.warnings())
}

#[test]
fn whole_lines_are_sent_immediately_and_without_marks() {
    let (messages, _) = messages(&[b"one\n", b"two\nthr", b"ee\n", b"four"]);
    assert_eq!(messages, ["one", "two", "three", "four"]);
}

#[test]
fn empty_lines_are_rows_also_at_the_end_of_a_message() {
    for (chunks, expected, rows) in [
        (&[&b"\n"[..]][..], &[""][..], 1),
        (&[b"\n\na\n\n"], &["\n\na\n\n"], 4),
        (&[b"a\n", b"\n", b"\n\n"], &["a", "", "\n\n"], 4),
        (&[b""], &[], 0),
    ] {
        let (sent, _) = messages(chunks);
        assert_eq!(sent, expected);
        let mut page = Page::new();
        sent.iter().for_each(|message| page.receive(message));
        assert_eq!(page.rows().len(), rows, "{sent:?}");
    }
}

#[test]
fn messages_are_bounded_also_for_empty_lines_and_for_many_sources() {
    const LINES: usize = 200_000;
    let mut bench = Bench::new(&[""]);
    bench.push(0, "\n".repeat(LINES));
    bench.finish();
    assert!(bench.messages.iter().all(|message| message.len() <= MAX_BATCH_BYTES + 2));
    assert!(bench.messages.len() < 10 && bench.page().store.next_id() == LINES as u64);
    let mut bench = Bench::new(&["a.log", "b.log"]);
    for number in 0..20_000 {
        bench.read += bench.batcher.push(number % 2, b"x\n", bench.now);
    }
    bench.take_batches();
    assert!(bench.messages.len() > 3);
    assert!(bench.messages.iter().all(|message| message.len() <= MAX_BATCH_BYTES + 100));
    assert_eq!(bench.page().store.next_id(), 20_000);
}

#[test]
fn parts_of_an_endless_line_are_not_sent_again_while_it_grows() {
    let mut bench = Bench::new(&[""]);
    for _ in 0..100 {
        bench.push(0, "x".repeat(10_000));
        bench.pass(200);
    }
    let expected = "x".repeat(1_000_000);
    // The beginning is shown before it is clear that the line is split.
    let parts: String =
        bench.messages.iter().filter(|message| !message.contains('+')).map(String::as_str).collect();
    bench.pass(1_000);
    assert!(bench.messages.last().is_some_and(|last| last.contains('+')));
    bench.finish();
    assert!(expected.starts_with(parts.trim_start_matches(|c| c != '\u{7}').trim_start_matches('\u{7}')));
    assert_eq!(bench.page().rows().iter().map(|(_, row)| row.len()).sum::<usize>(), 1_000_000);
}

#[test]
fn a_link_that_is_not_closed_ends_with_its_message() {
    let message = |lines: &str| {
        let mut text = String::new();
        append_lines(&mut text, lines, &mut AnsiReader::default());
        text
    };
    let (open, close) = ("\u{1b}]8;id=1;https://h\u{7}", "\u{1b}]8;;\u{7}");
    assert_eq!(message(&format!("a{open}b")), format!("a{open}b\u{1b}]8;;\u{1b}\\"));
    for complete in [format!("a{open}b{close}c"), format!("{close}c"), "\u{1b}]8;".to_owned(), "a".to_owned()]
    {
        assert_eq!(message(&complete), complete);
    }
}

#[test]
fn every_message_begins_with_the_style_of_its_first_line_and_ends_it() {
    let (messages, _) =
        messages(&[b"\x1b[1;31mfailed\n", b"still red\n", b"\x1b[m\x1b[32mgreen\x1b[0m\n", b"plain\n"]);
    assert_eq!(
        messages,
        [
            "\u{1b}[1;31mfailed\u{1b}[m",
            "\u{1b}[0;1;31mstill red\u{1b}[m",
            "\u{1b}[0;1;31m\u{1b}[m\u{1b}[32mgreen\u{1b}[0m",
            "plain"
        ]
    );
}

#[test]
fn lines_over_the_limit_are_split_between_characters() {
    let exact = "x".repeat(MAX_LINE_BYTES);
    let (whole, warnings) = messages(&[format!("{exact}\n").as_bytes()]);
    assert_eq!((whole, warnings.split_lines), (vec![exact], 0));
    let long = "é".repeat(MAX_LINE_BYTES);
    let (pieces, warnings) = messages(&[long.as_bytes()]);
    assert_eq!((pieces.concat(), warnings.split_lines, warnings.invalid_lines), (long, 1, 0));
}

#[test]
fn invalid_utf8_is_replaced_and_counted_by_line() {
    let (messages, warnings) = messages(&[b"ok\nbad \xff\xfe\nalso \xff\nnul \0\n"]);
    assert_eq!(messages, ["ok\nbad \u{fffd}\u{fffd}\nalso \u{fffd}\nnul \0"]);
    assert_eq!((warnings.invalid_lines, warnings.nul_lines), (2, 1));
}

#[test]
fn an_unfinished_line_is_sent_after_its_delay_and_replaced_by_the_next_message() {
    let mut bench = Bench::new(&[""]);
    bench.push(0, "start\nContinue? [y/N] ");
    bench.pass(49);
    assert_eq!(bench.messages, ["start"]);
    bench.pass(1);
    assert_eq!(bench.page().rows(), [("", "start".into()), ("", "Continue? [y/N] ".into())]);
    bench.push(0, "y\nnext\n");
    assert_eq!(bench.page().rows().len(), 3);
    assert_eq!(bench.page().rows()[1], ("", "Continue? [y/N] y".into()));
    bench.push(0, "plain\n");
    assert_eq!(bench.messages.last().map(String::as_str), Some("plain"), "no mark is needed any more");
}

#[test]
fn a_line_that_never_rests_is_sent_ten_times_a_second_as_what_it_shows() {
    let mut bench = Bench::new(&[""]);
    for step in 0..1_000 {
        bench.push(0, format!("\r\u{1b}[32m{step:3}%\u{1b}[m"));
        bench.pass(1);
        assert_eq!(bench.page().rows().len().min(1), bench.messages.len().min(1));
    }
    assert!((9..=11).contains(&bench.messages.len()), "{:?}", bench.messages);
    assert!(bench.messages.iter().all(|message| !message.contains('\r')), "{:?}", bench.messages);
    bench.push(0, "\rdone\u{1b}[K\n");
    assert_eq!(bench.page().rows(), [("", "done".into())]);
}

#[test]
fn a_line_that_did_not_change_is_not_sent_again_also_at_the_end() {
    let mut bench = Bench::new(&[""]);
    bench.push(0, "prompt> ");
    bench.pass(500);
    bench.push(0, "\u{1b}[m");
    bench.pass(500);
    assert_eq!(bench.finish().len(), 1);
    assert_eq!(bench.page().rows(), [("", "prompt> ".into())]);
}

#[test]
fn a_progress_bar_of_any_length_is_one_line() {
    let bar: String =
        (0..3_000).map(|step| format!("\rbig.tar |{:-<40}| {step}/3000", "#".repeat(step / 75))).collect();
    assert!(bar.len() > 2 * MAX_LINE_BYTES);
    let mut bench = Bench::new(&[""]);
    bench.push(0, bar + "\nafter\n");
    let warnings = bench.batcher.warnings();
    bench.finish();
    let rows = bench.page().rows().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(rows, [format!("big.tar |{}-| 2999/3000", "#".repeat(39)), "after".to_owned()]);
    assert_eq!(warnings.split_lines, 0);
}

fn texts(bench: &Bench) -> Vec<String> {
    bench.page().rows().into_iter().map(|(_, text)| text.trim_end().to_owned()).collect()
}

#[test]
fn rows_that_are_overwritten_by_moving_the_cursor_up_are_the_same_live() {
    let mut bench = Bench::new(&[""]);
    for outer in 0..3 {
        bench.push(0, format!("\router: {outer}/2"));
        bench.pass(120);
        for inner in 0..20 {
            bench.push(0, format!("\n\rinner: {inner}/19\x1b[A"));
            bench.pass(if inner % 2 == 0 { 120 } else { 10 });
        }
    }
    bench.push(0, "\n\x1b[2K\x1b[A\router: done\n");
    bench.finish();
    assert_eq!(texts(&bench), ["outer: done", ""]);
}

#[test]
fn rows_are_overwritten_by_a_line_of_any_length() {
    let mut bench = Bench::new(&[""]);
    bench.push(0, "pulling\r\na: waiting\r\nb: waiting\r\n");
    for step in 0..3_000 {
        for (up, name) in [(2, "a"), (1, "b")] {
            bench.push(0, format!("\x1b[{up}A\x1b[2K\r{name}: {}{step}\r\x1b[{up}B", "#".repeat(step / 75)));
        }
    }
    bench.push(0, "done\r\n");
    bench.finish();
    let bar = format!("{}2999", "#".repeat(39));
    assert_eq!(
        texts(&bench),
        ["pulling".to_owned(), format!("a: {bar}"), format!("b: {bar}"), "done".to_owned()]
    );
    assert!(bench.messages.iter().all(|message| message.len() <= 2 * MAX_BATCH_BYTES));
}

#[test]
fn sources_are_marked_where_they_change_and_do_not_colour_each_other() {
    let mut bench = Bench::new(&["a.log", "b.log"]);
    for (source, text) in [(0, "\u{1b}[44mone\n"), (0, "two\n"), (1, "plain\nplain\n"), (0, "three\n")] {
        bench.read += bench.batcher.push(source, text.as_bytes(), bench.now);
    }
    bench.take_batches();
    let [message] = bench.messages.as_slice() else { panic!("{:?}", bench.messages) };
    assert_eq!(message.matches("\u{1b}]7717;").count(), 3);
    let blue = |text: &str| format!("\u{1b}[0;44m{text}\u{1b}[m");
    let page = bench.page();
    assert_eq!(
        page.rows(),
        [
            ("a.log", blue("one")),
            ("a.log", blue("two")),
            ("b.log", "plain".into()),
            ("b.log", "plain".into()),
            ("a.log", blue("three"))
        ]
    );
}

#[test]
fn the_main_source_is_marked_only_after_another_one() {
    let mut bench = Bench::new(&["", "stderr"]);
    bench.push(0, "out\n");
    bench.push(1, "error\n");
    bench.push(0, "out again\n");
    assert_eq!([&bench.messages[0], &bench.messages[2]], ["out", "out again"]);
    bench.read += bench.batcher.push(1, b"e\n", bench.now) + bench.batcher.push(0, b"o\n", bench.now);
    bench.take_batches();
    let page = bench.page();
    let names: Vec<&str> = page.rows().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["", "stderr", "", "stderr", ""]);
}

#[test]
fn start_and_end_of_a_command_are_marked_and_have_no_rows() {
    for (input, rows) in [("", 0), ("\n", 1), ("\n\n", 2), ("one\n", 1), ("prompt", 1)] {
        let mut bench = Bench::of(Publisher::of_command(vec![String::new()]));
        bench.messages.extend(bench.batcher.start_command().map(|batch| batch.text));
        bench.push(0, input);
        bench.pass(100);
        bench.finish();
        let end = CommandEnd { exit_code: Some(2), duration: Duration::from_secs(192) };
        bench.messages.push(bench.batcher.end_command(end).text);
        let all = bench.messages.concat();
        assert_eq!((all.matches("]133;C;").count(), all.matches("]133;D;2;").count()), (1, 1));
        assert!(all.find("]133;C;") < all.find("]133;D;2;") && all.contains("time=192.0"), "{all:?}");
        assert_eq!((bench.page().rows().len(), bench.page().ends.len()), (rows, 1), "{input:?}");
    }
}

#[test]
fn marks_in_the_input_are_text() {
    let mut bench = Bench::new(&[""]);
    bench.push(0, "\u{1b}]7717;abc;fake: \u{7}line\n\u{1b}]133;D;0;aid=abc\u{7}\n");
    assert_eq!((bench.page().names.len(), bench.page().ends.len(), bench.page().rows().len()), (1, 0, 2));
}

#[test]
fn an_unfinished_line_moves_to_another_source() {
    let mut bench = Bench::new(&["", ""]);
    bench.push(0, "beg");
    bench.pass(50);
    bench.batcher.move_line(0, 1);
    bench.push(0, "new\n");
    bench.push(1, "un\n");
    bench.finish();
    assert_eq!(bench.page().rows(), [("", "begun".into()), ("", "new".into())]);
}

/// Bytes as commands write them: text, colours, carriage returns, unfinished and invalid sequences.
fn any_output() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-zé日 ]{0,12}".prop_map(String::into_bytes),
        3 => Just(b"\n".to_vec()),
        2 => Just(b"\r".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(b"\x08".to_vec()),
        2 => "\u{1b}\\[(0|1|31|44|39|38;5;200)?m".prop_map(String::into_bytes),
        1 => "\u{1b}\\[[0-3]?[KCDG]".prop_map(String::into_bytes),
        1 => "\u{1b}\\]8;;(https://x/)?\u{7}".prop_map(String::into_bytes),
        1 => Just(b"\x1b[3".to_vec()),
        1 => Just(b"\xff".to_vec()),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Returns the rows that a terminal without an end shows.
fn expected_rows(bytes: &[u8]) -> Vec<String> {
    let mut reader = AnsiReader::default();
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if lines.last() == Some(&&b""[..]) {
        lines.pop();
    }
    let row = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        let styled = reader.read_line(text.strip_suffix('\r').unwrap_or(&text));
        styled.with_escapes(0..styled.text.len())
    };
    lines.into_iter().map(row).collect()
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_and_any_timing_give_the_same_rows(
        bytes in any_output(),
        cuts in vec((1..12_usize, prop_oneof![Just(0_u64), 0..120_u64]), 1..12),
    ) {
        let mut bench = Bench::new(&[""]);
        let (mut rest, mut cuts) = (&bytes[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (length, pause) = cuts.next().unwrap();
            let (chunk, later) = rest.split_at(length.min(rest.len()));
            bench.push(0, chunk);
            bench.pass(pause);
            rest = later;
        }
        bench.finish();
        let rows: Vec<String> = bench.page().rows().into_iter().map(|(_, text)| text).collect();
        // An unfinished last line that shows nothing is no row while it is unfinished, and one at the end.
        prop_assert_eq!(rows, expected_rows(&bytes));
    }

    #[test]
    fn rows_above_are_overwritten_alike_by_any_split_and_timing(
        pieces in vec(prop_oneof!["[a-zé日\t ]{0,6}", Just("\n".to_owned()), Just("\r".to_owned()), "\u{1b}\\[[0-9]{0,2}[ABCDEFGIJKPXZ@mb]"], 1..40),
        cuts in vec((1..12_usize, prop_oneof![Just(0_u64), 0..120_u64]), 1..12),
    ) {
        let bytes = format!("\r{}", pieces.concat()).into_bytes();
        let mut whole = Bench::new(&[""]);
        whole.push(0, &bytes);
        whole.finish();
        let mut bench = Bench::new(&[""]);
        let (mut rest, mut cuts) = (&bytes[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (length, pause) = cuts.next().unwrap();
            let (chunk, later) = rest.split_at(length.min(rest.len()));
            bench.push(0, chunk);
            bench.pass(pause);
            rest = later;
        }
        bench.finish();
        let (page, expected) = (bench.page(), whole.page());
        prop_assert_eq!(page.rows(), expected.rows());
    }

    #[test]
    fn a_page_that_is_opened_in_between_shows_the_same_rows(bytes in any_output(), cut in 1..12_usize, first in 0..20_usize) {
        let mut bench = Bench::new(&["", "stderr"]);
        for (number, chunk) in bytes.chunks(cut).enumerate() {
            bench.push(number % 3 / 2, chunk);
            bench.pass(u64::try_from(number).unwrap() * 7 % 90);
        }
        bench.finish();
        let mut late = Page::new();
        let first = first.min(bench.messages.len());
        bench.messages[first..].iter().for_each(|message| late.receive(message));
        let page = bench.page();
        for name in ["", "stderr"] {
            let of_source = |rows: Vec<(&str, String)>| {
                rows.into_iter().filter(|(of, _)| *of == name).map(|(_, text)| text).collect::<Vec<_>>()
            };
            let (rows, late_rows) = (of_source(page.rows()), of_source(late.rows()));
            prop_assert!(rows.ends_with(&late_rows), "{:?} does not end with {:?}", rows, late_rows);
        }
    }

    #[test]
    fn rows_of_long_lines_depend_on_neither_split_nor_timing(
        pieces in vec(prop_oneof!["[a-z]{500}", "\r[a-z]{300}", "\u{1b}\\[3[1-4]m[a-z]{200}", Just("\n".to_owned())], 20..40),
        cuts in vec((1..60_000_usize, 0..120_u64), 1..12),
    ) {
        let bytes = pieces.iter().map(|piece| piece.repeat(12)).collect::<String>().into_bytes();
        let mut whole = Bench::new(&[""]);
        whole.push(0, &bytes);
        whole.finish();
        let mut bench = Bench::new(&[""]);
        let (mut rest, mut cuts) = (&bytes[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (length, pause) = cuts.next().unwrap();
            let (chunk, later) = rest.split_at(length.min(rest.len()));
            bench.push(0, chunk);
            bench.pass(pause);
            rest = later;
        }
        bench.finish();
        let (page, expected) = (bench.page(), whole.page());
        prop_assert_eq!(page.rows(), expected.rows());
        prop_assert!(bench.messages.iter().all(|message| message.len() <= 2 * MAX_BATCH_BYTES));
    }
}

#[test]
fn updates_are_due_after_the_delay_and_the_interval() {
    let mut bench = Bench::new(&[""]);
    assert_eq!(bench.batcher.next_update_at(), None);
    bench.push(0, "a");
    assert_eq!(bench.batcher.next_update_at(), Some(bench.now + UPDATE_DELAY));
    bench.pass(60);
    assert_eq!((bench.messages.len(), bench.batcher.next_update_at()), (1, None));
    bench.push(0, "b");
    assert_eq!(bench.batcher.next_update_at(), Some(bench.now + UPDATE_INTERVAL));
}
