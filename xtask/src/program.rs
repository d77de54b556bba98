//! Child processes: their environment, their output and the errors of failures.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use anyhow::{Context, Result, bail};

/// Interval between checks of a program with a time limit.
const POLL_PAUSE: Duration = Duration::from_millis(50);

/// Variables that `cargo run` and the proxies of rustup set for *this* process. A child that inherited them would report
/// our manifest as its own, or run the programs of one toolchain with the libraries of another. `RUSTUP_TOOLCHAIN` is
/// inherited: the toolchain of `cargo +NAME xtask` also applies to the children.
const ABOUT_US_ONLY: [&str; 7] = [
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "RUST_RECURSION_COUNT",
];

/// Variables to which `cargo run` and rustup prepend library folders.
const LIBRARY_PATHS: [&str; 2] = ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// A program to run. Its standard input is empty: no step may wait for a person.
#[derive(Debug)]
pub struct Program {
    command: Command,
    shown: String,
    shows_itself: bool,
    has_output: bool,
}

/// Outcome of a program with a time limit.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// Exit code 0.
    Succeeded,
    /// Another exit code, or a signal.
    Failed,
    /// Stopped, because it was still running at the limit.
    OutOfTime,
}

impl Program {
    /// Creates a command for the program `name` on the `PATH` of the child.
    pub fn new(name: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(name.as_ref());
        for variable in ABOUT_US_ONLY {
            command.env_remove(variable);
        }
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("CARGO_PKG_") {
                command.env_remove(variable);
            }
        }
        for variable in LIBRARY_PATHS {
            if let Some(value) = env::var_os(variable) {
                match without_toolchain_dirs(&value) {
                    Some(value) => command.env(variable, value),
                    None => command.env_remove(variable),
                };
            }
        }
        command.stdin(Stdio::null());
        Self {
            command,
            shown: name.as_ref().to_string_lossy().into_owned(),
            shows_itself: true,
            has_output: true,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable for the child only.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Hides a variable from the child.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Sets the working folder of the child.
    #[must_use]
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Does not print the command line before running it.
    #[must_use]
    pub fn quietly(mut self) -> Self {
        self.shows_itself = false;
        self
    }

    /// Discards the output.
    #[must_use]
    pub fn without_output(mut self) -> Self {
        self.has_output = false;
        self.quietly()
    }

    /// Runs the program as part of a step. All of its output goes to standard error at once.
    ///
    /// # Errors
    /// When it cannot start, or ends with anything but exit code 0.
    pub fn run(mut self) -> Result<()> {
        self.send_output_to_stderr();
        self.run_to_success()
    }

    /// Runs the program with its standard output on ours.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_on_stdout(self) -> Result<()> {
        self.run_to_success()
    }

    /// Runs the program as [`Self::run`] does, but stops it after `limit`.
    ///
    /// # Errors
    /// When it cannot start, or its status cannot be read. A failure of the program is a value.
    pub fn run_within(mut self, limit: Duration) -> Result<Ending> {
        self.send_output_to_stderr();
        self.show();
        let mut child = self.start()?;
        let deadline = Instant::now() + limit;
        loop {
            match child.try_wait().with_context(|| format!("cannot wait for `{}`", self.shown))? {
                Some(status) if status.success() => return Ok(Ending::Succeeded),
                Some(_) => return Ok(Ending::Failed),
                None if Instant::now() >= deadline => {
                    child.kill().with_context(|| format!("cannot stop `{}`", self.shown))?;
                    child.wait().with_context(|| format!("cannot wait for `{}`", self.shown))?;
                    return Ok(Ending::OutOfTime);
                }
                None => thread::sleep(POLL_PAUSE),
            }
        }
    }

    /// Runs the program silently and returns its trimmed standard output.
    ///
    /// # Errors
    /// As [`Self::run`]. The message ends with the standard error of the program.
    pub fn capture(mut self) -> Result<String> {
        let output = self.command.output().with_context(|| format!("cannot start `{}`", self.shown))?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` {}: {}", self.shown, how_it_ended(output.status), complaint.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Returns the command, for callers that need its pipes.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Prints the command line, so that it can be repeated by hand.
    fn show(&self) {
        if self.shows_itself {
            eprintln!("    $ {}", self.shown);
        }
    }

    fn send_output_to_stderr(&mut self) {
        if self.has_output {
            self.command.stdout(Stdio::from(io::stderr()));
        } else {
            self.command.stdout(Stdio::null()).stderr(Stdio::null());
        }
    }

    fn start(&mut self) -> Result<Child> {
        self.command.spawn().with_context(|| format!("cannot start `{}`", self.shown))
    }

    fn run_to_success(mut self) -> Result<()> {
        self.show();
        let status = self.start()?.wait().with_context(|| format!("cannot wait for `{}`", self.shown))?;
        if !status.success() {
            bail!("`{}` {}", self.shown, how_it_ended(status));
        }
        Ok(())
    }
}

fn how_it_ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended by a signal ({status})"),
    }
}

/// Returns the library folders of the user; `None` when there are none.
fn without_toolchain_dirs(value: &OsStr) -> Option<OsString> {
    let is_foreign = |dir: &PathBuf| {
        let text = dir.to_string_lossy().replace('\\', "/");
        !(text.contains("/toolchains/") || text.contains("/rustlib/") || is_cargo_output(&text))
    };
    let kept: Vec<PathBuf> = env::split_paths(value).filter(is_foreign).collect();
    if kept.is_empty() { None } else { env::join_paths(kept).ok() }
}

fn is_cargo_output(dir: &str) -> bool {
    ["/debug", "/debug/deps", "/release", "/release/deps"].iter().any(|end| dir.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_folders_of_cargo_and_rustup_are_dropped_and_others_kept() {
        let ours = "/w/target/debug:/w/target/debug/deps:/h/.rustup/toolchains/stable/lib";
        assert_eq!(without_toolchain_dirs(OsStr::new(ours)), None);
        let mixed = format!("{ours}:/opt/cuda/lib");
        assert_eq!(without_toolchain_dirs(OsStr::new(&mixed)), Some(OsString::from("/opt/cuda/lib")));
    }

    #[test]
    fn a_failure_names_the_command_and_its_exit_code() {
        let complaint = Program::new("rustc").arg("--no-such-option").capture();
        let message = complaint.map_err(|error| error.to_string());
        assert!(
            message
                .as_ref()
                .is_err_and(|text| text.starts_with("`rustc --no-such-option` ended with exit code 1")),
            "{message:?}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_program_past_its_limit_is_stopped() -> Result<()> {
        let ending = Program::new("sleep").arg("60").quietly().run_within(Duration::from_millis(1))?;
        assert_eq!(ending, Ending::OutOfTime);
        Ok(())
    }
}
