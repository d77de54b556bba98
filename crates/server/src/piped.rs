//! `some-command | tailcast`: serves the page, and publishes the lines of standard input to it.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::CommandFactory;

use crate::{
    cli::{Cli, StreamOptions},
    failure::Failure,
    publish_session::PublishCommand,
    stream,
    terminal::write_line,
};

/// Exit code of wrong usage.
const USAGE: u8 = 2;

/// Publishes standard input, or prints the help if nothing is piped into the program.
pub(crate) async fn run(program: &'static str, options: StreamOptions) -> Result<ExitCode, Failure> {
    if !has_input() {
        write_line(io::stderr(), format_args!("{}", Cli::command().render_help()));
        return Ok(ExitCode::from(USAGE));
    }
    stream::run(PublishCommand { program, serves_by_default: true }, options).await?;
    Ok(ExitCode::SUCCESS)
}

/// Whether standard input is neither a terminal nor the null device.
fn has_input() -> bool {
    !io::stdin().is_terminal() && !is_null_device()
}

#[cfg(unix)]
fn is_null_device() -> bool {
    use std::{
        fs::{self, File},
        os::{
            fd::AsFd,
            unix::fs::{FileTypeExt, MetadataExt},
        },
    };
    let input = io::stdin().as_fd().try_clone_to_owned().and_then(|input| File::from(input).metadata());
    let (Ok(input), Ok(null)) = (input, fs::metadata("/dev/null")) else { return false };
    input.file_type().is_char_device() && input.rdev() == null.rdev()
}

#[cfg(not(unix))]
fn is_null_device() -> bool {
    false
}
