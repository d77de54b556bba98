//! Measurements, each beside what it ought to beat, on the machine at hand.
//!
//! Absolute figures do not travel from machine to machine; ratios do. So peers are measured in the same run, and every
//! report says how many cores there were.

mod client;
mod client_page;
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

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// From standard input to a subscriber: lines per second and memory, beside the tutorial's streamer
    Stream,
    /// The hub's fan-out: throughput, latency, memory and start, beside other servers
    Hub,
    /// The client, native and in a page: messages per second and processor time, beside the official clients
    Client,
    /// The bytes of the page that a browser loads
    PageSize,
    /// From opening the page to a connection, in a browser on this machine
    PageLoad,
    /// The page beside other viewers of logs: lines per second, frames, memory, search; in a browser, some ten minutes
    Viewer,
}

/// What a measurement may use. The page and the server that carries it are built.
#[derive(Debug)]
pub struct Bench<'w> {
    /// The checkout.
    pub workspace: &'w Workspace,
    /// Brings what else a measurement needs.
    pub setup: &'w Setup<'w>,
}

/// Sets up and builds in release, then measures `name`, or everything. Reports go to standard output as Markdown.
///
/// # Errors
/// When set-up, a build or a measurement fails.
pub fn run(name: Option<Name>, workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let bench = Bench { workspace, setup };
    build::all(workspace, setup)?;
    let names = name.map_or_else(|| Name::value_variants().to_vec(), |name| vec![name]);
    println!("Measured on {} cores ({}).", thread::available_parallelism()?, std::env::consts::ARCH);
    names.into_iter().try_for_each(|name| match name {
        Name::Stream => stream::run(&bench),
        Name::Hub => hub::run(&bench),
        Name::Client => client::run(&bench).and_then(|()| client_page::run(&bench)),
        Name::PageSize => page_size::run(&bench),
        Name::PageLoad => page_load::run(&bench),
        Name::Viewer => viewer::run(&bench),
    })
}
