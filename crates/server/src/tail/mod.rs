//! `tailcast tail FILE…`: publishes the lines that are appended to files.
//!
//! ```text
//! files ─► thread: polls each file, woken by notifications or a timer ─► whole lines ─► pipeline
//! ```
//!
//! [`FollowedFile::poll`] detects every change since the previous poll. Notifications of the operating system only reduce the
//! delay; they can be spurious or missing.

mod change_watcher;
mod followed_file;
mod generation;
mod last_lines;

use std::{ffi::OsStr, path::Path, time::Instant};

use crate::{
    cli::TailOptions,
    failure::Failure,
    pipeline::{
        self,
        input::{Closed, Input, InputSender},
        line_assembler::Decoration,
        stop_requests::StopRequests,
    },
    signals::Signals,
    usage_error::UsageError,
};
use change_watcher::ChangeWatcher;
use followed_file::FollowedFile;

/// Follows the files until a signal, or until the client gives up.
pub(crate) async fn run(options: TailOptions) -> Result<(), Failure> {
    let stop_requests = StopRequests::from_signals(Signals::listen()?);
    if let Some(other) = options.files.iter().find(|path| path.exists() && !path.is_file()) {
        return Err(UsageError::NotAFile { path: other.clone() }.into());
    }
    let names = names(&options.files);
    let files: Vec<FollowedFile> = options
        .files
        .into_iter()
        .zip(names)
        .map(|(file, name)| {
            let decoration = name.map_or_else(Decoration::none, |name| Decoration::prefix(&name));
            FollowedFile::new(file, decoration, options.lines)
        })
        .collect();
    let (sender, input) = Input::channel();
    // A thread, because reading files and waiting for the pipeline block. It is not joined when the program ends: it has no
    // state to save.
    std::thread::spawn(move || follow(files, &sender));
    pipeline::run("tail", options.target, input, stop_requests).await
}

/// Polls the files until the pipeline is closed.
fn follow(mut files: Vec<FollowedFile>, sender: &InputSender) {
    let mut watcher = ChangeWatcher::new(files.iter().map(FollowedFile::path));
    loop {
        let mut is_more_available = false;
        for file in &mut files {
            match file.poll(Instant::now(), &mut |lines| sender.blocking_send(lines)) {
                Ok(is_more) => is_more_available |= is_more,
                Err(Closed) => return,
            }
        }
        if !is_more_available {
            watcher.wait();
        }
    }
}

/// Returns the prefixes of several files: their names, or their paths where names are equal. A single file has none.
fn names(files: &[impl AsRef<Path>]) -> Vec<Option<String>> {
    let name = |file: &Path| file.file_name().unwrap_or(OsStr::new("?")).to_string_lossy().into_owned();
    let name_of = |file: &Path| {
        let own = name(file);
        let is_shared = files.iter().filter(|other| name(other.as_ref()) == own).count() > 1;
        if is_shared { file.display().to_string() } else { own }
    };
    match files {
        [_] => vec![None],
        _ => files
            .iter()
            .map(|file| Some(crate::terminal::without_controls(&name_of(file.as_ref())).into_owned()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_names_are_extended_to_paths() {
        assert_eq!(names(&["/var/log/app.log"]), [None]);
        let several = names(&["a/app.log", "b/app.log", "b/db.log"]);
        assert_eq!(several, ["a/app.log", "b/app.log", "db.log"].map(|name| Some(name.to_owned())));
    }
}
