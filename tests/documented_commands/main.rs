//! Commands of the README, the book, the READMEs of the crates and the recipes of `deploy/`. Every command in a shell block is in one of the tables of
//! these tests, which run it.

mod deployment;
mod documents;
mod elsewhere;
mod flags;
mod installation;
mod page_settings;
mod piped;
mod publishing;
mod reading;
mod recorded;
mod sandbox;
mod service;

use std::collections::BTreeSet;

/// Beginning of commands that a test of `xtask` parses (`xtask/src/documented.rs`), since they compile for minutes.
const PARSED_BY_XTASK: &str = "cargo xtask ";

/// Returns the commands that these tests run.
fn covered() -> BTreeSet<&'static str> {
    let published = publishing::SERVERS.iter().flat_map(|server| {
        let publishers = server.publishers.iter().map(|publisher| publisher.command);
        publishers.chain([server.command])
    });
    let services = service::SERVICES.iter().map(|service| service.command);
    let recorded = recorded::RECORDED.iter().map(|recorded| recorded.command);
    published
        .chain([publishing::TLS_SERVER, service::TLS_FOR_DEVELOPMENT, reading::FOLLOWING, reading::ENDING])
        .chain([reading::PROTECTED_SERVER, reading::WITH_PASSWORD, page_settings::PAGE_OF_A_TOKEN])
        .chain(reading::SERVERS)
        .chain(piped::PIPED.iter().map(|piped| piped.command))
        .chain(services)
        .chain(installation::commands())
        .chain(deployment::DEPLOYMENTS.iter().map(|deployment| deployment.command))
        .chain(recorded)
        .collect()
}

#[test]
fn every_documented_command_is_covered() -> anyhow::Result<()> {
    let covered = covered();
    let steps = documents::steps()?;
    let is_covered = |command: &str| covered.contains(command) || command.starts_with(PARSED_BY_XTASK);
    let uncovered = steps.iter().filter(|step| !is_covered(&step.command));
    let uncovered: Vec<String> = uncovered.map(|step| format!("{}: {}", step.place, step.command)).collect();
    assert!(uncovered.is_empty(), "not covered: {uncovered:#?}");
    let documented: BTreeSet<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    let outdated: Vec<_> = covered.difference(&documented).collect();
    assert!(outdated.is_empty(), "in no document: {outdated:#?}");
    Ok(())
}
