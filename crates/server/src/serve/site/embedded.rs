//! Page that is embedded in the binary, as a file system backend.
//!
//! Its files are part of the binary, so the operating system loads them into memory on first use.

use std::{
    borrow::Cow,
    future::{Ready, ready},
    io::{self, Cursor, ErrorKind, SeekFrom},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rust_embed::{Embed, EmbeddedFile};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

/// Embedded files.
#[derive(Debug, Clone, Copy, Embed)]
#[folder = "$TAILCAST_EMBEDDED_SITE"]
pub(super) struct Embedded;

impl Embedded {
    /// Whether the binary was built with a page.
    pub(super) fn has_page() -> bool {
        Self::get("index.html").is_some()
    }
}

impl Backend for Embedded {
    type File = OpenFile;
    type Metadata = FileMetadata;
    type OpenFuture = Ready<io::Result<OpenFile>>;
    type MetadataFuture = Ready<io::Result<FileMetadata>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(
            name(&path)
                .and_then(|name| Self::get(&name))
                .map(OpenFile::new)
                .ok_or(ErrorKind::NotFound.into()),
        )
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let found = name(&path).and_then(|name| match Self::get(&name) {
            Some(file) => Some(FileMetadata::of(&file)),
            None => is_folder(&name).then_some(FileMetadata::Folder),
        });
        ready(found.ok_or(ErrorKind::NotFound.into()))
    }
}

/// Converts a path to the name of an embedded file: components separated by `/`, without a leading one.
fn name(path: &Path) -> Option<String> {
    use std::path::Component::{CurDir, Normal};
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Normal(part) => parts.push(part.to_str()?),
            CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

fn is_folder(name: &str) -> bool {
    name.is_empty()
        || Embedded::iter().any(|file| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

/// Open embedded file.
pub(super) struct OpenFile {
    bytes: Cursor<Cow<'static, [u8]>>,
    metadata: FileMetadata,
}

impl OpenFile {
    fn new(file: EmbeddedFile) -> Self {
        Self { metadata: FileMetadata::of(&file), bytes: Cursor::new(file.data) }
    }
}

impl AsyncRead for OpenFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(cx, buf)
    }
}

impl AsyncSeek for OpenFile {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.bytes).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.bytes).poll_complete(cx)
    }
}

impl File for OpenFile {
    type Metadata = FileMetadata;
    type MetadataFuture<'a> = Ready<io::Result<FileMetadata>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.metadata))
    }
}

/// Metadata of an embedded file.
#[derive(Debug, Clone, Copy)]
pub(super) enum FileMetadata {
    Folder,
    File { bytes: u64, modified: SystemTime },
}

impl FileMetadata {
    fn of(file: &EmbeddedFile) -> Self {
        let seconds = file.metadata.last_modified().unwrap_or_default();
        // The ETag is derived from modification time and length. To differ between builds within one second, or from an
        // archive whose files have equal times, the fraction of the second is derived from the content.
        let [a, b, c, d, ..] = file.metadata.sha256_hash();
        let nanoseconds = u32::from_be_bytes([a, b, c, d]) % 1_000_000_000;
        let modified = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        Self::File { bytes: file.data.len() as u64, modified }
    }
}

impl Metadata for FileMetadata {
    fn is_dir(&self) -> bool {
        matches!(self, Self::Folder)
    }

    fn modified(&self) -> io::Result<SystemTime> {
        match self {
            Self::File { modified, .. } => Ok(*modified),
            Self::Folder => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::File { bytes, .. } => *bytes,
            Self::Folder => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalized_and_never_leave_the_root() {
        assert_eq!(name(Path::new("./a/b.js")).as_deref(), Some("a/b.js"));
        assert_eq!(name(Path::new("./.")).as_deref(), Some(""));
        assert_eq!(name(Path::new("./../secret")), None);
        assert_eq!(name(Path::new("/etc/passwd")), None);
        assert!(is_folder(""));
        assert!(!is_folder("nowhere"));
    }
}
