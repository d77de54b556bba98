//! Benchmarks, and comparisons with other programs.
//!
//! Absolute figures differ between machines; ratios differ less. So peers are measured in the same run, and each report has the
//! number of cores.

mod abuse;
mod client;
mod client_page;
mod history;
mod hub;
mod memory;
mod page_load;
mod page_size;
mod report;
mod service;
mod stream;
mod viewer;

use std::thread;

use anyhow::Result;
use clap::ValueEnum;

use crate::build;
use crate::setup::Setup;
use crate::workspace::Workspace;

/// Benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// From standard input to a subscriber: lines per second and memory, compared with the tutorial's streamer
    Stream,
    /// Fan-out of the hub: throughput, latency, memory and start, compared with other servers
    Hub,
    /// Earlier lines: time until a page shows them, memory of the history, and 1,000 readers beside a publisher
    History,
    /// The client, native and in a page: messages per second and processor time, compared with the official clients
    Client,
    /// Size of the page that a browser loads
    PageSize,
    /// From opening the page to a connection, in a browser on this machine
    PageLoad,
    /// The page compared with other log viewers: lines per second, frames, memory, search; some ten minutes in a browser
    Viewer,
    /// Attacks on a public server, beside an honest publisher and viewer; ten minutes. Not part of a run of all benchmarks
    Abuse,
}

/// Context of a benchmark. The page and the server that embeds it are built.
#[derive(Debug)]
pub struct Bench<'w> {
    /// The checkout.
    pub workspace: &'w Workspace,
    /// Installer of further tools.
    pub setup: &'w Setup<'w>,
}

/// Builds in release mode, then runs the benchmark `name`, or all. Reports are Markdown on standard output.
///
/// # Errors
/// When set-up, a build or a benchmark fails.
pub fn run(name: Option<Name>, workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let bench = Bench { workspace, setup };
    build::all(workspace, setup)?;
    let names = match name {
        Some(name) => vec![name],
        None => Name::value_variants().iter().copied().filter(|name| *name != Name::Abuse).collect(),
    };
    println!("Measured on {} cores ({}).", thread::available_parallelism()?, std::env::consts::ARCH);
    names.into_iter().try_for_each(|name| match name {
        Name::Stream => stream::run(&bench),
        Name::Hub => hub::run(&bench),
        Name::History => history::run(&bench),
        Name::Client => client::run(&bench).and_then(|()| client_page::run(&bench)),
        Name::PageSize => page_size::run(&bench),
        Name::PageLoad => page_load::run(&bench),
        Name::Viewer => viewer::run(&bench),
        Name::Abuse => abuse::run(&bench),
    })
}
