//! When to look again: when the system says that something changed, and in any case now and then.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// How often to look without being told to: some file systems tell nothing (NFS, FUSE), and a folder may come to be later.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How soon after a look the next may come: a folder in which much is written would wake us without end, and lines that come
/// together are read together.
const SETTLE_PAUSE: Duration = Duration::from_millis(5);

/// A wait that changes cut short.
pub(super) struct WakeUp {
    changed: Receiver<()>,
    /// Watches as long as it lives. `None` where the system cannot: then the clock alone wakes.
    _watcher: Option<RecommendedWatcher>,
    _keep: SyncSender<()>,
}

impl WakeUp {
    /// Watches the folders of `files`, and those of the files that symbolic links lead to.
    pub(super) fn at_changes<'a>(files: impl Iterator<Item = &'a Path>) -> Self {
        // One place: that something changed needs to be known once.
        let (tell, changed) = sync_channel(1);
        let keep = tell.clone();
        let told = move |_: notify::Result<notify::Event>| match tell.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) | Err(TrySendError::Disconnected(())) => {}
        };
        let mut watcher = notify::recommended_watcher(told)
            .inspect_err(|error| tracing::info!(%error, "changes are looked for by the clock"))
            .ok();
        let folders: BTreeSet<PathBuf> = files.flat_map(folders_of).collect();
        for folder in folders {
            let watched = watcher.as_mut().map(|watcher| watcher.watch(&folder, RecursiveMode::NonRecursive));
            if let Some(Err(error)) = watched {
                tracing::info!(%error, folder = %folder.display(), "looked at by the clock");
            }
        }
        Self { changed, _watcher: watcher, _keep: keep }
    }

    /// Waits for a change, but no longer than [`POLL_INTERVAL`].
    pub(super) fn wait(&mut self) {
        std::thread::sleep(SETTLE_PAUSE);
        match self.changed.recv_timeout(POLL_INTERVAL) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            // Cannot be while we hold a sender; the clock would do.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(POLL_INTERVAL),
        }
    }
}

fn folders_of(file: &Path) -> Vec<PathBuf> {
    let own = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let behind_links = file.canonicalize().ok().and_then(|file| Some(file.parent()?.to_owned()));
    std::iter::once(own.to_owned()).chain(behind_links).collect()
}
