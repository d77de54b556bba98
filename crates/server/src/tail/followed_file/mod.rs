//! A followed path, across rotation, truncation and removal of the file.
//!
//! | event | action |
//! | --- | --- |
//! | lines are appended | the lines are emitted |
//! | the file is renamed and a new one is created | the old file is read until it was idle for [`IDLE_TIMEOUT`], the new one from its beginning |
//! | the file is copied and truncated | the unread rest is read from the copy, then the file from its beginning |
//! | the file is truncated | it is read from its beginning |
//! | the file is removed, or does not exist | it is polled until it is created |

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use encoding_rs::Encoding;

use super::{
    file_output::FileOutput,
    generation::{Generation, Identity, ReadOutcome},
};
use crate::pipeline::input::Closed;

/// Idle time after which a renamed file is closed. Programs write to it until they are signaled to open the new one.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum count of renamed files that are still read. The oldest is closed when there are more.
const MAX_RENAMED: usize = 8;
/// Maximum count of chunks read per poll, so that a busy file does not block the others.
const CHUNKS_PER_POLL: usize = 16;
/// Maximum count of directory entries that are examined to find the copy of a truncated file.
const MAX_COPY_CANDIDATES: usize = 1000;

/// Consumer of a file's output.
pub(super) type Sink<'a> = dyn FnMut(FileOutput) -> Result<(), Closed> + 'a;

/// Renamed file that can still be written to.
struct RenamedFile {
    generation: Generation,
    last_read_at: Instant,
}

/// State of a followed path.
pub(super) struct FollowedFile {
    path: PathBuf,
    encoding: Option<&'static Encoding>,
    current: Option<Generation>,
    renamed: Vec<RenamedFile>,
    /// Count of existing lines to emit from a file that exists at the start. Files created later are emitted completely.
    initial_lines: Option<u64>,
    /// Last reported error, so that it is reported once.
    reported_error: Option<io::ErrorKind>,
}

impl FollowedFile {
    pub(super) fn new(path: PathBuf, encoding: Option<&'static Encoding>, initial_lines: u64) -> Self {
        Self {
            path,
            encoding,
            current: None,
            renamed: Vec::new(),
            initial_lines: Some(initial_lines),
            reported_error: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Emits new lines. Returns whether more can be available immediately.
    pub(super) fn poll(&mut self, now: Instant, sink: &mut Sink<'_>) -> Result<bool, Closed> {
        self.poll_renamed(now, sink)?;
        let is_more = self.poll_current(sink)?;
        if is_more {
            return Ok(true);
        }
        let is_replaced = match std::fs::metadata(&self.path) {
            Ok(metadata) => {
                self.current.as_ref().is_none_or(|current| current.identity() != Identity::of(&metadata))
            }
            Err(error) => {
                self.report_missing(&error);
                false
            }
        };
        if is_replaced { self.open(now, sink) } else { Ok(false) }
    }

    fn poll_current(&mut self, sink: &mut Sink<'_>) -> Result<bool, Closed> {
        let Some(current) = &mut self.current else { return Ok(false) };
        for _ in 0..CHUNKS_PER_POLL {
            match current.read() {
                Ok(ReadOutcome::Text(text)) => sink(text)?,
                Ok(ReadOutcome::Unchanged) => return Ok(false),
                Ok(ReadOutcome::Truncated) => {
                    emit_rest_of_copy(&self.path, current, sink)?;
                    emit(current.finish(), sink)?;
                    current.restart();
                }
                Err(error) => {
                    report(&self.path, &format!("cannot be read: {error}"));
                    self.current = None;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Opens the file that is at the path now. The previous file is read further as a renamed one.
    fn open(&mut self, now: Instant, sink: &mut Sink<'_>) -> Result<bool, Closed> {
        match self.open_generation() {
            Ok(generation) => {
                self.reported_error = None;
                if let Some(mut previous) = self.current.replace(generation) {
                    let renamed = self.renamed.iter_mut().map(|renamed| &mut renamed.generation);
                    emit(renamed.chain([&mut previous]).filter_map(Generation::grow_older), sink)?;
                    self.renamed.push(RenamedFile { generation: previous, last_read_at: now });
                }
                while self.renamed.len() > MAX_RENAMED {
                    emit(self.renamed.remove(0).generation.finish(), sink)?;
                }
                Ok(true)
            }
            Err(error) => {
                self.report_missing(&error);
                Ok(false)
            }
        }
    }

    fn open_generation(&mut self) -> io::Result<Generation> {
        let mut generation = Generation::open(&self.path, self.encoding)?;
        if let Some(count) = self.initial_lines.take() {
            generation.seek_to_last_lines(count)?;
        }
        Ok(generation)
    }

    fn poll_renamed(&mut self, now: Instant, sink: &mut Sink<'_>) -> Result<(), Closed> {
        let mut still_read = Vec::new();
        for mut renamed in std::mem::take(&mut self.renamed) {
            loop {
                match renamed.generation.read() {
                    Ok(ReadOutcome::Text(text)) => {
                        renamed.last_read_at = now;
                        sink(text)?;
                    }
                    Ok(ReadOutcome::Unchanged) if now.duration_since(renamed.last_read_at) < IDLE_TIMEOUT => {
                        still_read.push(renamed);
                        break;
                    }
                    Ok(ReadOutcome::Unchanged | ReadOutcome::Truncated) | Err(_) => {
                        emit(renamed.generation.finish(), sink)?;
                        break;
                    }
                }
            }
        }
        self.renamed = still_read;
        Ok(())
    }

    /// Reports that the file cannot be opened. A file that is created later is emitted completely.
    fn report_missing(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::NotFound {
            self.initial_lines = None;
        }
        // During a rotation, the file is missing for a moment.
        if self.current.is_none() && self.reported_error.replace(error.kind()) != Some(error.kind()) {
            let problem = match error.kind() {
                io::ErrorKind::NotFound if is_pattern(&self.path) => {
                    "does not exist; patterns are expanded by the shell, outside of quotes, to the files that exist".to_owned()
                }
                io::ErrorKind::NotFound => "does not exist; waiting until it is created".to_owned(),
                _ => format!("cannot be opened ({error}); retrying"),
            };
            report(&self.path, &problem);
        }
    }
}

/// Emits the unread rest of a truncated file from its copy, if there is one.
fn emit_rest_of_copy(path: &Path, truncated: &mut Generation, sink: &mut Sink<'_>) -> Result<(), Closed> {
    let copy = copy_candidates(path).into_iter().find_map(|other| truncated.open_copy(&other).ok().flatten());
    let Some(mut copy) = copy else { return Ok(()) };
    copy.continue_text(truncated);
    while let Ok(ReadOutcome::Text(text)) = copy.read() {
        sink(text)?;
    }
    emit(copy.finish(), sink)
}

/// Returns the other files in the directory whose names start with the name of `path`, as rotation tools name copies; most
/// recently modified first.
fn copy_candidates(path: &Path) -> Vec<PathBuf> {
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
        .take(MAX_COPY_CANDIDATES)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    found.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
    found.into_iter().map(|(_, path)| path).collect()
}

fn emit(outputs: impl IntoIterator<Item = FileOutput>, sink: &mut Sink<'_>) -> Result<(), Closed> {
    outputs.into_iter().try_for_each(sink)
}

/// Whether a name contains characters that the shell would have expanded.
fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn report(path: &Path, problem: &str) {
    let name = path.display().to_string();
    crate::terminal::notice!("tailcast tail: {} {problem}", crate::terminal::without_controls(&name));
}

#[cfg(test)]
mod tests;
