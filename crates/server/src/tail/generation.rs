//! One generation of a log file: the file at a path from its creation to its rotation.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::SystemTime,
};

use super::last_lines;
use crate::pipeline::{input::CHUNK_BYTES, line_assembler::LineAssembler};

/// Count of the last read bytes that are stored. A comparison with the file detects that it was truncated and rewritten.
const CHECK_BYTES: usize = 256;

/// Identity of a file, independent of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    file: u64,
}

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), file: metadata.ino() }
    }

    /// Uses the creation time: the system has no inode numbers.
    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        let created =
            metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Self { device: 0, file: created.map_or(0, |since| since.as_nanos() as u64) }
    }
}

/// Open file with its read offset.
#[derive(Debug)]
pub(super) struct Generation {
    file: File,
    identity: Identity,
    offset: u64,
    /// Last bytes before `offset`.
    check: Vec<u8>,
    /// Modification time at the last read that found no new data.
    unchanged_since: Option<SystemTime>,
    lines: LineAssembler,
}

/// Outcome of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadOutcome {
    /// Whole lines; empty if no line is complete yet.
    Lines(Vec<u8>),
    /// No new data.
    Unchanged,
    /// The file is shorter than the read offset, or has other content before it.
    Truncated,
}

impl Generation {
    /// Opens the file at `path`, to read it from its beginning.
    pub(super) fn open(path: &Path, lines: LineAssembler) -> io::Result<Self> {
        let file = File::open(path)?;
        let identity = Identity::of(&file.metadata()?);
        Ok(Self { file, identity, offset: 0, check: Vec::new(), unchanged_since: None, lines })
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Moves the read offset to the last `count` lines.
    pub(super) fn seek_to_last_lines(&mut self, count: u64) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        self.offset = last_lines::offset(&mut self.file, length, count)?;
        let check_bytes = self.offset.min(CHECK_BYTES as u64);
        self.file.seek(SeekFrom::Start(self.offset - check_bytes))?;
        self.check = vec![0; usize::try_from(check_bytes).unwrap_or_default()];
        self.file.read_exact(&mut self.check)
    }

    /// Reads the next chunk.
    pub(super) fn read(&mut self) -> io::Result<ReadOutcome> {
        let metadata = self.file.metadata()?;
        if metadata.len() < self.offset {
            return Ok(ReadOutcome::Truncated);
        }
        let modified = metadata.modified().ok();
        if metadata.len() == self.offset && modified == self.unchanged_since {
            return Ok(ReadOutcome::Unchanged);
        }
        let Some(chunk) = read_after(&mut self.file, self.offset, &self.check)? else {
            return Ok(ReadOutcome::Truncated);
        };
        if chunk.is_empty() {
            self.unchanged_since = modified;
            return Ok(ReadOutcome::Unchanged);
        }
        self.offset += chunk.len() as u64;
        self.check
            .extend_from_slice(chunk.get(chunk.len().saturating_sub(CHECK_BYTES)..).unwrap_or_default());
        self.check.drain(..self.check.len().saturating_sub(CHECK_BYTES));
        Ok(ReadOutcome::Lines(self.lines.push(&chunk)))
    }

    /// Opens `other` at the read offset if it is a copy that was made before this file was truncated. Compares the last read
    /// bytes.
    pub(super) fn open_copy(&self, other: &Path) -> io::Result<Option<Self>> {
        let file = File::open(other)?;
        let metadata = file.metadata()?;
        let identity = Identity::of(&metadata);
        if !metadata.is_file()
            || identity == self.identity
            || metadata.len() <= self.offset
            || self.offset == 0
        {
            return Ok(None);
        }
        let (offset, check) = (self.offset, self.check.clone());
        let mut copy =
            Self { file, identity, offset, check, unchanged_since: None, lines: LineAssembler::default() };
        let is_copy = read_after(&mut copy.file, copy.offset, &copy.check)?.is_some();
        Ok(is_copy.then_some(copy))
    }

    /// Continues the partial line of another generation.
    pub(super) fn take_partial_line(&mut self, other: &mut Self) {
        self.lines = std::mem::take(&mut other.lines);
    }

    /// Restarts at the beginning of the file.
    pub(super) fn restart(&mut self, lines: LineAssembler) {
        self.offset = 0;
        self.check.clear();
        self.lines = lines;
    }

    /// Ends the generation. Returns its partial last line, if any.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.lines.finish()
    }
}

/// Reads the chunk at `offset`; `None` if the bytes before it differ from `check`. One read call covers both, so the file
/// cannot change in between.
fn read_after(file: &mut File, offset: u64, check: &[u8]) -> io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(offset - check.len() as u64))?;
    let mut bytes = vec![0; check.len() + CHUNK_BYTES];
    let mut filled = 0;
    // A short read can end inside the checked part. End of file there means that the file was truncated.
    while filled <= check.len() {
        match file.read(bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes.strip_prefix(check).map(<[u8]>::to_vec))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Creates a temporary file without a name.
    pub(in crate::tail) fn unnamed_file() -> File {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tailcast-unnamed-{}-{number}", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file
    }
}
