//! Records: lines that belong together, such as an error and its stack trace.
//!
//! A line that is indented more than the first line of the record before it continues that record. So do the lines of a stack trace that are not indented: of Java and other
//! languages of its virtual machine, Python, Node.js, Go, Rust, .NET, Ruby and PHP. A stack trace belongs to the line before it if
//! that is an error or a warning; otherwise it is a record of its own, and an error.

use crate::level::{Level, level_of};

/// Maximum count of lines of a record. A further line begins another one.
pub const MAX_RECORD_LINES: u32 = 2_000;
/// Width of a tab, about.
const TAB_COLUMNS: usize = 8;
/// Maximum length of the name of an exception, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// Beginnings of lines that begin a stack trace, or a report that has one.
const TRACE_STARTS: [(&str, Trace); 14] = [
    ("Traceback (most recent call last)", Trace::Python),
    ("Exception in thread ", Trace::Frames),
    ("Unhandled exception", Trace::Frames),
    ("Unhandled Exception", Trace::Frames),
    ("Uncaught ", Trace::Frames),
    ("goroutine ", Trace::Go),
    ("panic: ", Trace::Go),
    ("fatal error: ", Trace::Go),
    ("SIGSEGV: ", Trace::Go),
    ("PHP Fatal error:", Trace::Frames),
    ("PHP Parse error:", Trace::Frames),
    ("Fatal error: Uncaught", Trace::Frames),
    ("thread '", Trace::Rust),
    ("Error: ", Trace::Causes),
];
/// Beginnings of lines that continue any record.
const CONTINUATIONS: [&str; 7] = [
    "Caused by:",
    "Suppressed:",
    "Stack trace:",
    "[stacktrace]",
    "stack backtrace:",
    "Stack backtrace:",
    "--- End of ",
];
/// Beginnings of lines between two stack traces of Python.
const PYTHON_CHAINS: [&str; 2] =
    ["During handling of the above exception", "The above exception was the direct cause"];
/// Ends of the names of exceptions.
const EXCEPTION_ENDS: [&str; 7] =
    ["Exception", "Error", "Throwable", "Failure", "Fault", "KeyboardInterrupt", "SystemExit"];

/// Place of a line in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordPlace {
    /// It begins a record of this level.
    First(Option<Level>),
    /// It continues the record before it.
    Continuation,
}

/// State within a record: which lines that are not indented can continue it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Trace {
    /// None: there is no record, or an empty line was the last.
    #[default]
    None,
    /// The first line of a record was the last.
    Head,
    /// A line was indented, or a frame of a stack trace.
    Frames,
    /// Frames of Python follow, then the name of the exception.
    Python,
    /// The name of an exception of Python was the last, or empty lines behind it.
    PythonEnd,
    /// Calls of a goroutine.
    Go,
    /// The location of a panic of Rust was the last: its message follows.
    Rust,
    /// Notes and a stack trace of Rust may follow.
    RustNotes,
    /// An error of a program in Rust, which may have causes.
    Causes,
}

/// Groups the lines of one source into records, line by line. See the [module](self).
#[derive(Debug, Clone, Default)]
pub struct RecordGrouper {
    trace: Trace,
    /// Level of the record.
    level: Option<Level>,
    /// Width of the white space that its first line begins with.
    indent: usize,
    lines: u32,
}

impl RecordGrouper {
    /// Takes the next line and its own level. Returns its place.
    pub fn place(&mut self, line: &str, level: Option<Level>) -> RecordPlace {
        if self.lines < MAX_RECORD_LINES
            && let Some(trace) = self.continues(line, level)
        {
            self.lines += 1;
            self.trace = trace;
            return RecordPlace::Continuation;
        }
        let trace = trace_start(line);
        let is_error = trace.is_some_and(|trace| trace != Trace::Causes);
        self.level = level.or(is_error.then_some(Level::Error));
        self.trace = if line.trim_ascii().is_empty() { Trace::None } else { trace.unwrap_or(Trace::Head) };
        self.indent = indent(line);
        self.lines = 1;
        RecordPlace::First(self.level)
    }

    /// Returns the state behind a line if it continues the record.
    fn continues(&self, line: &str, level: Option<Level>) -> Option<Trace> {
        let first = line.bytes().next();
        if line.trim_ascii().is_empty() {
            return self.continues_empty();
        }
        if self.trace == Trace::None {
            return None;
        }
        if matches!(first, Some(b' ' | b'\t')) {
            // Numbers and levels that are aligned to the right begin records.
            let is_first = indent(line) <= self.indent || level.is_some() && begins_with_level(line);
            return (!is_first).then_some(match self.trace {
                Trace::Head | Trace::Causes => Trace::Frames,
                trace => trace,
            });
        }
        self.continues_unindented(line, level)
    }

    fn continues_empty(&self) -> Option<Trace> {
        matches!(self.trace, Trace::Python | Trace::PythonEnd | Trace::Go | Trace::Causes)
            .then_some(self.trace)
    }

    fn continues_unindented(&self, line: &str, level: Option<Level>) -> Option<Trace> {
        if CONTINUATIONS.iter().any(|start| line.starts_with(start)) {
            return Some(if self.trace == Trace::RustNotes { Trace::RustNotes } else { Trace::Frames });
        }
        let goes_on = match self.trace {
            Trace::None => None,
            Trace::Head | Trace::Causes => self.takes_trace(line, level),
            Trace::Frames => {
                (is_closing(line) || is_numbered_frame(line) || is_ruby_frame(line)).then_some(Trace::Frames)
            }
            Trace::Python => {
                (exception_name(line).is_some() || is_ruby_frame(line)).then_some(Trace::PythonEnd)
            }
            Trace::PythonEnd => {
                PYTHON_CHAINS.iter().any(|start| line.starts_with(start)).then_some(Trace::PythonEnd)
            }
            Trace::Go => is_go_frame(line).then_some(Trace::Go),
            Trace::Rust => Some(Trace::RustNotes),
            Trace::RustNotes => line.starts_with("note: ").then_some(Trace::RustNotes),
        };
        // A chain of exceptions goes on with the stack trace of the next one.
        let is_chained = self.trace == Trace::PythonEnd && line.starts_with("Traceback (");
        goes_on.or(is_chained.then_some(Trace::Python))
    }

    /// Returns the state behind a stack trace's first line if that belongs to the record: to an error or a warning, which does not have
    /// one yet.
    fn takes_trace(&self, line: &str, level: Option<Level>) -> Option<Trace> {
        if !matches!(self.level, Some(Level::Error | Level::Warning)) || level.is_some() {
            return None;
        }
        trace_start(line)
    }
}

/// Returns the state behind a line that begins a stack trace.
fn trace_start(line: &str) -> Option<Trace> {
    let first = line.bytes().next().filter(u8::is_ascii_alphabetic)?;
    let known =
        TRACE_STARTS.iter().find(|(start, _)| start.bytes().next() == Some(first) && line.starts_with(start));
    match known {
        Some((_, Trace::Rust)) => {
            let is_panic = line.contains(" panicked at ");
            // Older versions of Rust put the message into the same line.
            is_panic.then_some(if line.ends_with(':') { Trace::Rust } else { Trace::RustNotes })
        }
        Some((start, Trace::Go)) if *start == "goroutine " => line.ends_with("]:").then_some(Trace::Go),
        Some((_, trace)) => Some(*trace),
        None if is_ruby_error(line) || exception_name(line).is_some_and(is_exception) => Some(Trace::Frames),
        None => None,
    }
}

/// Returns the dotted name that a line begins with, if a colon or the end of the line follows it.
fn exception_name(line: &str) -> Option<&str> {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    let beginning = line.as_bytes().get(..MAX_NAME_BYTES.min(line.len()))?;
    let mut end = 0;
    while let Some(byte) = beginning.get(end) {
        // The names of modules in Ruby are separated by two colons.
        match byte {
            byte if is_of_name(*byte) => end += 1,
            b':' if beginning.get(end + 1) == Some(&b':') => end += 2,
            b':' => break,
            _ => return None,
        }
    }
    let name = line.get(..end)?;
    name.bytes().next().filter(u8::is_ascii_alphabetic)?;
    (end < MAX_NAME_BYTES).then_some(name)
}

fn is_exception(name: &str) -> bool {
    // `Error:` alone is a level.
    name != "Error" && EXCEPTION_ENDS.iter().any(|end| name.ends_with(end))
}

/// Returns the width of the white space that a line begins with.
fn indent(line: &str) -> usize {
    let white = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t'));
    white.map(|byte| if byte == b'\t' { TAB_COLUMNS } else { 1 }).sum()
}

/// Whether the first word of an indented line is a level, as some loggers align it.
fn begins_with_level(line: &str) -> bool {
    let word = line.split_ascii_whitespace().next().unwrap_or_default();
    level_of(word.trim_matches(|character: char| !character.is_alphanumeric())).is_some()
}

/// Whether a line closes brackets and does nothing else: the end of an object in several lines.
fn is_closing(line: &str) -> bool {
    line.starts_with(['}', ']', ')'])
        && line.bytes().all(|byte| matches!(byte, b'}' | b']' | b')' | b',' | b';'))
}

/// Whether a line is a frame of PHP: `#0 /app/index.php(7): run()`.
fn is_numbered_frame(line: &str) -> bool {
    let Some(number) = line.strip_prefix('#').and_then(|rest| rest.split(' ').next()) else { return false };
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a line is a frame of Ruby: ``app/models/user.rb:3:in `find'``.
fn is_ruby_frame(line: &str) -> bool {
    line.contains(":in `") || line.contains(":in '")
}

/// Whether a line is an error of Ruby: ``main.rb:1:in `run': no file (RuntimeError)``.
fn is_ruby_error(line: &str) -> bool {
    line.ends_with(')') && line.contains(".rb:") && is_ruby_frame(line)
}

/// Whether a line that is not indented is part of a goroutine's stack: a call, or what stands between them.
fn is_go_frame(line: &str) -> bool {
    ["goroutine ", "created by ", "[signal ", "exit status ", "...additional frames elided"]
        .iter()
        .any(|start| line.starts_with(start))
        || line.ends_with(')') && line.contains('(') && (!line.contains(' ') || line.contains(", "))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
