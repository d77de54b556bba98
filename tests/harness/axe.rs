//! Accessibility checks with axe.

use anyhow::Context;

use crate::{browser::Browser, environment::node_modules};

/// Promise that resolves when all finite animations of the page and its shadow trees have ended.
const ANIMATIONS_FINISHED: &str = "(() => {
    const trees = [document], animations = [];
    for (const tree of trees) {
        animations.push(...tree.getAnimations());
        for (const one of tree.querySelectorAll('*')) if (one.shadowRoot) trees.push(one.shadowRoot);
    }
    const finite = animations.filter((one) => one.effect.getComputedTiming().endTime < Infinity);
    return Promise.allSettled(finite.map((one) => one.finished));
})()";

/// Runs axe after all animations: it would report low contrast for a button that is fading in.
///
/// # Errors
/// Fails with the violations. `state` is a description of the page's state.
pub async fn check(browser: &Browser, state: &str) -> anyhow::Result<()> {
    let axe = std::fs::read_to_string(node_modules()?.join("axe-core/axe.min.js")).context("axe-core")?;
    browser.run(&format!("if (!window.axe) {{ {axe} }}")).await?;
    let violations = browser
        .run_async(&format!(
            "{ANIMATIONS_FINISHED}.then(() => axe.run(document, {{ resultTypes: ['violations'] }})).then(
                     result => done(result.violations.flatMap(rule => rule.nodes.map(
                         node => `${{rule.id}}: ${{node.html.slice(0, 200)}} ${{node.failureSummary}}`))),
                     error => done([String(error)]))"
        ))
        .await?;
    let violations: Vec<String> = serde_json::from_value(violations)?;
    anyhow::ensure!(violations.is_empty(), "{state}:\n{}", violations.join("\n"));
    Ok(())
}
