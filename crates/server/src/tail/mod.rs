//! `tailcast tail FILE…`: publishes the lines that are appended to files.
//!
//! ```text
//! files ─► thread: polls each file, woken by notifications or a timer ─► text ─► pipeline
//! ```
//!
//! [`FollowedFile::poll`] detects every change since the previous poll. Notifications of the operating system only reduce the
//! delay; they can be spurious or missing.

mod change_watcher;
mod file_output;
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
        publisher::Publisher,
        stop_requests::StopRequests,
    },
    publish_session::{PublishCommand, PublishSession},
    signals::Signals,
    usage_error::UsageError,
};
use change_watcher::ChangeWatcher;
use file_output::{FileOutput, SOURCES_PER_FILE};
use followed_file::FollowedFile;

/// Follows the files until a signal, or until the client gives up.
pub(crate) async fn run(command: PublishCommand, options: TailOptions) -> Result<(), Failure> {
    let target = command.target(&options.target)?;
    let mut stop_requests = StopRequests::from_signals(Signals::listen_with_hang_up()?);
    if let Some(other) = options.files.iter().find(|path| path.exists() && !path.is_file()) {
        return Err(UsageError::NotAFile { path: other.clone() }.into());
    }
    let session = PublishSession::open(command, &options.target, target).await?;
    let publisher = Publisher::of_sources(sources(names(&options.files)));
    let (encoding, lines) = (options.text.encoding, options.lines);
    let files: Vec<FollowedFile> =
        options.files.into_iter().map(|file| FollowedFile::new(file, encoding, lines)).collect();
    let (sender, input) = Input::channel();
    // A thread, because reading files and waiting for the pipeline block. It is not joined when the program ends: it has no
    // state to save.
    std::thread::spawn(move || follow(files, &sender));
    let target = session.target();
    let published = pipeline::run(command.program, target, publisher, input, &mut stop_requests).await;
    let was_stopped = stop_requests.was_requested();
    session.finish(published, was_stopped, stop_requests.next()).await
}

/// Returns the names of the pipeline's sources.
fn sources(files: Vec<String>) -> Vec<String> {
    files.into_iter().flat_map(|name| std::iter::repeat_n(name, SOURCES_PER_FILE)).collect()
}

/// Polls the files until the pipeline is closed.
fn follow(mut files: Vec<FollowedFile>, sender: &InputSender) {
    let mut watcher = ChangeWatcher::new(files.iter().map(FollowedFile::path));
    loop {
        let mut is_more_available = false;
        for (number, file) in files.iter_mut().enumerate() {
            let mut send = |output: FileOutput| sender.blocking_send(output.into_input(number));
            match file.poll(Instant::now(), &mut send) {
                Ok(is_more) => is_more_available |= is_more,
                Err(Closed) => return,
            }
        }
        if !is_more_available {
            watcher.wait();
        }
    }
}

/// Returns the names of several files, or their paths where names are equal. A single file has none.
fn names(files: &[impl AsRef<Path>]) -> Vec<String> {
    let name = |file: &Path| file.file_name().unwrap_or(OsStr::new("?")).to_string_lossy().into_owned();
    let name_of = |file: &Path| {
        let own = name(file);
        let is_shared = files.iter().filter(|other| name(other.as_ref()) == own).count() > 1;
        if is_shared { file.display().to_string() } else { own }
    };
    match files {
        [_] => vec![String::new()],
        _ => files
            .iter()
            .map(|file| crate::terminal::without_controls(&name_of(file.as_ref())).into_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_names_are_extended_to_paths() {
        assert_eq!(names(&["/var/log/app.log"]), [""]);
        let several = names(&["a/app.log", "b/app.log", "b/db.log"]);
        assert_eq!(several, ["a/app.log", "b/app.log", "db.log"]);
    }
}
