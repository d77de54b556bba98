//! WebSocket conformance by the Autobahn test suite: of the hub, and of its framing alone.
//!
//! The suite is a client that expects its messages back. The hub publishes the messages of a simple client to a group that
//! the client itself has joined. It rejects the largest messages of the suite, which the echo server of `crates/websocket`
//! accepts.

mod cases;
mod report;
mod tested_server;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::program::Ending;
use crate::progress;
use crate::setup::{AutobahnSuite, Setup};
use crate::workspace::Workspace;
use cases::COMPRESSION;
use report::{Report, table};
use tested_server::TestedServer;

/// Time limit for all cases of one server, which take 15 s: some wait up to 1,000 s for a server that does not answer.
const RUN_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Runs the suite on all servers, and prints the results as Markdown.
///
/// # Errors
/// When set-up or a build fails, a case fails, or the documentation has other results.
pub fn run(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let suite = setup.autobahn()?;
    // Debug builds: the time is the suite's, and overflows end the program.
    progress::step("building the servers under test", "a few minutes the first time", || {
        let servers = ["--package", "tailcast-server", "--package", "webpubsub-websocket"];
        let programs = ["--bin", "tailcast", "--example", "echo"];
        workspace.cargo()?.arg("build").args(servers).args(programs).run()
    })?;
    let mut reports = Vec::new();
    for start in [TestedServer::hub, TestedServer::framing] {
        let server = start(workspace)?;
        let what = format!("running the Autobahn test suite on {}", server.name);
        reports.push(progress::step(&what, "half a minute", || run_cases(workspace, &suite, &server))?);
    }
    let table = table(&reports);
    println!("{table}");
    let failures: Vec<_> = reports.iter().flat_map(Report::failures).collect();
    ensure!(failures.is_empty(), "cases failed:\n    {}", failures.join("\n    "));
    check_documentation(&workspace.protocol_support(), &table)
}

/// Runs all cases but those of compression on one server.
fn run_cases(workspace: &Workspace, suite: &AutobahnSuite, server: &TestedServer) -> Result<Report> {
    let folder = workspace.autobahn_reports().join(server.name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let specification = json!({
        "outdir": folder,
        "servers": [{ "agent": server.name, "url": server.url }],
        "cases": ["*"],
        "exclude-cases": COMPRESSION,
    });
    let path = folder.join("specification.json");
    fs::write(&path, specification.to_string())
        .with_context(|| format!("cannot write {}", path.display()))?;
    // The suite stores its settings in the working folder.
    let wstest = suite.wstest().current_dir(&folder).args(["--mode", "fuzzingclient", "--spec"]).arg(&path);
    match wstest.run_within(RUN_LIMIT)? {
        Ending::Succeeded => Report::read(server, &folder.join("index.json")),
        Ending::Failed => bail!("the test suite failed"),
        Ending::OutOfTime => bail!("the test suite took more than {}", progress::humanized(RUN_LIMIT)),
    }
}

/// Checks that the documentation has the table.
fn check_documentation(path: &Path, table: &str) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        text.contains(table),
        "{} has other results: replace its table by the one above, and its date",
        path.display()
    );
    Ok(())
}
