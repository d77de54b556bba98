//! The load generator: a program of the whole-system tests' package, and what it finds out.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::contestant::{ACCESS_KEY, Contestant, Recipes};
use super::cores::{Cores, Role};
use super::running::Running;
use crate::progress;
use crate::workspace::Workspace;

/// The figures of one measurement, by name.
#[derive(Debug)]
pub struct Figures(HashMap<String, f64>);

impl Figures {
    /// One of them.
    ///
    /// # Errors
    /// When it is not there.
    pub fn get(&self, name: &str) -> Result<f64> {
        self.0.get(name).copied().with_context(|| format!("the load generator did not say {name}"))
    }

    fn parse(text: &str) -> Result<Self> {
        let figures = text.lines().map(|line| {
            let figure =
                line.split_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
            figure.with_context(|| format!("the load generator said `{line}`"))
        });
        figures.collect::<Result<_>>().map(Self)
    }
}

/// Starts servers, and puts load on them.
#[derive(Debug)]
pub struct Load<'a> {
    /// How to start servers.
    pub recipes: Recipes<'a>,
    /// What runs where.
    pub cores: Cores,
    program: PathBuf,
}

impl<'a> Load<'a> {
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

    /// Measures one contestant, on a server of its own. Its program's documentation names the measurements.
    ///
    /// # Errors
    /// When the server is not here or fails, or a message is lost.
    pub fn measure(
        &self,
        contestant: Contestant,
        measurement: &str,
        arguments: &[String],
    ) -> Result<Figures> {
        progress::note(&format!("{}: {measurement} {}", contestant.name, arguments.join(" ")));
        let running = Running::start(&self.recipes, contestant.server, &self.cores)?;
        let (address, process_id) = (running.address.clone(), running.process_id().to_string());
        let said = self
            .cores
            .program(Role::Load, std::slice::from_ref(&self.program))
            .args([measurement, contestant.protocol, &address, &process_id])
            .args(arguments)
            .env("TAILCAST_ACCESS_KEY", ACCESS_KEY)
            // A failure is a row of the report; a call stack is none.
            .env("RUST_BACKTRACE", "0")
            .capture()?;
        Figures::parse(&said)
    }
}
