//! `tailcast completions` and `tailcast man`: what the argument parser knows, for shells and for `man`.

use std::io::{self, ErrorKind, Write};

use clap::CommandFactory;

use crate::{
    cli::{Cli, CompletionsOptions, ManOptions},
    failure::Failure,
};

/// Writes completions to standard output.
pub(crate) fn write_completions(options: &CompletionsOptions) -> Result<(), Failure> {
    let mut command = Cli::command();
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut command, "tailcast", &mut text);
    write_out(&text)
}

/// Writes the main page to standard output, or a page for each command into a folder.
pub(crate) fn write_pages(options: &ManOptions) -> Result<(), Failure> {
    let command = Cli::command();
    let Some(folder) = &options.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Failure::at_run_time(format!("the page cannot be made: {error}")))?;
        return write_out(&page);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| Failure::at_run_time(format!("{} cannot be written to: {error}", folder.display())))
}

/// A reader that has read enough (`| head`) is no failure.
fn write_out(text: &[u8]) -> Result<(), Failure> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::at_run_time(format!("standard output cannot be written to: {error}")))
        }
        _ => Ok(()),
    }
}
