//! Records of several languages, and properties of all of them.

use proptest::prelude::*;

use super::*;

/// Returns the records of a text: their levels and counts of lines.
fn records(text: &str) -> Vec<(Option<Level>, usize)> {
    let mut grouper = RecordGrouper::default();
    let mut records: Vec<(Option<Level>, usize)> = Vec::new();
    for line in text.lines() {
        match grouper.place(line, level_of(line)) {
            RecordPlace::First(level) => records.push((level, 1)),
            RecordPlace::Continuation => {
                records.iter_mut().last().into_iter().for_each(|(_, lines)| *lines += 1)
            }
        }
    }
    records
}

const ERROR: Option<Level> = Some(Level::Error);
const INFO: Option<Level> = Some(Level::Info);

#[test]
fn a_stack_trace_of_java_belongs_to_its_error() {
    let text = "12:00:01 ERROR request failed
java.lang.IllegalStateException: no pool
\tat com.x.Pool.get(Pool.java:10)
Caused by: java.io.IOException: refused
\t... 2 more
12:00:02 INFO next
Exception in thread \"main\" java.lang.NullPointerException
\tat Main.main(Main.java:3)
\tSuppressed: java.lang.Error
12:00:03 INFO last";
    assert_eq!(records(text), [(ERROR, 5), (INFO, 1), (ERROR, 3), (INFO, 1)]);
}

#[test]
fn a_traceback_of_python_is_an_error_of_its_own_or_part_of_one() {
    let traceback = "Traceback (most recent call last):
  File \"a.py\", line 1, in <module>
ValueError: bad";
    let chain = "\n\nDuring handling of the above exception, another exception occurred:\n\n";
    assert_eq!(
        records(&format!("12:00:02 INFO next\n{traceback}\nINFO after")),
        [(INFO, 1), (ERROR, 3), (INFO, 1)]
    );
    assert_eq!(records(&format!("ERROR:root:failed\n{traceback}\nINFO after")), [(ERROR, 4), (INFO, 1)]);
    assert_eq!(records(&format!("{traceback}{chain}{traceback}\ndone 3")), [(ERROR, 9), (None, 1)]);
}

#[test]
fn an_error_of_node_has_its_frames_and_fields() {
    let text = "TypeError: Cannot read properties of undefined
    at run (/app/index.js:1:2) {
  code: 'E'
}
listening";
    assert_eq!(records(text), [(ERROR, 4), (None, 1)]);
    assert_eq!(records("Error: boom\n    at run (/app/index.js:1:2)\nok"), [(ERROR, 2), (None, 1)]);
}

#[test]
fn a_panic_of_go_has_its_goroutines() {
    let text = "panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.run(...)
\t/tmp/x.go:8 +0x1d
main.(*Server).handle(0x0, {0x1, 0x2})
\t/tmp/x.go:9 +0x1d
created by main.main in goroutine 1
\t/tmp/x.go:3
exit status 2
starting again";
    assert_eq!(records(text), [(ERROR, 10), (None, 1)]);
}

#[test]
fn a_panic_of_rust_has_its_message_notes_and_backtrace() {
    let text = "thread 'main' panicked at src/main.rs:2:5:
called `Option::unwrap()` on a `None` value
stack backtrace:
   0: rust_begin_unwind
             at /rustc/library/std/src/panicking.rs:5
note: run with `RUST_BACKTRACE=1`
next";
    assert_eq!(records(text), [(ERROR, 6), (None, 1)]);
    assert_eq!(records("thread 'a' panicked at 'msg', src/a.rs:1\nnote: run\nnext"), [(ERROR, 2), (None, 1)]);
    assert_eq!(records("Error: no file\n\nCaused by:\n    not found\nnext"), [(ERROR, 4), (None, 1)]);
}

#[test]
fn an_exception_of_dotnet_has_inner_ones() {
    let text = "Unhandled exception. System.InvalidOperationException: no
 ---> System.IO.IOException: refused
   at A.B() in /a.cs:line 5
   --- End of inner exception stack trace ---
--- End of stack trace from previous location ---
   at Program.Main()
ok";
    assert_eq!(records(text), [(ERROR, 6), (None, 1)]);
}

#[test]
fn errors_of_ruby_and_php_have_their_frames() {
    let ruby = "main.rb:1:in `run': no file (RuntimeError)\n\tfrom main.rb:3:in `<main>'\nok";
    assert_eq!(records(ruby), [(ERROR, 2), (None, 1)]);
    let php = "PHP Fatal error:  Uncaught Exception: no in /x.php:3
Stack trace:
#0 /x.php(7): run()
#1 {main}
  thrown in /x.php on line 3
ok";
    assert_eq!(records(php), [(ERROR, 5), (None, 1)]);
}

#[test]
fn indented_lines_continue_a_line_and_others_do_not() {
    assert_eq!(
        records("commit 1\n    message\n\n    more\nnext"),
        [(None, 2), (None, 1), (None, 1), (None, 1)]
    );
    assert_eq!(records("{\n  \"a\": [\n    1\n  ]\n}\nnext"), [(None, 5), (None, 1)]);
    // Numbers and levels that are aligned to the right.
    assert_eq!(records("     1 one\n    22 two\n   333 three").len(), 3);
    assert_eq!(records(" INFO one\n\tat a\n  WARN two"), [(INFO, 2), (Some(Level::Warning), 1)]);
    assert_eq!(
        records("ERROR one\n INFO two\n WARN three"),
        [(ERROR, 1), (INFO, 1), (Some(Level::Warning), 1)]
    );
    assert_eq!(records("INFO one\nTypeError: two\nINFO three"), [(INFO, 1), (ERROR, 1), (INFO, 1)]);
    assert_eq!(records("#1 first\n}\nnote: x"), [(None, 1), (None, 1), (None, 1)]);
}

proptest! {
    #[test]
    fn an_indented_line_continues_the_one_before_it(
        lines in prop::collection::vec("( |\t|Traceback \\(most recent call last\\)|goroutine 1 \\[x\\]:|Caused by:|#0 |note: |[aE]rror: |INFO |x\\.yError|}|\\PC){0,4}", 0..40)
    ) {
        let mut grouper = RecordGrouper::default();
        // Whether the line before begins a record, and is not indented.
        let mut follows_first = false;
        for (at, line) in lines.iter().enumerate() {
            let place = grouper.place(line, level_of(line));
            if at == 0 {
                prop_assert!(matches!(place, RecordPlace::First(_)), "{:?}", line);
            }
            let (is_empty, is_indented) = (line.trim_ascii().is_empty(), line.starts_with([' ', '\t']));
            if follows_first && is_indented && !is_empty && level_of(line).is_none() {
                prop_assert_eq!(place, RecordPlace::Continuation, "{:?}", line);
            }
            follows_first = matches!(place, RecordPlace::First(_)) && !is_empty && !is_indented;
        }
    }

    #[test]
    fn lines_before_a_line_with_a_time_do_not_matter(lines in prop::collection::vec(" {0,2}[a-zA-Z:()]{0,12}", 0..20)) {
        let end = "2026-01-02 INFO next";
        let place = |lines: &[String]| {
            let mut grouper = RecordGrouper::default();
            for line in lines {
                grouper.place(line, level_of(line));
            }
            grouper.place(end, level_of(end))
        };
        prop_assert_eq!(place(&lines), RecordPlace::First(INFO));
    }
}

#[test]
fn a_record_is_limited() {
    let text = format!("head\n{}", " x\n".repeat(MAX_RECORD_LINES as usize));
    assert_eq!(records(&text), [(None, MAX_RECORD_LINES as usize), (None, 1)]);
}
