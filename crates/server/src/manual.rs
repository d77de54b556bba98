//! `tailcast completions` and `tailcast man`: shell completions and manual pages, generated from the argument parser.

use std::io::{self, ErrorKind, Write};

use clap::CommandFactory;

use crate::{
    cli::{Cli, CompletionsOptions, ManOptions},
    failure::Failure,
};

/// Writes shell completions to standard output.
pub(crate) fn write_completions(options: &CompletionsOptions) -> Result<(), Failure> {
    let mut command = Cli::command();
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut command, "tailcast", &mut text);
    write_stdout(&text)
}

/// Writes the main manual page to standard output, or one page per command into a directory.
pub(crate) fn write_pages(options: &ManOptions) -> Result<(), Failure> {
    let command = Cli::command();
    let Some(folder) = &options.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Failure::runtime(format!("cannot generate the manual page: {error}")))?;
        return write_stdout(&page);
    };
    std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder)).map_err(
        |error| Failure::runtime(format!("cannot write the manual pages to {}: {error}", folder.display())),
    )
}

/// Writes to standard output. A closed pipe (`| head`) is not an error.
fn write_stdout(text: &[u8]) -> Result<(), Failure> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::runtime(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
