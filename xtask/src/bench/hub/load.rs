//! Load generator, which is a program of the whole-system tests, and its results.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::contestant::{ACCESS_KEY, Contestant, Recipes};
use super::cores::{Cores, Workload};
use super::running::Running;
use crate::progress;
use crate::workspace::Workspace;

/// Figures of one measurement, by name.
#[derive(Debug)]
pub struct Figures(HashMap<String, f64>);

impl Figures {
    /// Returns a figure.
    ///
    /// # Errors
    /// When it is missing.
    pub fn get(&self, name: &str) -> Result<f64> {
        self.0.get(name).copied().with_context(|| format!("the load generator printed no {name}"))
    }

    fn parse(text: &str) -> Result<Self> {
        let figures = text.lines().map(|line| {
            let figure =
                line.split_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
            figure.with_context(|| format!("the load generator printed `{line}`"))
        });
        figures.collect::<Result<_>>().map(Self)
    }
}

/// Runner of servers and of the load generator.
#[derive(Debug)]
pub struct LoadGenerator<'a> {
    /// Command lines of servers.
    pub recipes: Recipes<'a>,
    /// Cores of server and load.
    pub cores: Cores,
    program: PathBuf,
}

impl<'a> LoadGenerator<'a> {
    /// Builds the load generator.
    ///
    /// # Errors
    /// When cargo fails.
    pub fn build(workspace: &Workspace, recipes: Recipes<'a>) -> Result<Self> {
        progress::step("building the load generator", "a minute or two the first time", || {
            let build = ["build", "--release", "--package", "tailcast-tests", "--bin", "measure-hub"];
            workspace.cargo()?.args(build).run()
        })?;
        let name = format!("measure-hub{}", std::env::consts::EXE_SUFFIX);
        let program = workspace.target().join("release").join(name);
        Ok(Self { recipes, cores: Cores::choose(workspace), program })
    }

    /// Measures one contestant, with a new server. The documentation of the load generator lists the measurements.
    ///
    /// # Errors
    /// When the server is missing or fails, or a message is lost.
    pub fn measure(
        &self,
        contestant: Contestant,
        measurement: &str,
        arguments: &[String],
    ) -> Result<Figures> {
        progress::note(&format!("{}: {measurement} {}", contestant.name, arguments.join(" ")));
        let running = Running::start(&self.recipes, contestant.server, &self.cores)?;
        let (address, process_id) = (running.address.clone(), running.process_id().to_string());
        let output = self
            .cores
            .program(Workload::Load, std::slice::from_ref(&self.program))
            .args([measurement, contestant.protocol, &address, &process_id])
            .args(arguments)
            .env("TAILCAST_ACCESS_KEY", ACCESS_KEY)
            // The report has a row for a failure, but no room for a call stack.
            .env("RUST_BACKTRACE", "0")
            .capture()?;
        Figures::parse(&output)
    }
}
