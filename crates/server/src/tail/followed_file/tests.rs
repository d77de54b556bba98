//! Tests on real files, without notifications and timers: each poll is explicit.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use proptest::prelude::*;

use super::{
    super::file_output::{Age, SOURCES_PER_FILE},
    *,
};

/// Temporary directory with a followed file. Removed when dropped.
struct Fixture {
    folder: PathBuf,
    followed: FollowedFile,
    now: Instant,
    /// Complete lines.
    emitted: String,
    /// The unfinished line of each source.
    lines: [String; SOURCES_PER_FILE],
}

impl Fixture {
    fn new(initial: Option<&str>, lines: u64) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tailcast-tail-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("app.log");
        if let Some(text) = initial {
            fs::write(&path, text).unwrap();
        }
        let followed = FollowedFile::new(path, None, lines);
        Self { folder, followed, now: Instant::now(), emitted: String::new(), lines: Default::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("app.log")
    }

    fn writer(&self) -> File {
        OpenOptions::new().append(true).create(true).open(self.path()).unwrap()
    }

    fn append(&self, text: &str) {
        self.writer().write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, to: &str) {
        fs::rename(self.path(), self.folder.join(to)).unwrap();
    }

    fn copy_and_truncate(&self, to: &str) {
        fs::copy(self.path(), self.folder.join(to)).unwrap();
        self.writer().set_len(0).unwrap();
    }

    /// Polls until there are no new lines. Returns the emitted text.
    fn poll(&mut self) -> String {
        let before = self.emitted.len();
        loop {
            let (emitted, lines) = (&mut self.emitted, &mut self.lines);
            let mut sink = |output: FileOutput| {
                match output {
                    FileOutput::Text(age, text) => {
                        let line = &mut lines[age as usize];
                        line.push_str(std::str::from_utf8(&text).unwrap());
                        let end = line.rfind('\n').map_or(0, |end| end + 1);
                        emitted.extend(line.drain(..end));
                    }
                    FileOutput::MoveLine => {
                        assert_eq!(lines[Age::Renamed as usize], "", "two unfinished lines in one source");
                        lines.swap(Age::Current as usize, Age::Renamed as usize);
                    }
                }
                Ok(())
            };
            if !self.followed.poll(self.now, &mut sink).unwrap() {
                break;
            }
        }
        self.emitted.get(before..).unwrap().to_owned()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn the_last_lines_are_emitted_first_and_then_appended_lines() {
    let mut fixture = Fixture::new(Some("a\nb\nc\n"), 2);
    assert_eq!(fixture.poll(), "b\nc\n");
    fixture.append("d\nbeg");
    assert_eq!(fixture.poll(), "d\n");
    fixture.append("un\n");
    assert_eq!(fixture.poll(), "begun\n");
    assert_eq!(fixture.poll(), "");
}

#[test]
fn an_unfinished_line_is_emitted_and_ends_with_its_file() {
    let mut fixture = Fixture::new(Some("a\nunfini"), 10);
    assert_eq!(fixture.poll(), "a\n");
    assert_eq!(fixture.lines[0], "unfini");
    fixture.append("shed");
    fixture.poll();
    assert_eq!(fixture.lines[0], "unfinished");
    fixture.writer().set_len(0).unwrap();
    fixture.append("new\n");
    assert_eq!(fixture.poll(), "unfinished\nnew\n");
}

#[test]
fn lines_that_are_unfinished_at_several_rotations_are_completed() {
    let mut fixture = Fixture::new(Some("a"), 10);
    let mut writers = Vec::new();
    for round in 0..4 {
        fixture.poll();
        writers.push(fixture.writer());
        fixture.rename(&format!("app.log.{round}"));
        fixture.append(&format!("b{round}"));
    }
    fixture.poll();
    for (round, writer) in writers.iter_mut().enumerate() {
        writeln!(writer, "+{round}").unwrap();
    }
    fixture.append("+4\n");
    // Only the line of the file that was renamed last is still joined.
    assert_eq!(fixture.poll(), "+0\n+1\n+2\nb2+3\nb3+4\n");
    assert_eq!(fixture.emitted, "a\nb0\nb1\n+0\n+1\n+2\nb2+3\nb3+4\n");
}

#[test]
fn utf_16_with_a_byte_order_mark_is_text_from_its_beginning_and_from_its_last_lines() {
    let bytes = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for (lines, expected) in [(10, "eins\nzwei ä\n"), (1, "zwei ä\n")] {
        let mut fixture = Fixture::new(Some(""), lines);
        fixture.writer().write_all(&bytes("\u{feff}eins\nzwei ä\n")).unwrap();
        assert_eq!(fixture.poll(), expected);
        fixture.writer().write_all(&bytes("drei\n")).unwrap();
        assert_eq!(fixture.poll(), "drei\n");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_without_a_length_is_read_once() {
    for path in ["/proc/self/stat", "/proc/loadavg", "/proc/cpuinfo"] {
        let mut followed = FollowedFile::new(path.into(), None, 10);
        let mut outputs = 0;
        for _ in 0..5 {
            let mut sink = |_: FileOutput| {
                outputs += 1;
                Ok(())
            };
            while followed.poll(Instant::now(), &mut sink).unwrap() {}
        }
        assert!((1..4).contains(&outputs), "{path}: {outputs}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_last_lines_of_files_without_their_length_are_found() {
    let whole = |path: &str| std::fs::read_to_string(path).unwrap().lines().count();
    for path in ["/proc/self/status", "/proc/filesystems", "/sys/kernel/mm/transparent_hugepage/enabled"] {
        if !std::path::Path::new(path).exists() {
            continue;
        }
        let (mut followed, mut text) = (FollowedFile::new(path.into(), None, 3), Vec::new());
        let mut collect = |output: FileOutput| {
            if let FileOutput::Text(_, bytes) = output {
                text.extend(bytes);
            }
            Ok(())
        };
        for _ in 0..3 {
            while followed.poll(Instant::now(), &mut collect).unwrap() {}
        }
        let lines = String::from_utf8(text).unwrap().lines().count();
        assert_eq!(lines, whole(path).min(3), "{path}");
    }
}

#[test]
fn a_file_created_later_is_emitted_completely() {
    let mut fixture = Fixture::new(None, 1);
    assert_eq!(fixture.poll(), "");
    fixture.append("a\nb\n");
    assert_eq!(fixture.poll(), "a\nb\n");
}

#[test]
fn a_renamed_file_is_read_until_the_idle_timeout() {
    let mut fixture = Fixture::new(Some("a\n"), 10);
    fixture.poll();
    let mut old = fixture.writer();
    fixture.rename("app.log.1");
    old.write_all(b"b\n").unwrap();
    fixture.append("new\n");
    assert_eq!(fixture.poll(), "b\nnew\n");
    fixture.now += IDLE_TIMEOUT / 2;
    old.write_all(b"late\n").unwrap();
    assert_eq!(fixture.poll(), "late\n");
    fixture.now += IDLE_TIMEOUT;
    fixture.poll();
    assert!(fixture.followed.renamed.is_empty());
}

#[test]
fn unread_lines_of_a_truncated_file_are_read_from_its_copy() {
    let mut fixture = Fixture::new(Some("a\n"), 10);
    fixture.poll();
    fixture.append("b\nc\nbeg");
    fixture.copy_and_truncate("app.log.1");
    fixture.append("un\nd\n");
    assert_eq!(fixture.poll(), "b\nc\nbeg\nun\nd\n");
    assert_eq!(fixture.poll(), "");
}

#[test]
fn a_file_rewritten_beyond_the_read_offset_is_read_from_its_beginning() {
    let mut fixture = Fixture::new(Some("one\n"), 10);
    fixture.poll();
    fixture.writer().set_len(0).unwrap();
    fixture.append("two is longer\n");
    assert_eq!(fixture.poll(), "two is longer\n");
}

#[test]
fn a_file_rewritten_to_the_read_offset_is_read_from_its_beginning() {
    let mut fixture = Fixture::new(Some("one\n"), 10);
    fixture.poll();
    fixture.writer().set_len(0).unwrap();
    fixture.append("two\n");
    // Modification times of file systems are too coarse for a test.
    fixture.writer().set_modified(std::time::SystemTime::now() + Duration::from_secs(1)).unwrap();
    assert_eq!(fixture.poll(), "two\n");
}

#[test]
fn a_removed_file_can_be_created_again() {
    let mut fixture = Fixture::new(Some("a\n"), 10);
    fixture.poll();
    fs::remove_file(fixture.path()).unwrap();
    assert_eq!(fixture.poll(), "");
    fixture.append("b\n");
    assert_eq!(fixture.poll(), "b\n");
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Append(u8),
    Rename,
    CopyAndTruncate,
    Poll,
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1..60_u8).prop_map(Action::Append),
        1 => Just(Action::Rename),
        1 => Just(Action::CopyAndTruncate),
        2 => Just(Action::Poll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_line_is_lost_or_duplicated_with_a_poll_between_rotations(
        actions in prop::collection::vec(any_action(), 1..40),
    ) {
        let mut fixture = Fixture::new(Some(""), 0);
        fixture.poll();
        let (mut expected, mut number) = (String::new(), 0);
        for (at, action) in actions.into_iter().enumerate() {
            match action {
                Action::Append(count) => {
                    let lines: String = (0..count).map(|line| format!("line {}\n", number + u64::from(line))).collect();
                    number += u64::from(count);
                    fixture.append(&lines);
                    expected.push_str(&lines);
                }
                Action::Rename | Action::CopyAndTruncate => {
                    let (seen, before) = (format!("seen {at}\n"), format!("last before {at}\n"));
                    fixture.append(&seen);
                    fixture.poll();
                    fixture.append(&before);
                    expected.push_str(&(seen + &before));
                    let name = format!("app.log.{at}");
                    if matches!(action, Action::Rename) { fixture.rename(&name) } else { fixture.copy_and_truncate(&name) }
                    let after = format!("first after {at}\n");
                    fixture.append(&after);
                    expected.push_str(&after);
                }
                Action::Poll => drop(fixture.poll()),
            }
        }
        fixture.poll();
        prop_assert_eq!(&fixture.emitted, &expected);
    }
}
