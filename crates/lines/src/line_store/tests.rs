//! The store against a plain list that forgets nothing.

use proptest::{collection::vec, prelude::*};

use super::*;

const KINDS: [LineKind; 3] = [LineKind::Group, LineKind::Server, LineKind::Notice];

fn limits(lines: usize, bytes: usize) -> StoreLimits {
    StoreLimits { lines, bytes, line_bytes: MAX_LINE_BYTES }
}

fn texts(store: &LineStore) -> Vec<&str> {
    (store.first_id()..store.next_id()).filter_map(|id| store.line(id)).map(|line| line.text).collect()
}

#[test]
fn a_message_is_as_many_lines_as_line_ends_divide_it_into() {
    for (message, lines) in [
        ("", vec![""]),
        ("one", vec!["one"]),
        ("one\ntwo", vec!["one", "two"]),
        ("one\n", vec!["one"]),
        ("one\n\n", vec!["one", ""]),
        ("\n", vec![""]),
        ("\n\n", vec!["", ""]),
        ("one\r\n", vec!["one"]),
        ("one\r\ntwo\r\n\r\nthree\r", vec!["one", "two", "", "three"]),
        ("50%\r100%\r\r\n", vec!["100%"]),
    ] {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, message, 0.0);
        assert_eq!(texts(&store), lines, "{message:?}");
    }
}

#[test]
fn a_line_knows_who_spoke_and_when() {
    let mut store = LineStore::new(StoreLimits::default());
    store.push_message(LineKind::Server, "a\tb", 12.5);
    let line = store.line(0).unwrap();
    assert_eq!((line.id, line.kind, line.columns(), line.arrived_ms), (0, LineKind::Server, 9, 12.5));
    assert_eq!(store.line(1), None);
}

#[test]
fn no_style_carries_over_to_the_next_message() {
    let mut store = LineStore::new(StoreLimits::default());
    store.push_message(LineKind::Group, "\u{1b}[1;31mbuild failed\nstill red", 0.0);
    store.push_message(LineKind::Group, "plain", 0.0);
    let is_plain: Vec<bool> = store.lines_from(0).map(|line| line.styles.is_plain()).collect();
    assert_eq!(is_plain, [false, false, true]);
}

#[test]
fn a_line_beyond_the_limit_is_cut_between_characters_and_the_rest_is_counted() {
    let mut store = LineStore::new(StoreLimits { line_bytes: 10, ..StoreLimits::default() });
    store.push_message(LineKind::Group, "before\n123456789éàü\nafter", 0.0);
    assert_eq!(texts(&store), ["before", "123456789", "after"]);
    let cut: Vec<u64> = (0..3).filter_map(|id| store.line(id)).map(|line| line.cut_bytes).collect();
    assert_eq!(cut, [0, 6, 0]);
}

#[test]
fn a_line_behind_one_that_was_cut_is_not_taken_for_cut() {
    let mut store = LineStore::new(StoreLimits { line_bytes: 4_000, ..StoreLimits::default() });
    let two_colours = "\u{1b}[31ma\u{1b}[32mb".repeat(2_000);
    store.push_message(LineKind::Group, &format!("{two_colours}\n{{\"whole\":true}}"), 0.0);
    let cut: Vec<bool> = store.lines_from(0).map(|line| line.cut_bytes > 0).collect();
    assert_eq!(cut, [true, false]);
    assert!(store.line(1).unwrap().is_json());
}

#[test]
fn notices_are_lines_but_are_not_counted_as_received() {
    let mut store = LineStore::new(limits(4, MAX_BYTES));
    for (kind, text) in
        [(KINDS[2], "gap"), (KINDS[0], "a"), (KINDS[2], "gap"), (KINDS[1], "b"), (KINDS[0], "c")]
    {
        store.push_message(kind, text, 0.0);
    }
    assert_eq!(texts(&store), ["a", "gap", "b", "c"]);
    assert_eq!(store.counts(), LineCounts { received: 3, held: 3, dropped: 0 });
    assert_eq!((store.number_of(1), store.number_of(3), store.number_of(5)), (1, 2, 4));
    store.push_message(LineKind::Group, "d", 0.0);
    assert_eq!(store.counts(), LineCounts { received: 4, held: 3, dropped: 1 });
}

#[test]
fn all_lines_may_be_dropped_and_those_to_come_are_numbered_on() {
    let limit = 1 << 20;
    let mut store = LineStore::new(limits(MAX_LINES, limit));
    let flood = |store: &mut LineStore| {
        for text in ["x".repeat(300), vec!["0123456789"; 20_000].join("\n")] {
            store.push_message(LineKind::Group, &text, 0.0);
        }
    };
    flood(&mut store);
    store.push_message(LineKind::Notice, "a gap", 0.0);
    let (next, reserved) = (store.next_id(), store.reserved_bytes());
    drop(store.clear());
    assert!(store.is_empty() && store.line(next - 1).is_none());
    assert_eq!((store.first_id(), store.next_id(), store.widest_columns()), (next, next, 0));
    assert_eq!(store.counts(), LineCounts { received: 20_001, held: 0, dropped: 20_001 });
    store.push_message(LineKind::Group, "new", 0.0);
    assert_eq!(texts(&store), ["new"]);
    assert_eq!(store.line(next).map(|line| line.text), Some("new"));
    assert_eq!(store.counts(), LineCounts { received: 20_002, held: 1, dropped: 20_001 });
    flood(&mut store);
    assert!(store.reserved_bytes() <= reserved.max(limit), "memory of cleared lines does not count");
    drop(store.clear());
    drop(store.clear());
    assert!(store.is_empty());
}

#[test]
fn lines_around_one_that_needs_a_larger_chunk_stay_apart() {
    let colourful: String = (0..8_000).map(|at| format!("\u{1b}[38;5;{}mtext ", at % 256)).collect();
    let mut store = LineStore::new(StoreLimits::default());
    for _ in 0..3 {
        store.push_message(
            LineKind::Group,
            &format!("before\n{colourful}\nafter\n{}", "plain ".repeat(20_000)),
            0.0,
        );
    }
    let widths: Vec<usize> = texts(&store).iter().map(|text| text.len()).collect();
    assert_eq!(widths, [6, 40_000, 5, 120_000].repeat(3));
    let line = store.line(5).unwrap();
    assert_eq!(line.styles.runs().count(), 8_000);
    assert_ne!(line.styles.at(0), line.styles.at(5));
}

#[test]
fn endless_output_takes_no_more_memory_than_the_limit() {
    let limit = 1 << 20;
    let mut store = LineStore::new(limits(MAX_LINES, limit));
    for round in 0..40 {
        store.push_message(LineKind::Group, &"x".repeat(round * 1_600), 0.0);
        store.push_message(LineKind::Group, &vec!["0123456789"; 10_000].join("\n"), 0.0);
        assert!(store.reserved_bytes() <= limit);
    }
    assert!(store.reserved_bytes() > limit / 2);
    assert_eq!(store.counts().received, 40 * 10_001);
}

#[test]
fn the_widest_line_is_forgotten_with_its_chunk() {
    let mut store = LineStore::new(limits(32, MAX_BYTES));
    store.push_message(LineKind::Group, &"w".repeat(300), 0.0);
    store.push_message(LineKind::Group, &["narrow"; 20].join("\n"), 0.0);
    assert_eq!(store.widest_columns(), 300);
    store.push_message(LineKind::Group, &["narrow"; 20].join("\n"), 0.0);
    assert_eq!(store.widest_columns(), 6);
}

fn any_message() -> impl Strategy<Value = (usize, String)> {
    (0..KINDS.len(), prop_oneof!["[a-zé\\t\n]{0,40}", "[ab]{0,200}", "(0123456789){0,60}\n?"])
}

proptest! {
    #[test]
    fn the_newest_lines_are_held_in_order_within_the_limits_and_the_others_are_counted(
        messages in vec(any_message(), 0..200),
        max_lines in 1_usize..300,
        max_bytes in 1_usize << 10..1 << 15,
    ) {
        let mut store = LineStore::new(limits(max_lines, max_bytes));
        let mut all: Vec<(usize, String)> = Vec::new();
        for (kind, message) in messages {
            store.push_message(KINDS[kind], &message, 0.0);
            let lines = message.strip_suffix('\n').unwrap_or(&message).split('\n');
            all.extend(lines.map(|line| (kind, line.to_owned())));

            prop_assert!(store.len() <= max_lines);
            prop_assert!(store.reserved_bytes() <= max_bytes);
            prop_assert_eq!(store.next_id(), all.len() as u64);
            prop_assert!(!store.is_empty());
        }
        let first = usize::try_from(store.first_id()).unwrap();
        let mut widest = 0;
        for (id, (kind, text)) in all.iter().enumerate().skip(first) {
            let line = store.line(id as u64).unwrap();
            prop_assert_eq!(line.kind, KINDS[*kind]);
            prop_assert!(text.starts_with(line.text));
            prop_assert_eq!(line.cut_bytes, (text.len() - line.text.len()) as u64);
            widest = widest.max(line.columns());
        }
        prop_assert_eq!(store.widest_columns(), widest);
        prop_assert!(first == 0 || store.line(first as u64 - 1).is_none());

        let spoken = |lines: &[(usize, String)]| lines.iter().filter(|(kind, _)| *kind != 2).count() as u64;
        let counts = store.counts();
        prop_assert_eq!(counts.received, spoken(&all));
        prop_assert_eq!(counts.held, spoken(&all[first..]));
        prop_assert_eq!(counts.dropped, spoken(&all[..first]));
    }
}

#[test]
fn cleared_lines_are_restored_before_those_received_since() {
    let mut store = LineStore::new(StoreLimits::default());
    store.push_message(LineKind::Group, "one\na much wider line", 1.0);
    store.push_message(LineKind::Notice, "gap", 2.0);
    let before = (store.reserved_bytes(), store.widest_columns());
    let cleared = store.clear();
    assert!(store.is_empty() && store.widest_columns() == 0 && store.reserved_bytes() == 0);
    assert_eq!(store.counts(), LineCounts { received: 2, held: 0, dropped: 2 });
    store.push_message(LineKind::Group, "two", 3.0);
    assert_eq!((store.first_id(), store.id_of_number(3)), (3, Some(3)));
    assert!(store.restore(cleared));
    assert_eq!(texts(&store), ["one", "a much wider line", "gap", "two"]);
    assert_eq!(store.counts(), LineCounts { received: 3, held: 3, dropped: 0 });
    assert_eq!((store.widest_columns(), store.id_of_number(3)), (before.1, Some(3)));
    assert!(store.reserved_bytes() > before.0);
}

#[test]
fn cleared_lines_are_not_restored_when_lines_received_since_were_dropped() {
    let mut store = LineStore::new(limits(32, 1 << 20));
    store.push_message(LineKind::Group, "old", 0.0);
    let cleared = store.clear();
    for number in 0..40 {
        store.push_message(LineKind::Group, &number.to_string(), 0.0);
    }
    let held = texts(&store).len();
    assert!(!store.restore(cleared));
    assert_eq!(texts(&store).len(), held);
}

#[test]
fn restored_lines_stay_within_the_limits() {
    let mut store = LineStore::new(limits(64, 64 << 10));
    let long = "x".repeat(1_000);
    let fill = |store: &mut LineStore, count: usize| {
        (0..count).for_each(|_| store.push_message(LineKind::Group, &long, 0.0));
    };
    fill(&mut store, 50);
    let cleared = store.clear();
    fill(&mut store, 40);
    assert!(store.restore(cleared));
    assert!(store.len() <= 64 && store.reserved_bytes() <= 64 << 10, "{} lines", store.len());
    assert_eq!(store.next_id(), 90);
    let ids: Vec<u64> = store.lines_from(0).map(|line| line.id).collect();
    assert_eq!(ids, (store.first_id()..90).collect::<Vec<_>>());
}
