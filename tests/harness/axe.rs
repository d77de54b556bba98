//! What axe says of a page: the usual checker of accessibility.

use anyhow::Context;

use crate::{browser::Browser, environment::node_modules};

/// Resolves once whatever moves in the page, and in the shadow trees of it, has come to rest. What never rests, as a dot that
/// pulses, is not waited for.
const AT_REST: &str = "(() => {
    const trees = [document], moving = [];
    for (const tree of trees) {
        moving.push(...tree.getAnimations());
        for (const one of tree.querySelectorAll('*')) if (one.shadowRoot) trees.push(one.shadowRoot);
    }
    const ending = moving.filter((one) => one.effect.getComputedTiming().endTime < Infinity);
    return Promise.allSettled(ending.map((one) => one.finished));
})()";

/// Has axe look at the page as it is once everything in it has come to rest: of a button that still fades in, it would find
/// the contrast too low.
///
/// # Errors
/// What it finds wrong; `state` says what the page shows.
pub async fn check(browser: &Browser, state: &str) -> anyhow::Result<()> {
    let axe = std::fs::read_to_string(node_modules()?.join("axe-core/axe.min.js")).context("axe-core")?;
    browser.run(&format!("if (!window.axe) {{ {axe} }}")).await?;
    let found = browser
        .run_async(&format!(
            "{AT_REST}.then(() => axe.run(document, {{ resultTypes: ['violations'] }})).then(
                     found => done(found.violations.flatMap(rule => rule.nodes.map(
                         node => `${{rule.id}}: ${{node.html.slice(0, 200)}} ${{node.failureSummary}}`))),
                     error => done([String(error)]))"
        ))
        .await?;
    let found: Vec<String> = serde_json::from_value(found)?;
    anyhow::ensure!(found.is_empty(), "{state}:\n{}", found.join("\n"));
    Ok(())
}
