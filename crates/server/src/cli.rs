//! Command-line arguments. [`crate::serve::config`] and the commands validate their values.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand, value_parser};
use encoding_rs::Encoding;
use webpubsub_hub::DEFAULT_MEMORY_LIMIT_BYTES;

use crate::text_decoder::parse_encoding;

#[derive(Debug, Parser)]
#[command(name = "tailcast", version, about = "Stream the output of commands and files live to web browsers", long_about = LONG_ABOUT)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: CliCommand,
}

/// Default of `--group`.
pub(crate) const DEFAULT_GROUP: &str = "stream";

/// Default of `--memory-limit`.
pub(crate) const DEFAULT_MEMORY_LIMIT: ByteSize = ByteSize(DEFAULT_MEMORY_LIMIT_BYTES as u64);

const LONG_ABOUT: &str = "Stream the output of commands and files live to web browsers.

  tailcast serve                     serve the page on http://127.0.0.1:8080
  some-command | tailcast stream     publish the lines of standard input
  tailcast run -- some-command       run a command and publish its output
  tailcast tail app.log              publish the lines that are appended to a file
  tailcast watch                     print the lines in a terminal, earlier ones first
  tailcast hub                       run only the Web PubSub compatible service, for an application's tests

Tailcast uses the protocols of Azure Web PubSub. With a connection string, `serve` sends clients to that service; \
without one, it runs a compatible service in the same process.

Exit codes: 0 success, with every line acknowledged; 1 runtime error; 2 usage error.
Set TAILCAST_LOG=debug for detailed logs on standard error.";

#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    Serve(ServeOptions),
    Hub(HubOptions),
    Stream(StreamOptions),
    Run(RunOptions),
    Tail(TailOptions),
    Watch(WatchOptions),
    Publish(PublishOptions),
    Completions(CompletionsOptions),
    Man(ManOptions),
}

impl CliCommand {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Serve(_) => "serve",
            Self::Hub(_) => "hub",
            Self::Stream(_) => "stream",
            Self::Run(_) => "run",
            Self::Tail(_) => "tail",
            Self::Watch(_) => "watch",
            Self::Publish(_) => "publish",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}

/// Serve the page and the negotiate endpoint, and without a connection string the service itself
#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// Connection string of an Azure Web PubSub service, `Endpoint=https://…;AccessKey=…;`.
    /// Without it, the embedded service runs on the same port, and its connection string is printed
    #[arg(env = "WEBPUBSUB_CONNECTION_STRING", hide_env_values = true)]
    pub(crate) connection_string: Option<String>,
    /// Hub that clients connect to
    #[arg(long, default_value = "stream")]
    pub(crate) hub: String,
    /// Group that clients can join and publish to
    #[arg(long, default_value = DEFAULT_GROUP)]
    pub(crate) group: String,
    /// Pattern of further groups that clients can request (`/negotiate?group=NAME`), such as `build-*`, or `**` for all
    /// groups; repeatable [default: all groups with the well-known development key, otherwise none]
    #[arg(long, value_name = "PATTERN")]
    pub(crate) allow_group: Vec<String>,
    /// Directory of the built page, instead of the embedded page. A binary without an embedded page defaults to `site`
    /// in its own directory, then to `target/site` in the working directory
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Option<PathBuf>,
    /// Key that clients must send to /negotiate for permission to publish (`tailcast stream --publish-key KEY`). Without
    /// it, all clients can publish if the server is reachable only from this machine, otherwise none
    #[arg(long, value_name = "KEY", env = "TAILCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// Lifetime of the tokens of /negotiate, in seconds. Open connections outlive their token
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = value_parser!(u64).range(60..=86_400))]
    pub(crate) token_lifetime: u64,
    /// Request header in which a trusted proxy sends the id of its signed-in user. `?id=` is then ignored
    #[arg(long, value_name = "NAME", requires = "trusted_proxy")]
    pub(crate) user_header: Option<String>,
    /// Maximum requests to /negotiate per minute and client address if other hosts can reach the server; 0 for no limit
    #[arg(long, value_name = "TIMES", default_value_t = 120)]
    pub(crate) negotiate_limit: u32,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

/// Run only the Web PubSub compatible service, for the official SDKs, tests and CI
#[derive(Debug, Args)]
pub(crate) struct HubOptions {
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

/// Options of the listening server and of the embedded service.
#[derive(Debug, Args)]
pub(crate) struct ServiceOptions {
    /// Address to listen on; port 0 selects a free port. An address beyond the loopback interface requires --access-key
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Origin of a further web page that can use this server, such as https://example.com; repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Further host name of this server in requests (`Host`), such as logs.example.com; repeatable. IP addresses, localhost,
    /// the name of this machine, and the hosts of --public-url and --allow-origin need no flag
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Certificate chain for TLS (PEM); reloaded on SIGHUP. Requires --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Use TLS with a certificate of a local authority, which is created once and kept in DIR, or among the data of the user. Only
    /// if no other machine can reach the server
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with = "tls_cert")]
    pub(crate) tls_dev: Option<Option<PathBuf>>,
    /// Address or network (10.0.0.0/8) of a reverse proxy whose `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`
    /// headers are trusted; repeatable. They are removed from requests of other peers
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,
    /// Public URL of this server, such as https://logs.example.com, if it differs from the URL of a request. It includes
    /// the path prefix if the proxy removes one
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Key that signs tokens of the embedded service, 32 characters or more
    /// [default if only this machine can reach the server: the well-known development key]
    #[arg(long, value_name = "KEY", env = "TAILCAST_ACCESS_KEY", hide_env_values = true)]
    pub(crate) access_key: Option<String>,
    /// Second key whose tokens are accepted too, for key rotation
    #[arg(long, value_name = "KEY", env = "TAILCAST_SECONDARY_ACCESS_KEY", hide_env_values = true)]
    pub(crate) secondary_access_key: Option<String>,
    /// Upstream event handler (webhook): a URL for all user and system events, in which {hub} and {event} are replaced; or
    /// `url-template=URL user-event-pattern=NAMES system-event=NAME hub=HUB`. Repeatable: the first match handles an event
    #[arg(long, value_name = "HANDLER")]
    pub(crate) event_handler: Vec<String>,
    /// Accept clients without a token. They have only the permissions that a `connect` event handler grants
    #[arg(long)]
    pub(crate) allow_anonymous: bool,
    /// Accept tokens of Microsoft Entra ID for the REST API without verifying their signature, if only this machine can reach
    /// the server: issuer, audience and expiry are checked
    #[arg(long)]
    pub(crate) allow_unverified_entra_tokens: bool,
    /// Delay of each ack in milliseconds, for the official Python client: it loses an ack that arrives before it waits for it
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0, value_parser = value_parser!(u64).range(..=1000))]
    pub(crate) ack_delay: u64,
    /// Serve /_hub and /metrics to other hosts. They are always served if only this machine can reach the server
    #[arg(long)]
    pub(crate) inspect: bool,
    /// Memory for the messages of all clients, such as 512MiB. When it runs short, the slowest clients are disconnected
    #[arg(long, value_name = "SIZE", default_value_t = DEFAULT_MEMORY_LIMIT)]
    pub(crate) memory_limit: ByteSize,
    /// Earlier messages that a page can still read: AGE,SIZE such as 1h,256MiB, or off; PATTERN=… for the groups that match.
    /// Repeatable: the first match applies [default: 15m,32MiB for every group]
    #[arg(long, value_name = "[PATTERN=]AGE,SIZE|off")]
    pub(crate) history: Vec<String>,
    /// Maximum connections of a client address if other hosts can reach the server; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub(crate) connections_per_address: u32,
    /// Maximum connections with the same token if other hosts can reach the server; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) connections_per_token: u32,
    /// Configuration file in TOML, for event handlers and timeouts; see docs/configuration.md
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

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
    /// URL of the negotiate endpoint
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/negotiate")]
    pub(crate) negotiate: String,
    /// Group to watch
    #[arg(long, default_value = DEFAULT_GROUP)]
    pub(crate) group: String,
    /// Number of earlier lines to print
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: u64,
    /// Print the earlier lines since an age (10m) or a time (2026-11-30T12:00:00Z), in place of --lines
    #[arg(long, value_name = "AGE|TIME", conflicts_with = "lines")]
    pub(crate) since: Option<String>,
    /// End after the earlier lines
    #[arg(long)]
    pub(crate) no_follow: bool,
    /// Publish key of the server, if it requires one
    #[arg(long, value_name = "KEY", env = "TAILCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// Stop after this many seconds without a connection. A refused group stops immediately
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) give_up_after: Duration,
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
    /// URL of the negotiate endpoint
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/negotiate")]
    pub(crate) negotiate: String,
    /// Group to publish to
    #[arg(long, default_value = DEFAULT_GROUP)]
    pub(crate) group: String,
    /// Publish key of the server, if it requires one
    #[arg(long, value_name = "KEY", env = "TAILCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// Stop after this many seconds without a connection. A refused group or key stops immediately
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) give_up_after: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, such as 30".to_owned())
}

/// Send one message to all clients of a hub, through the REST API of the service
#[derive(Debug, Args)]
pub(crate) struct PublishOptions {
    /// Connection string from Azure or from the output of `tailcast serve`, `Endpoint=https://…;AccessKey=…;`
    pub(crate) connection_string: String,
    /// Name of the hub
    pub(crate) hub: String,
    /// Text of the message
    pub(crate) message: String,
}

/// Write shell completions to standard output
#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// Shell to complete for
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Write the main manual page to standard output, or the pages of all commands to a directory
#[derive(Debug, Args)]
pub(crate) struct ManOptions {
    /// Directory for the pages of all commands
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
