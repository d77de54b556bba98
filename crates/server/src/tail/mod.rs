//! `tailcast tail FILE…`: what is written to files, to a group.
//!
//! ```text
//! files ─► thread: a look at each, woken by the system or by the clock ─► whole lines ─► publishing
//! ```
//!
//! A [`FollowedFile`] knows what to do at each look, whatever has happened to the file since the last one. The system's
//! notifications only make the looks prompt; none of them has to be right, or to come at all.

mod followed_file;
mod generation;
mod last_lines;
mod wake_up;

use std::{ffi::OsStr, path::Path, time::Instant};

use crate::{
    cli::TailOptions,
    failure::Failure,
    publishing::{
        self,
        input::{Closed, Input, InputSender},
        stopping::Stopping,
        whole_lines::Mark,
    },
    signals::Signals,
};
use followed_file::FollowedFile;
use wake_up::WakeUp;

/// Follows until a signal comes, or the client gives up.
pub(crate) async fn run(options: TailOptions) -> Result<(), Failure> {
    let stopping = Stopping::by_signals(Signals::listen()?);
    if let Some(other) = options.files.iter().find(|path| path.exists() && !path.is_file()) {
        return Err(Failure::usage(format!(
            "{} is no file to follow; name files, and give what comes through a pipe to `tailcast stream`",
            other.display()
        )));
    }
    let names = names(&options.files);
    let files: Vec<FollowedFile> = options
        .files
        .into_iter()
        .zip(names)
        .map(|(file, name)| {
            let mark = name.map_or_else(Mark::none, |name| Mark::name(&name));
            FollowedFile::new(file, mark, options.lines)
        })
        .collect();
    let (sender, input) = Input::channel();
    // A thread, because reading files blocks, and waiting for publishing does too. Left behind when the program ends; it
    // holds nothing that must be saved.
    std::thread::spawn(move || follow(files, &sender));
    publishing::publish("tail", options.destination, input, stopping).await
}

/// Looks again and again, until nobody wants more.
fn follow(mut files: Vec<FollowedFile>, sender: &InputSender) {
    let mut wake_up = WakeUp::at_changes(files.iter().map(FollowedFile::path));
    loop {
        let mut is_more_there = false;
        for file in &mut files {
            let found = file.look(Instant::now(), &mut |lines| sender.blocking_send(lines));
            match found {
                Ok(is_more) => is_more_there |= is_more,
                Err(Closed) => return,
            }
        }
        if !is_more_there {
            wake_up.wait();
        }
    }
}

/// How several files are told apart: by their names, or where two have the same, by their paths. One alone has none.
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
            .map(|file| Some(crate::terminal::plain(&name_of(file.as_ref())).into_owned()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_as_briefly_as_can_be() {
        assert_eq!(names(&["/var/log/app.log"]), [None]);
        let several = names(&["a/app.log", "b/app.log", "b/db.log"]);
        assert_eq!(several, ["a/app.log", "b/app.log", "db.log"].map(|name| Some(name.to_owned())));
    }
}
