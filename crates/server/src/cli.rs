//! What can be typed. What it means is decided elsewhere: [`crate::serve::config`] and the commands.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, value_parser};

#[derive(Debug, Parser)]
#[command(name = "tailcast", version, about = "A command's output, live in every open browser.", long_about = LONG_ABOUT)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The group that is meant where none is named.
pub(crate) const USUAL_GROUP: &str = "stream";

const LONG_ABOUT: &str = "A command's output, live in every open browser.

  tailcast serve                     the page, on http://127.0.0.1:8080
  some-command | tailcast stream     its output, on every open page
  tailcast run -- some-command       the same, with standard error told apart and the command's exit code
  tailcast tail app.log              the lines of a file, as they are written
  tailcast hub                       the Web PubSub compatible service alone, for an application's tests

It speaks Azure Web PubSub's protocols: give `serve` a connection string and everything goes through Azure. \
Without one, `serve` brings a compatible service of its own.

Exit codes: 0 done, and every line acknowledged; 1 failed while running; 2 wrong usage.
Set TAILCAST_LOG=debug to see more on standard error.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeOptions),
    Hub(HubOptions),
    Stream(StreamOptions),
    Run(RunOptions),
    Tail(TailOptions),
    Publish(PublishOptions),
    Completions(CompletionsOptions),
    Man(ManOptions),
}

impl Command {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Serve(_) => "serve",
            Self::Hub(_) => "hub",
            Self::Stream(_) => "stream",
            Self::Run(_) => "run",
            Self::Tail(_) => "tail",
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
    /// Without one, the embedded service answers on the same port, and its connection string is printed
    #[arg(env = "WEBPUBSUB_CONNECTION_STRING", hide_env_values = true)]
    pub(crate) connection_string: Option<String>,
    /// The hub that clients are sent to
    #[arg(long, default_value = "stream")]
    pub(crate) hub: String,
    /// The group that clients may join and publish to
    #[arg(long, default_value = USUAL_GROUP)]
    pub(crate) group: String,
    /// Further groups that clients may ask for (`/negotiate?group=NAME`), as a pattern: `build-*`, or `**` for any. May be
    /// repeated [default: any group while the well-known development key signs, else none]
    #[arg(long, value_name = "PATTERN")]
    pub(crate) allow_group: Vec<String>,
    /// Folder of the built page, in place of the page that this program carries. One that carries none looks for `site`
    /// beside itself and for `target/site` in the working folder
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Option<PathBuf>,
    /// Give permission to publish only to clients that present this key to /negotiate (`tailcast stream
    /// --publish-key KEY`). Without it, everyone may publish on the loopback interface, and nobody beyond it
    #[arg(long, value_name = "KEY", env = "TAILCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// How long a token of /negotiate lets a client connect, in seconds. A connection outlives its token
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = value_parser!(u64).range(60..=86_400))]
    pub(crate) token_lifetime: u64,
    /// Header in which a trusted proxy names the user who has signed in there. `?id=` no longer counts then
    #[arg(long, value_name = "NAME", requires = "trusted_proxy")]
    pub(crate) user_header: Option<String>,
    /// How often one address may ask /negotiate in a minute where others can reach the server; 0 is as often as it likes
    #[arg(long, value_name = "TIMES", default_value_t = 120)]
    pub(crate) negotiate_limit: u32,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

/// Run the Web PubSub compatible service alone: for the official SDKs, for tests, for CI
#[derive(Debug, Args)]
pub(crate) struct HubOptions {
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
}

/// How the embedded service listens, and whom it lets in.
#[derive(Debug, Args)]
pub(crate) struct ServiceOptions {
    /// Address to listen on; port 0 takes a free one. Beyond the loopback interface an access key is needed
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// A further web page that may use this server, by its origin (https://example.com); may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Certificate chain (PEM) to answer with over TLS; read again at SIGHUP. Needs --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A proxy in front of this server whose `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded` headers count, by its
    /// address or network (10.0.0.0/8); may be repeated. From anybody else they are dropped
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,
    /// Where clients reach this server, if not where they ask it: https://logs.example.com, with a path if the proxy takes
    /// one away
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Key that signs tokens of the embedded service, 32 characters or more
    /// [default on loopback: the well-known development key]
    #[arg(long, value_name = "KEY", env = "TAILCAST_ACCESS_KEY", hide_env_values = true)]
    pub(crate) access_key: Option<String>,
    /// A second key whose tokens count as well: while the first is being changed
    #[arg(long, value_name = "KEY", env = "TAILCAST_SECONDARY_ACCESS_KEY", hide_env_values = true)]
    pub(crate) secondary_access_key: Option<String>,
    /// An application's server that gets events: a URL, in which {hub} and {event} stand for what they say, for all
    /// events; or `url-template=URL user-event-pattern=NAMES system-event=NAME hub=HUB`. May be repeated: the first
    /// that matches counts
    #[arg(long, value_name = "HANDLER")]
    pub(crate) event_handler: Vec<String>,
    /// Let clients in that bring no token. They may do only what a `connect` event handler lets them do
    #[arg(long)]
    pub(crate) allow_anonymous: bool,
    /// Show /_hub and /metrics to everyone who can reach the server. On the loopback interface they are always shown
    #[arg(long)]
    pub(crate) inspect: bool,
    /// File with event handlers and more, in TOML; see docs/configuration.md
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Send standard input, line by line, to every open page
#[derive(Debug, Args)]
pub(crate) struct StreamOptions {
    #[command(flatten)]
    pub(crate) destination: Destination,
}

/// Run a command and send what it says to every open page, standard error in red
///
/// It is run as it is, without a shell; its output is passed on as well, signals are passed to it, and its exit code is
/// ours (128 + n when signal n ended it; 126 or 127 when it could not be run).
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) destination: Destination,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// Follow files and send their lines to every open page, across rotation and truncation
///
/// Lines of several files begin with the file's name. A file that is not there yet is waited for.
#[derive(Debug, Args)]
pub(crate) struct TailOptions {
    #[command(flatten)]
    pub(crate) destination: Destination,
    /// Begin with this many lines from the end of each file
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: u64,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Where lines go.
#[derive(Debug, Args)]
pub(crate) struct Destination {
    /// Address of the negotiate endpoint
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/negotiate")]
    pub(crate) negotiate: String,
    /// The group to publish to
    #[arg(long, default_value = USUAL_GROUP)]
    pub(crate) group: String,
    /// Key to show to a negotiate endpoint that gives permission to publish only for one
    #[arg(long, value_name = "KEY", env = "TAILCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// Stop when there was no connection for this many seconds; at once if the server refuses the group or the key
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) give_up_after: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a number of seconds, such as 30, is needed".to_owned())
}

/// Broadcast one message to every client of a hub, as an application server does
#[derive(Debug, Args)]
pub(crate) struct PublishOptions {
    /// Connection string, `Endpoint=https://…;AccessKey=…;`, from Azure or as `tailcast serve` prints it
    pub(crate) connection_string: String,
    /// The hub
    pub(crate) hub: String,
    /// The message, as text
    pub(crate) message: String,
}

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Write the manual page to standard output, or all of them into a folder
#[derive(Debug, Args)]
pub(crate) struct ManOptions {
    /// The folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
