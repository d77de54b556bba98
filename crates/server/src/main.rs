//! `tailcast`: a command's output, live in every open browser.
//!
//! `tailcast serve` brings the page, the negotiate endpoint and, without a connection string, the service itself, which
//! `tailcast hub` brings alone.
//! `tailcast stream` sends standard input, line by line, `run` what a command says, `tail` what is written to files.
//! `tailcast publish` broadcasts one message from a server.

mod cli;
mod failure;
mod hub;
mod manual;
mod publish;
mod publishing;
mod run;
mod serve;
mod service;
mod signals;
mod stream;
mod tail;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    log_to_stderr();
    // Fails when a provider is installed already, which nothing before this line does.
    drop(rustls::crypto::ring::default_provider().install_default());
    let name = command.name();
    match run(command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("tailcast {name}: {}", terminal::plain(&failure.to_string()));
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::at_run_time(format!("the async runtime did not start: {error}")))?;
    runtime.block_on(async {
        match command {
            Command::Serve(options) => serve::run(options).await?,
            Command::Hub(options) => hub::run(options).await?,
            Command::Stream(options) => stream::run(options).await?,
            Command::Run(options) => return run::run(options).await,
            Command::Tail(options) => tail::run(options).await?,
            Command::Publish(options) => publish::run(options).await?,
            Command::Completions(options) => manual::write_completions(&options)?,
            Command::Man(options) => manual::write_pages(&options)?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Logs go to standard error, as much as `TAILCAST_LOG` asks for (`debug`, `webpubsub_hub=trace`, …).
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TAILCAST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
