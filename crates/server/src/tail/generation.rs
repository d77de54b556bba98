//! One file, from its beginning to its end: what a path leads to until it is rotated.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::SystemTime,
};

use super::last_lines;
use crate::publishing::{input::CHUNK_BYTES, whole_lines::WholeLines};

/// How many of the bytes read last are remembered: they tell whether a file is still the one that was read, or was emptied and
/// filled again.
const REMEMBERED_BYTES: usize = 256;

/// Which file it is, whatever it is called.
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

    /// Where files have no number, the time at which they came to be tells them apart.
    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        let born = metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Self { device: 0, file: born.map_or(0, |since| since.as_nanos() as u64) }
    }
}

/// An open file, and how far it has been read.
#[derive(Debug)]
pub(super) struct Generation {
    file: File,
    identity: Identity,
    offset: u64,
    /// The last bytes before `offset`.
    remembered: Vec<u8>,
    /// When the file was last changed, as of when it was found to hold nothing new.
    quiet_since: Option<SystemTime>,
    lines: WholeLines,
}

/// What a read gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Whole lines, perhaps none of them whole yet.
    Lines(Vec<u8>),
    /// Nothing new.
    Nothing,
    /// The file is shorter than what was read of it, or says something else there: it was emptied.
    Emptied,
}

impl Generation {
    /// Opens what `path` leads to, to be read from its beginning.
    pub(super) fn open(path: &Path, lines: WholeLines) -> io::Result<Self> {
        let file = File::open(path)?;
        let identity = Identity::of(&file.metadata()?);
        Ok(Self { file, identity, offset: 0, remembered: Vec::new(), quiet_since: None, lines })
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Goes to where the last `count` lines begin.
    pub(super) fn skip_to_last(&mut self, count: u64) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        self.offset = last_lines::offset(&mut self.file, length, count)?;
        let remembered = self.offset.min(REMEMBERED_BYTES as u64);
        self.file.seek(SeekFrom::Start(self.offset - remembered))?;
        self.remembered = vec![0; usize::try_from(remembered).unwrap_or_default()];
        self.file.read_exact(&mut self.remembered)
    }

    /// Reads a chunk.
    pub(super) fn read(&mut self) -> io::Result<Found> {
        let metadata = self.file.metadata()?;
        if metadata.len() < self.offset {
            return Ok(Found::Emptied);
        }
        let changed = metadata.modified().ok();
        if metadata.len() == self.offset && changed == self.quiet_since {
            return Ok(Found::Nothing);
        }
        let Some(chunk) = read_after(&mut self.file, self.offset, &self.remembered)? else {
            return Ok(Found::Emptied);
        };
        if chunk.is_empty() {
            self.quiet_since = changed;
            return Ok(Found::Nothing);
        }
        self.offset += chunk.len() as u64;
        self.remembered
            .extend_from_slice(chunk.get(chunk.len().saturating_sub(REMEMBERED_BYTES)..).unwrap_or_default());
        self.remembered.drain(..self.remembered.len().saturating_sub(REMEMBERED_BYTES));
        Ok(Found::Lines(self.lines.push(&chunk)))
    }

    /// Whether `other` begins with all that was read of this file, as far as we remember: a copy that was made before the file
    /// was emptied. Then what remains of it is for us.
    pub(super) fn rest_in(&self, other: &Path) -> io::Result<Option<Self>> {
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
        let (offset, remembered) = (self.offset, self.remembered.clone());
        let mut copy =
            Self { file, identity, offset, remembered, quiet_since: None, lines: WholeLines::default() };
        let is_copy = read_after(&mut copy.file, copy.offset, &copy.remembered)?.is_some();
        Ok(is_copy.then_some(copy))
    }

    /// Goes on with the line that another had begun.
    pub(super) fn take_lines_of(&mut self, other: &mut Self) {
        self.lines = std::mem::take(&mut other.lines);
    }

    /// Begins again at the beginning, with lines of that mark.
    pub(super) fn begin_again(&mut self, lines: WholeLines) {
        self.offset = 0;
        self.remembered.clear();
        self.lines = lines;
    }

    /// Nothing more will come: gives the line that was begun, if any.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.lines.finish()
    }
}

/// The chunk at `offset`, if what stands before it is as remembered. Both are read at once, so that nobody changes the one
/// in between.
fn read_after(file: &mut File, offset: u64, remembered: &[u8]) -> io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(offset - remembered.len() as u64))?;
    let mut bytes = vec![0; remembered.len() + CHUNK_BYTES];
    let mut filled = 0;
    // A file gives what it has; less than the remembered part means that it has become shorter.
    while filled <= remembered.len() {
        match file.read(bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes.strip_prefix(remembered).map(<[u8]>::to_vec))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file for reading and writing whose name nobody knows any more.
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
