//! On real files, without notifications or clocks: each look is the test's.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use proptest::prelude::*;

use super::*;

/// A folder with a file that is followed. Removed when dropped.
struct Scene {
    folder: PathBuf,
    followed: FollowedFile,
    now: Instant,
    given: String,
}

impl Scene {
    fn new(at_first: Option<&str>, lines: u64) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tailcast-tail-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("app.log");
        if let Some(text) = at_first {
            fs::write(&path, text).unwrap();
        }
        let followed = FollowedFile::new(path, Mark::none(), lines);
        Self { folder, followed, now: Instant::now(), given: String::new() }
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

    fn copy_and_empty(&self, to: &str) {
        fs::copy(self.path(), self.folder.join(to)).unwrap();
        self.writer().set_len(0).unwrap();
    }

    /// Looks until there is nothing new; gives what was found.
    fn look(&mut self) -> String {
        let before = self.given.len();
        loop {
            let given = &mut self.given;
            let mut sink = |lines: Vec<u8>| {
                given.push_str(std::str::from_utf8(&lines).unwrap());
                Ok(())
            };
            if !self.followed.look(self.now, &mut sink).unwrap() {
                break;
            }
        }
        self.given.get(before..).unwrap().to_owned()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn a_file_begins_with_its_last_lines_and_goes_on_with_what_is_appended() {
    let mut scene = Scene::new(Some("a\nb\nc\n"), 2);
    assert_eq!(scene.look(), "b\nc\n");
    scene.append("d\nbeg");
    assert_eq!(scene.look(), "d\n");
    scene.append("un\n");
    assert_eq!(scene.look(), "begun\n");
    assert_eq!(scene.look(), "");
}

#[test]
fn a_file_that_comes_later_is_given_whole() {
    let mut scene = Scene::new(None, 1);
    assert_eq!(scene.look(), "");
    scene.append("a\nb\n");
    assert_eq!(scene.look(), "a\nb\n");
}

#[test]
fn a_renamed_file_is_read_until_it_has_been_quiet_for_a_while() {
    let mut scene = Scene::new(Some("a\n"), 10);
    scene.look();
    let mut old = scene.writer();
    scene.rename("app.log.1");
    old.write_all(b"b\n").unwrap();
    scene.append("new\n");
    assert_eq!(scene.look(), "b\nnew\n");
    scene.now += QUIET_WINDOW / 2;
    old.write_all(b"late\n").unwrap();
    assert_eq!(scene.look(), "late\n");
    scene.now += QUIET_WINDOW;
    scene.look();
    assert!(scene.followed.renamed.is_empty());
}

#[test]
fn what_was_not_read_before_a_copy_was_made_is_taken_from_the_copy() {
    let mut scene = Scene::new(Some("a\n"), 10);
    scene.look();
    scene.append("b\nc\nbeg");
    scene.copy_and_empty("app.log.1");
    scene.append("un\nd\n");
    assert_eq!(scene.look(), "b\nc\nbeg\nun\nd\n");
    assert_eq!(scene.look(), "");
}

#[test]
fn a_file_that_was_emptied_and_filled_beyond_where_we_were_is_read_anew() {
    let mut scene = Scene::new(Some("one\n"), 10);
    scene.look();
    scene.writer().set_len(0).unwrap();
    scene.append("two is longer\n");
    assert_eq!(scene.look(), "two is longer\n");
}

#[test]
fn a_file_that_was_emptied_and_filled_to_just_where_we_were_is_read_anew() {
    let mut scene = Scene::new(Some("one\n"), 10);
    scene.look();
    scene.writer().set_len(0).unwrap();
    scene.append("two\n");
    // Clocks of file systems tick slowly; a test is faster.
    scene.writer().set_modified(std::time::SystemTime::now() + Duration::from_secs(1)).unwrap();
    assert_eq!(scene.look(), "two\n");
}

#[test]
fn a_removed_file_may_come_back() {
    let mut scene = Scene::new(Some("a\n"), 10);
    scene.look();
    fs::remove_file(scene.path()).unwrap();
    assert_eq!(scene.look(), "");
    scene.append("b\n");
    assert_eq!(scene.look(), "b\n");
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Append(u8),
    Rename,
    CopyAndEmpty,
    Look,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..60_u8).prop_map(Step::Append),
        1 => Just(Step::Rename),
        1 => Just(Step::CopyAndEmpty),
        2 => Just(Step::Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn with_a_look_between_rotations_nothing_is_lost_and_nothing_comes_twice(
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let mut scene = Scene::new(Some(""), 0);
        scene.look();
        let (mut expected, mut number) = (String::new(), 0);
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append(count) => {
                    let lines: String = (0..count).map(|line| format!("line {}\n", number + u64::from(line))).collect();
                    number += u64::from(count);
                    scene.append(&lines);
                    expected.push_str(&lines);
                }
                Step::Rename | Step::CopyAndEmpty => {
                    let (seen, before) = (format!("seen {at}\n"), format!("last before {at}\n"));
                    scene.append(&seen);
                    scene.look();
                    scene.append(&before);
                    expected.push_str(&(seen + &before));
                    let name = format!("app.log.{at}");
                    if matches!(step, Step::Rename) { scene.rename(&name) } else { scene.copy_and_empty(&name) }
                    let after = format!("first after {at}\n");
                    scene.append(&after);
                    expected.push_str(&after);
                }
                Step::Look => drop(scene.look()),
            }
        }
        scene.look();
        prop_assert_eq!(&scene.given, &expected);
    }
}
