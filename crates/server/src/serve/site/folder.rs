//! Page from a directory, as a file system backend.
//!
//! Only regular files inside of the directory are served. A symbolic link could lead to any file of the machine, and a FIFO
//! blocks the thread that opens it until another process writes to it.

use std::{
    future::Future,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use tower_http::services::fs::{Backend, TokioBackend, TokioFile};

type IoFuture<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Files of a directory.
#[derive(Debug, Clone)]
pub(super) struct Folder(Arc<Path>);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.into())
    }

    /// Returns the path of a file or directory without symbolic links. `path` is relative to the directory.
    ///
    /// # Errors
    /// `NotFound` if it does not exist, is outside of the directory, or is neither a regular file nor a directory.
    async fn resolve(&self, path: PathBuf) -> io::Result<PathBuf> {
        let folder = Arc::clone(&self.0);
        let resolved = tokio::task::spawn_blocking(move || resolve(&folder, &path)).await;
        // The task is only cancelled when the program ends.
        resolved.map_err(io::Error::other)?
    }
}

fn resolve(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    // The directory itself can be a link that changes, such as one to the current release.
    let root = folder.canonicalize()?;
    // Loops of links and overlong names are not errors of the server.
    let target = root.join(path).canonicalize().map_err(|_| ErrorKind::NotFound)?;
    let metadata = target.metadata()?;
    let is_served = target.starts_with(&root) && (metadata.is_file() || metadata.is_dir());
    if is_served { Ok(target) } else { Err(ErrorKind::NotFound.into()) }
}

impl Backend for Folder {
    type File = TokioFile;
    type Metadata = std::fs::Metadata;
    type OpenFuture = IoFuture<TokioFile>;
    type MetadataFuture = IoFuture<std::fs::Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let folder = self.clone();
        Box::pin(async move { TokioBackend.open(folder.resolve(path).await?).await })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let folder = self.clone();
        Box::pin(async move { TokioBackend.metadata(folder.resolve(path).await?).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_outside_of_the_directory_are_not_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let is_found = |path: &str| resolve(&folder, Path::new(path)).is_ok();
        assert!(is_found("./main.rs") && is_found("serve") && is_found("./serve/mod.rs"));
        for path in
            ["../Cargo.toml", "serve/../../Cargo.toml", "/etc/passwd", "/", "none", "main.rs/x", "a\0b"]
        {
            assert!(!is_found(path), "{path}");
        }
        assert!(!is_found(&"n".repeat(5000)));
    }
}
