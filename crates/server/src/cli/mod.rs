//! Command-line arguments. [`crate::serve::config`] and the commands validate their values.

pub(crate) mod client_options;
mod hints;
mod service_options;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};

pub(crate) use client_options::{RunOptions, StreamOptions, TailOptions, TargetOptions, WatchOptions};
pub(crate) use hints::parse;
pub(crate) use service_options::{DEFAULT_MEMORY_LIMIT, ServiceOptions};

#[derive(Debug, Parser)]
#[command(
    name = "tailcast",
    version,
    about = "Stream the output of commands and files live to web browsers",
    long_about = LONG_ABOUT,
    override_usage = "some-command | tailcast [OPTIONS]\n       tailcast <COMMAND>",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Cli {
    /// `None` for `some-command | tailcast`.
    #[command(subcommand)]
    pub(crate) command: Option<CliCommand>,
    /// Arguments of `some-command | tailcast`.
    #[command(flatten)]
    pub(crate) piped: StreamOptions,
}

/// Default of `--hub`.
pub(crate) const DEFAULT_HUB: &str = "stream";

/// Default of `--group`.
pub(crate) const DEFAULT_GROUP: &str = "stream";

/// Default port of a server.
pub(crate) const DEFAULT_PORT: u16 = 8080;

const LONG_ABOUT: &str = "Stream the output of commands and files live to web browsers.

  some-command | tailcast            serve the page on http://127.0.0.1:8080 and publish the lines of standard input to it
  tailcast serve                     serve the page, and wait for publishers
  some-command | tailcast stream     publish the lines of standard input to a server
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
    Serve(Box<ServeOptions>),
    Hub(Box<HubOptions>),
    Stream(StreamOptions),
    Run(RunOptions),
    Tail(TailOptions),
    Watch(WatchOptions),
    Publish(PublishOptions),
    Token(TokenOptions),
    Completions(CompletionsOptions),
    Man(ManOptions),
}

impl CliCommand {
    /// Returns the beginning of the command line, with which messages begin.
    pub(crate) fn program(&self) -> &'static str {
        match self {
            Self::Serve(_) => "tailcast serve",
            Self::Hub(_) => "tailcast hub",
            Self::Stream(_) => "tailcast stream",
            Self::Run(_) => "tailcast run",
            Self::Tail(_) => "tailcast tail",
            Self::Watch(_) => "tailcast watch",
            Self::Publish(_) => "tailcast publish",
            Self::Token(_) => "tailcast token",
            Self::Completions(_) => "tailcast completions",
            Self::Man(_) => "tailcast man",
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
    /// File with the connection string, in place of CONNECTION_STRING
    #[arg(long, value_name = "FILE")]
    pub(crate) connection_string_file: Option<PathBuf>,
    /// Hub that clients connect to
    #[arg(long, default_value = DEFAULT_HUB)]
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
    /// Key that clients must send to /negotiate for permission to publish (`tailcast stream --publish-key-file FILE`). Without
    /// it, all clients can publish if the server is reachable only from this machine, otherwise none
    #[arg(long, value_name = "KEY", env = "TAILCAST_PUBLISH_KEY", hide_env_values = true)]
    pub(crate) publish_key: Option<String>,
    /// File with the publish key, in place of --publish-key
    #[arg(long, value_name = "FILE")]
    pub(crate) publish_key_file: Option<PathBuf>,
    /// Password that the page, /negotiate and /groups require from viewers (HTTP Basic, with any user name). The publish key is
    /// accepted in its place
    #[arg(long, value_name = "PASSWORD", env = "TAILCAST_VIEWER_PASSWORD", hide_env_values = true)]
    pub(crate) viewer_password: Option<String>,
    /// File with the password of viewers, in place of --viewer-password
    #[arg(long, value_name = "FILE")]
    pub(crate) viewer_password_file: Option<PathBuf>,
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

/// Send one message to all clients of a hub, through the REST API of the service
///
/// CONNECTION_STRING, from Azure or from the output of `tailcast serve`, is left out if WEBPUBSUB_CONNECTION_STRING or
/// --connection-string-file contains it.
#[derive(Debug, Args)]
pub(crate) struct PublishOptions {
    /// Connection string `Endpoint=https://…;AccessKey=…;`, name of the hub, and text of the message
    #[arg(required = true, num_args = 2..=3, value_names = ["CONNECTION_STRING", "HUB", "MESSAGE"])]
    pub(crate) message: Vec<String>,
    /// File with the connection string
    #[arg(long, value_name = "FILE")]
    pub(crate) connection_string_file: Option<PathBuf>,
    /// PEM file of a certificate authority that is trusted besides those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
}

/// Print a client access URL, with a token that is signed with the key of a connection string
///
/// CONNECTION_STRING, from Azure or from the output of `tailcast serve`, is left out if WEBPUBSUB_CONNECTION_STRING or
/// --connection-string-file contains it. The URL is a secret until its token expires.
///
/// The page opens with it, by the setting `url`: http://127.0.0.1:8080/?url=URL. It joins the group that it shows, and reads its
/// earlier lines, for which the token needs --role webpubsub.joinLeaveGroup.
#[derive(Debug, Args)]
pub(crate) struct TokenOptions {
    /// Connection string `Endpoint=https://…;AccessKey=…;`, and name of the hub
    #[arg(required = true, num_args = 1..=2, value_names = ["CONNECTION_STRING", "HUB"])]
    pub(crate) hub: Vec<String>,
    /// File with the connection string
    #[arg(long, value_name = "FILE")]
    pub(crate) connection_string_file: Option<PathBuf>,
    /// Id of the user
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// Permission of the client, such as webpubsub.joinLeaveGroup or webpubsub.sendToGroup.NAME. Repeatable
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
    /// Group that the client joins when it connects. Repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Vec<String>,
    /// Lifetime of the token, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    pub(crate) lifetime: u64,
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
