//! Waiting for changes of files: by notifications of the operating system, and by polling.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Interval of polling. Some file systems send no notifications (NFS, FUSE), and a watched directory can be created later.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Minimum pause between two polls: a busy directory would otherwise wake the thread continuously. Lines that are written
/// meanwhile are read together.
const SETTLE_PAUSE: Duration = Duration::from_millis(5);

/// Watcher of the directories of the followed files.
pub(super) struct ChangeWatcher {
    changed: Receiver<()>,
    /// Watches until it is dropped. `None` if the system has no notifications; polling remains.
    _watcher: Option<RecommendedWatcher>,
    _sender: SyncSender<()>,
}

impl ChangeWatcher {
    /// Watches the directories of `files`, and those of the targets of symbolic links.
    pub(super) fn new<'a>(files: impl Iterator<Item = &'a Path>) -> Self {
        // One notification is enough, however many changes there were.
        let (sender, changed) = sync_channel(1);
        let kept_sender = sender.clone();
        let notify = move |_: notify::Result<notify::Event>| match sender.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) | Err(TrySendError::Disconnected(())) => {}
        };
        let mut watcher = notify::recommended_watcher(notify)
            .inspect_err(|error| tracing::info!(%error, "file notifications are unavailable; polling"))
            .ok();
        let folders: BTreeSet<PathBuf> = files.flat_map(folders_of).collect();
        for folder in folders {
            let watched = watcher.as_mut().map(|watcher| watcher.watch(&folder, RecursiveMode::NonRecursive));
            if let Some(Err(error)) = watched {
                tracing::info!(%error, folder = %folder.display(), "cannot watch the directory; polling");
            }
        }
        Self { changed, _watcher: watcher, _sender: kept_sender }
    }

    /// Waits for a change, for at most [`POLL_INTERVAL`].
    pub(super) fn wait(&mut self) {
        std::thread::sleep(SETTLE_PAUSE);
        match self.changed.recv_timeout(POLL_INTERVAL) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            // Cannot happen, as `self` has a sender; polling would continue.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(POLL_INTERVAL),
        }
    }
}

fn folders_of(file: &Path) -> Vec<PathBuf> {
    let own = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let link_target = file.canonicalize().ok().and_then(|file| Some(file.parent()?.to_owned()));
    std::iter::once(own.to_owned()).chain(link_target).collect()
}
