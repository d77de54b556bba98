//! `tailcast`: streams the output of commands and files live to web browsers.
//!
//! | command | function |
//! | --- | --- |
//! | `serve` | serves the page and the negotiate endpoint, and without a connection string the service itself |
//! | `hub` | serves only the Web PubSub compatible service |
//! | `stream`, `run`, `tail` | publish lines of standard input, of a command, of files |
//! | `watch` | prints the lines of a group |
//! | `publish` | sends one message to all clients of a hub |

#![deny(clippy::print_stderr, clippy::print_stdout, reason = "they panic when the output cannot be written")]

mod cli;
mod failure;
mod hub;
mod manual;
mod pipeline;
mod publish;
mod run;
mod serve;
mod service;
mod signals;
mod stream;
mod tail;
mod terminal;
mod text_decoder;
mod usage_error;
mod watch;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use cli::{Cli, CliCommand};
use failure::Failure;

/// Allocator that returns the memory of a flood to the system: with the one of glibc, 4.4 GiB stayed with the process after
/// its clients had left.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Timeout for blocking calls at the end of the program, such as a read from a network file system or a look-up of a host name.
/// They cannot be cancelled.
const BLOCKING_CALL_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let command = Cli::parse().command;
    init_logging();
    // The only error is a provider that was installed before, and nothing has installed one yet.
    drop(rustls::crypto::ring::default_provider().install_default());
    let name = command.name();
    match run(command) {
        Ok(code) => code,
        Err(failure) => {
            terminal::notice!("tailcast {name}: {}", terminal::without_controls(&failure.to_string()));
            failure.exit_code()
        }
    }
}

fn run(command: CliCommand) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(format!("cannot start the async runtime: {error}")))?;
    let outcome = runtime.block_on(execute(command));
    runtime.shutdown_timeout(BLOCKING_CALL_TIMEOUT);
    outcome
}

async fn execute(command: CliCommand) -> Result<ExitCode, Failure> {
    match command {
        CliCommand::Serve(options) => serve::run(options).await?,
        CliCommand::Hub(options) => hub::run(options).await?,
        CliCommand::Stream(options) => stream::run(options).await?,
        CliCommand::Run(options) => return run::run(options).await,
        CliCommand::Tail(options) => tail::run(options).await?,
        CliCommand::Watch(options) => watch::run(options).await?,
        CliCommand::Publish(options) => publish::run(options).await?,
        CliCommand::Completions(options) => manual::write_completions(&options)?,
        CliCommand::Man(options) => manual::write_pages(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes logs to standard error, filtered by `TAILCAST_LOG` (`debug`, `webpubsub_hub=trace`, …).
fn init_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TAILCAST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr)
        // Reporting that a log line could not be written would fail too, with a panic.
        .log_internal_errors(false)
        .init();
}
