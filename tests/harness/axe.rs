//! What axe says of a page: the usual checker of accessibility.

use anyhow::Context;

use crate::{browser::Browser, environment::node_modules};

/// Has axe look at the page as it is now.
///
/// # Errors
/// What it finds wrong; `state` says what the page shows.
pub async fn check(browser: &Browser, state: &str) -> anyhow::Result<()> {
    let axe = std::fs::read_to_string(node_modules()?.join("axe-core/axe.min.js")).context("axe-core")?;
    browser.run(&format!("if (!window.axe) {{ {axe} }}")).await?;
    let found = browser
        .run_async(
            "axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations.flatMap(rule =>
                 rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))),
                 error => done([String(error)]))",
        )
        .await?;
    let found: Vec<String> = serde_json::from_value(found)?;
    anyhow::ensure!(found.is_empty(), "{state}:\n{}", found.join("\n"));
    Ok(())
}
