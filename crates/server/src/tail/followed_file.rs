//! A path that is followed, whatever happens to the file behind it.
//!
//! | what happens | what is done |
//! | --- | --- |
//! | lines are appended | they are given |
//! | the file is renamed, and a new one takes its place | the old one is read until it has been quiet for a while, the new one from its beginning |
//! | the file is copied and emptied | what was not read yet is taken from the copy; the file is read from its beginning |
//! | the file is emptied | it is read from its beginning |
//! | the file is removed, or was never there | it is waited for |

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::generation::{Found, Generation, Identity};
use crate::publishing::{
    input::Closed,
    whole_lines::{Mark, WholeLines},
};

/// How long a file that was renamed may be quiet before it is closed. Programs go on writing to it until they are told to
/// open the new one.
pub(super) const QUIET_WINDOW: Duration = Duration::from_secs(30);
/// Most renamed files that are still read. When there are more, the oldest is closed.
const MAX_RENAMED: usize = 8;
/// Most chunks that are read of one file before it is the next one's turn.
const CHUNKS_PER_LOOK: usize = 16;
/// Most neighbours of a file that are looked at to find its copy.
const MAX_NEIGHBOURS: usize = 1000;

/// Takes whole lines.
pub(super) type Sink<'a> = dyn FnMut(Vec<u8>) -> Result<(), Closed> + 'a;

/// A renamed file.
struct Renamed {
    generation: Generation,
    last_heard_of: Instant,
}

/// What is known of a path.
pub(super) struct FollowedFile {
    path: PathBuf,
    mark: Mark,
    current: Option<Generation>,
    renamed: Vec<Renamed>,
    /// How many lines of the file that is there at the beginning are to be given; later files are given whole.
    lines_at_first: Option<u64>,
    /// What was said last about why there is nothing to read, so that it is said once.
    said: Option<io::ErrorKind>,
}

impl FollowedFile {
    pub(super) fn new(path: PathBuf, mark: Mark, lines_at_first: u64) -> Self {
        Self {
            path,
            mark,
            current: None,
            renamed: Vec::new(),
            lines_at_first: Some(lines_at_first),
            said: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives what is new. Says whether there may be more at once.
    pub(super) fn look(&mut self, now: Instant, sink: &mut Sink<'_>) -> Result<bool, Closed> {
        self.look_at_renamed(now, sink)?;
        let is_more = self.look_at_current(sink)?;
        if is_more {
            return Ok(true);
        }
        let is_replaced = match std::fs::metadata(&self.path) {
            Ok(metadata) => {
                self.current.as_ref().is_none_or(|current| current.identity() != Identity::of(&metadata))
            }
            Err(error) => {
                self.say_missing(&error);
                false
            }
        };
        if is_replaced { self.open(now, sink) } else { Ok(false) }
    }

    fn look_at_current(&mut self, sink: &mut Sink<'_>) -> Result<bool, Closed> {
        let Some(current) = &mut self.current else { return Ok(false) };
        for _ in 0..CHUNKS_PER_LOOK {
            match current.read() {
                Ok(Found::Lines(lines)) => give(lines, sink)?,
                Ok(Found::Nothing) => return Ok(false),
                Ok(Found::Emptied) => {
                    read_copy(&self.path, current, sink)?;
                    give(current.finish(), sink)?;
                    current.begin_again(WholeLines::new(self.mark.clone()));
                }
                Err(error) => {
                    say(&self.path, &format!("cannot be read: {error}"));
                    self.current = None;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Opens what the path leads to now; what it led to before is read on.
    fn open(&mut self, now: Instant, sink: &mut Sink<'_>) -> Result<bool, Closed> {
        match self.open_generation() {
            Ok(generation) => {
                self.said = None;
                let former = self.current.replace(generation);
                self.renamed.extend(former.map(|generation| Renamed { generation, last_heard_of: now }));
                while self.renamed.len() > MAX_RENAMED {
                    give(self.renamed.remove(0).generation.finish(), sink)?;
                }
                Ok(true)
            }
            Err(error) => {
                self.say_missing(&error);
                Ok(false)
            }
        }
    }

    fn open_generation(&mut self) -> io::Result<Generation> {
        let mut generation = Generation::open(&self.path, WholeLines::new(self.mark.clone()))?;
        if let Some(count) = self.lines_at_first.take() {
            generation.skip_to_last(count)?;
        }
        Ok(generation)
    }

    fn look_at_renamed(&mut self, now: Instant, sink: &mut Sink<'_>) -> Result<(), Closed> {
        let mut still_read = Vec::new();
        for mut renamed in std::mem::take(&mut self.renamed) {
            loop {
                match renamed.generation.read() {
                    Ok(Found::Lines(lines)) => {
                        renamed.last_heard_of = now;
                        give(lines, sink)?;
                    }
                    Ok(Found::Nothing) if now.duration_since(renamed.last_heard_of) < QUIET_WINDOW => {
                        still_read.push(renamed);
                        break;
                    }
                    Ok(Found::Nothing | Found::Emptied) | Err(_) => {
                        give(renamed.generation.finish(), sink)?;
                        break;
                    }
                }
            }
        }
        self.renamed = still_read;
        Ok(())
    }

    /// There is nothing to open. What is made later is new, and given whole.
    fn say_missing(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::NotFound {
            self.lines_at_first = None;
        }
        // Between being renamed and made anew, a file is missing for a moment.
        if self.current.is_none() && self.said.replace(error.kind()) != Some(error.kind()) {
            let words = match error.kind() {
                io::ErrorKind::NotFound => "is not there; waiting for it".to_owned(),
                _ => format!("cannot be opened ({error}); trying on"),
            };
            say(&self.path, &words);
        }
    }
}

/// A file was emptied. If it was copied before, the copy has what we did not come to read.
fn read_copy(path: &Path, emptied: &mut Generation, sink: &mut Sink<'_>) -> Result<(), Closed> {
    let found = neighbours(path).into_iter().find_map(|neighbour| emptied.rest_in(&neighbour).ok().flatten());
    let Some(mut copy) = found else { return Ok(()) };
    copy.take_lines_of(emptied);
    while let Ok(Found::Lines(lines)) = copy.read() {
        give(lines, sink)?;
    }
    give(copy.finish(), sink)
}

/// The files beside `path` whose names begin with its name, as rotation calls copies; the latest first.
fn neighbours(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
        return Vec::new();
    };
    let stem = path.file_stem().map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter(|entry| {
            let other = entry.file_name().to_string_lossy().into_owned();
            other != name && other.starts_with(&stem)
        })
        .take(MAX_NEIGHBOURS)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    found.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
    found.into_iter().map(|(_, path)| path).collect()
}

fn give(lines: Vec<u8>, sink: &mut Sink<'_>) -> Result<(), Closed> {
    if lines.is_empty() { Ok(()) } else { sink(lines) }
}

fn say(path: &Path, words: &str) {
    let name = path.display().to_string();
    eprintln!("tailcast tail: {} {words}", crate::terminal::plain(&name));
}

#[cfg(test)]
#[path = "followed_file_tests.rs"]
mod tests;
