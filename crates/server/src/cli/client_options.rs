//! Arguments of the commands that publish to a server or read from it.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::Args;
use encoding_rs::Encoding;

use crate::text_decoder::parse_encoding;

/// Publish the lines of standard input to every open page
#[derive(Debug, Args)]
pub(crate) struct StreamOptions {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    pub(crate) text: TextOptions,
}

/// Run a command and publish its output to every open page, with standard error as a source of its own
///
/// The command runs without a shell, in a terminal of its own if standard output and standard error are terminals. Its output is
/// also written to standard output and standard error, and signals are forwarded to it. The exit code is that of the command; 128 + n if signal n ended it; 126 or 127 if it cannot be run.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    /// Run the command in a terminal of its own. It then writes as to a terminal, with colors, and without buffering
    /// [default if standard output and standard error are terminals]
    #[arg(long, overrides_with = "no_pty")]
    pub(crate) pty: bool,
    /// Run the command without a terminal: its outputs are pipes
    #[arg(long)]
    pub(crate) no_pty: bool,
    #[command(flatten)]
    pub(crate) text: TextOptions,
    /// Command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// Follow files and publish their lines to every open page, across rotation and truncation
///
/// With several files, each one is a source of its own in the page, by its name. Files that do not exist yet are followed once
/// they are created.
#[derive(Debug, Args)]
pub(crate) struct TailOptions {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[command(flatten)]
    pub(crate) text: TextOptions,
    /// Number of existing lines to publish from the end of each file
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: u64,
    /// Accepted for compatibility with other programs: files are always followed
    #[arg(short = 'f', long)]
    pub(crate) follow: bool,
    /// Accepted for compatibility with other programs: files are always followed by name, across rotation
    #[arg(short = 'F')]
    pub(crate) follow_name: bool,
    /// Files to follow. A pattern such as *.log is expanded by the shell, once, to the files that exist
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Print the lines of a group, earlier ones and those that arrive, with their colours
#[derive(Debug, Args)]
pub(crate) struct WatchOptions {
    #[command(flatten)]
    pub(crate) server: ServerOptions,
    /// Number of earlier lines to print
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: u64,
    /// Print the earlier lines since an age (10m) or a time (2026-11-30T12:00:00Z), in place of --lines
    #[arg(long, value_name = "AGE|TIME", conflicts_with = "lines", value_parser = since)]
    pub(crate) since: Option<String>,
    /// End after the earlier lines
    #[arg(long)]
    pub(crate) no_follow: bool,
}

/// Text of the input.
#[derive(Debug, Args)]
pub(crate) struct TextOptions {
    /// Encoding of the input, such as windows-1252 or shift_jis [default: UTF-8, or UTF-16 with a byte order mark]
    #[arg(long, value_name = "NAME", value_parser = parse_encoding)]
    pub(crate) encoding: Option<&'static Encoding>,
}

/// Target of published lines.
#[derive(Debug, Args)]
pub(crate) struct TargetOptions {
    #[command(flatten)]
    pub(crate) server: ServerOptions,
    #[command(flatten)]
    pub(crate) local: LocalServerOptions,
}

/// Server and group.
#[derive(Debug, Args)]
pub(crate) struct ServerOptions {
    /// URL of the server's page, such as https://logs.example.com [default: http://127.0.0.1:8080] [env: TAILCAST_SERVER]
    // The parser would refuse the variable beside --negotiate.
    #[arg(long, value_name = "URL", overrides_with = "negotiate")]
    pub(crate) server: Option<String>,
    /// URL of the negotiate endpoint, in place of --server
    #[arg(long, value_name = "URL", overrides_with = "server")]
    pub(crate) negotiate: Option<String>,
    /// Name of the group [default: stream]
    #[arg(long, value_name = "NAME", env = "TAILCAST_GROUP")]
    pub(crate) group: Option<String>,
    /// Publish key of the server, if it requires one
    #[arg(long, value_name = "KEY", env = "TAILCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// File with the publish key, in place of --publish-key
    #[arg(long, value_name = "FILE")]
    pub(crate) publish_key_file: Option<PathBuf>,
    /// Password of viewers, if the server requires one
    #[arg(long, value_name = "PASSWORD", env = "TAILCAST_VIEWER_PASSWORD", hide_env_values = true)]
    pub(crate) viewer_password: Option<String>,
    /// File with the password of viewers, in place of --viewer-password
    #[arg(long, value_name = "FILE")]
    pub(crate) viewer_password_file: Option<PathBuf>,
    /// PEM file of a certificate authority that is trusted besides those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Stop after this many seconds without a connection. A refused group or key stops immediately
    /// [default: 30; 5 once the input has ended, if there was no connection yet]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) give_up_after: Option<Duration>,
}

/// Server in the same process.
#[derive(Debug, Args)]
pub(crate) struct LocalServerOptions {
    /// Serve the page from this process, or use the Tailcast that already serves it on this machine. Default without a command
    #[arg(long)]
    pub(crate) serve: bool,
    /// Port to serve the page at; the next free one if another program uses it. Implies --serve [default: 8080]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Open the page in a browser
    #[arg(long)]
    pub(crate) open: bool,
    /// With --serve, end once the input has ended and every viewer has its lines, in place of serving until Ctrl-C. With --open,
    /// wait for the browser, for at most 30 seconds
    #[arg(long)]
    pub(crate) exit: bool,
}

impl LocalServerOptions {
    /// Whether a flag requests a server in this process.
    pub(crate) fn is_wanted(&self) -> bool {
        self.serve || self.port.is_some()
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, such as 30".to_owned())
}

/// Checks an age or a time as the service reads it.
fn since(text: &str) -> Result<String, String> {
    let is_valid = humantime::parse_duration(text).is_ok() || humantime::parse_rfc3339(text).is_ok();
    let expected = "expected an age such as 10m, or a time such as 2026-11-30T12:00:00Z";
    if is_valid { Ok(text.to_owned()) } else { Err(expected.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_times_are_checked() {
        assert!(since("10m").is_ok() && since("2026-11-30T12:00:00Z").is_ok());
        assert!(since("soon").is_err() && since("").is_err() && since("-5m").is_err());
    }
}
