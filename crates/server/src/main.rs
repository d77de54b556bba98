//! `tailcast`: streams the output of commands and files live to web browsers.
//!
//! | command | function |
//! | --- | --- |
//! | none | serves the page, and publishes the lines of standard input to it |
//! | `serve` | serves the page and the negotiate endpoint, and without a connection string the service itself |
//! | `hub` | serves only the Web PubSub compatible service |
//! | `stream`, `run`, `tail` | publish lines of standard input, of a command, of files |
//! | `watch` | prints the lines of a group |
//! | `publish` | sends one message to all clients of a hub |

#![deny(clippy::print_stderr, clippy::print_stdout, reason = "they panic when the output cannot be written")]

mod browser;
mod cli;
mod connection_reports;
mod failure;
mod hub;
mod local_server;
mod manual;
mod piped;
mod pipeline;
mod publish;
mod publish_session;
mod run;
mod secret;
mod serve;
mod service;
mod signals;
mod stream;
mod tail;
mod target;
mod terminal;
mod text_decoder;
mod token;
mod usage_error;
mod user_config;
mod watch;

use std::{process::ExitCode, time::Duration};

use cli::{Cli, CliCommand};
use failure::Failure;
use publish_session::PublishCommand;

/// Allocator that returns the memory of a flood to the system: with the one of glibc, 4.4 GiB stayed with the process after
/// its clients had left.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Timeout for blocking calls at the end of the program, such as a read from a network file system or a look-up of a host name.
/// They cannot be cancelled.
const BLOCKING_CALL_TIMEOUT: Duration = Duration::from_secs(1);

/// Beginning of the messages of `some-command | tailcast`.
const PROGRAM: &str = "tailcast";

fn main() -> ExitCode {
    let cli = cli::parse();
    init_logging();
    // The only error is a provider that was installed before, and nothing has installed one yet.
    drop(rustls::crypto::ring::default_provider().install_default());
    let program = cli.command.as_ref().map_or(PROGRAM, CliCommand::program);
    run(cli, program).unwrap_or_else(|failure| failure.exit(program))
}

fn run(cli: Cli, program: &'static str) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(format!("cannot start the async runtime: {error}")))?;
    let outcome = runtime.block_on(execute(cli, program));
    runtime.shutdown_timeout(BLOCKING_CALL_TIMEOUT);
    outcome
}

async fn execute(cli: Cli, program: &'static str) -> Result<ExitCode, Failure> {
    let Some(command) = cli.command else { return piped::run(program, cli.piped).await };
    let publishing = PublishCommand { program, serves_by_default: false };
    match command {
        CliCommand::Serve(options) => serve::run(*options).await?,
        CliCommand::Hub(options) => hub::run(*options).await?,
        CliCommand::Stream(options) => stream::run(publishing, options).await?,
        CliCommand::Run(options) => return run::run(publishing, options).await,
        CliCommand::Tail(options) => tail::run(publishing, options).await?,
        CliCommand::Watch(options) => watch::run(options).await?,
        CliCommand::Publish(options) => publish::run(options).await?,
        CliCommand::Token(options) => token::run(&options)?,
        CliCommand::Completions(options) => manual::write_completions(&options)?,
        CliCommand::Man(options) => manual::write_pages(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes logs to standard error, filtered by `TAILCAST_LOG` (`debug`, `webpubsub_hub=trace`, …).
fn init_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TAILCAST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Reporting that a log line could not be written would fail too, with a panic.
        .log_internal_errors(false)
        .init();
}
