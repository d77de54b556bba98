//! One generation of a log file: the file at a path from its creation to its rotation.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::SystemTime,
};

use encoding_rs::Encoding;

use super::{
    file_output::{FileOutput, GenerationText},
    last_lines::{self, LineFeed},
};
use crate::{
    pipeline::input::CHUNK_BYTES,
    text_decoder::{self, TextDecoder},
};

/// Count of the last read bytes that are stored. A comparison with the file detects that it was truncated and rewritten.
const CHECK_BYTES: usize = 256;

/// Maximum length that files report which have another one: 0 in `/proc`, a page in `/sys`.
const MAX_INVENTED_BYTES: u64 = 4096;

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
pub(super) struct Generation {
    file: File,
    identity: Identity,
    offset: u64,
    /// Last bytes before `offset`.
    check: Vec<u8>,
    /// Modification time at the last read that found no new data.
    unchanged_since: Option<SystemTime>,
    /// Whether the file has content, and reports no length: files of `/proc` do.
    is_without_length: bool,
    encoding: Option<&'static Encoding>,
    decoder: TextDecoder,
    text: GenerationText,
}

/// Outcome of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadOutcome {
    /// New text.
    Text(FileOutput),
    /// No new data.
    Unchanged,
    /// The file is shorter than the read offset, or has other content before it.
    Truncated,
}

impl Generation {
    /// Opens the file at `path`, to read it from its beginning.
    pub(super) fn open(path: &Path, encoding: Option<&'static Encoding>) -> io::Result<Self> {
        let file = File::open(path)?;
        let identity = Identity::of(&file.metadata()?);
        Ok(Self {
            file,
            identity,
            offset: 0,
            check: Vec::new(),
            unchanged_since: None,
            is_without_length: false,
            encoding,
            decoder: TextDecoder::new(encoding),
            text: GenerationText::new(),
        })
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Moves the read offset to the last `count` lines.
    pub(super) fn seek_to_last_lines(&mut self, count: u64) -> io::Result<()> {
        let reported = self.file.metadata()?.len();
        let length = if reported <= MAX_INVENTED_BYTES { self.readable_length()? } else { reported };
        self.is_without_length = reported == 0 && length > 0;
        let encoding = self.encoding.or(self.detect_encoding()?);
        self.offset = last_lines::offset(&mut self.file, length, count, LineFeed::of(encoding))?;
        if self.offset > 0 {
            self.decoder = TextDecoder::in_text(encoding);
        }
        let check_bytes = self.offset.min(CHECK_BYTES as u64);
        self.file.seek(SeekFrom::Start(self.offset - check_bytes))?;
        self.check = vec![0; usize::try_from(check_bytes).unwrap_or_default()];
        self.file.read_exact(&mut self.check)
    }

    /// Reads the file to its end. Returns the number of bytes.
    fn readable_length(&mut self) -> io::Result<u64> {
        self.file.rewind()?;
        io::copy(&mut self.file, &mut io::sink())
    }

    /// Returns the encoding that a byte order mark names.
    fn detect_encoding(&mut self) -> io::Result<Option<&'static Encoding>> {
        let mut start = Vec::new();
        self.file.rewind()?;
        (&self.file).take(2).read_to_end(&mut start)?;
        Ok(text_decoder::detected(&start))
    }

    /// Reads the next chunk.
    pub(super) fn read(&mut self) -> io::Result<ReadOutcome> {
        let metadata = self.file.metadata()?;
        self.is_without_length &= metadata.len() == 0;
        if self.is_without_length && self.unchanged_since.is_some() {
            return Ok(ReadOutcome::Unchanged);
        }
        if metadata.len() < self.offset && !self.is_without_length {
            return Ok(ReadOutcome::Truncated);
        }
        let modified = metadata.modified().ok();
        if metadata.len() == self.offset && modified == self.unchanged_since {
            return Ok(ReadOutcome::Unchanged);
        }
        // The content of a file without a length can change at any time.
        let check = if self.is_without_length { &[] } else { self.check.as_slice() };
        let Some(chunk) = read_after(&mut self.file, self.offset, check)? else {
            return Ok(ReadOutcome::Truncated);
        };
        if chunk.is_empty() {
            self.unchanged_since = modified;
            return Ok(ReadOutcome::Unchanged);
        }
        self.is_without_length = metadata.len() == 0 && self.file.metadata()?.len() == 0;
        self.offset += chunk.len() as u64;
        self.check
            .extend_from_slice(chunk.get(chunk.len().saturating_sub(CHECK_BYTES)..).unwrap_or_default());
        self.check.drain(..self.check.len().saturating_sub(CHECK_BYTES));
        Ok(ReadOutcome::Text(self.text.push(self.decoder.decode(chunk))))
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
        let mut copy = Self {
            file,
            identity,
            offset,
            check,
            unchanged_since: None,
            is_without_length: false,
            encoding: self.encoding,
            decoder: TextDecoder::in_text(self.encoding),
            text: GenerationText::new(),
        };
        let is_copy = read_after(&mut copy.file, copy.offset, &copy.check)?.is_some();
        Ok(is_copy.then_some(copy))
    }

    /// Continues the text of another generation.
    pub(super) fn continue_text(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.decoder, &mut other.decoder);
        std::mem::swap(&mut self.text, &mut other.text);
    }

    /// Restarts at the beginning of the file.
    pub(super) fn restart(&mut self) {
        self.offset = 0;
        self.check.clear();
        self.decoder = TextDecoder::new(self.encoding);
    }

    /// Handles that the file was renamed, or that another one was renamed after it. Returns its output.
    pub(super) fn grow_older(&mut self) -> Option<FileOutput> {
        self.text.grow_older()
    }

    /// Ends the generation. Returns the end of its last line, unless that is complete.
    pub(super) fn finish(&mut self) -> Vec<FileOutput> {
        let rest = self.decoder.finish();
        let rest = (!rest.is_empty()).then(|| self.text.push(rest));
        rest.into_iter().chain(self.text.end()).collect()
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
