//! All tests, from the formatting to real browsers.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::lint::{self, WASM_PACKAGES};
use crate::program::Program;
use crate::setup::{Browser, Setup, WASM_TARGET, WasmToolchain};
use crate::workspace::Workspace;
use crate::{budget, dist, docs, progress};

/// Time limit in seconds for the unit tests of one crate in a browser. The default of wasm-bindgen is 20.
const BROWSER_UNIT_LIMIT: &str = "120";

/// Steps and tests to run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Run only this step
    #[arg(long, value_enum)]
    step: Option<Step>,
    /// Run only tests whose names contain this. Linting is left out then, unless asked for
    filter: Option<String>,
}

/// Steps, the cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting, clippy, documentation, dependencies
    Lint,
    /// Tests inside the crates, run natively
    Unit,
    /// Tests inside the crates, run in headless Chromium and Firefox
    BrowserUnit,
    /// Whole-system tests: real processes, a real browser, the vendor's SDK
    System,
}

impl Options {
    fn steps(&self) -> Vec<Step> {
        match self.step {
            Some(step) => vec![step],
            None if self.filter.is_some() => vec![Step::Unit, Step::BrowserUnit, Step::System],
            None => Step::value_variants().to_vec(),
        }
    }
}

/// Runs the steps, and stops at the first that fails.
///
/// # Errors
/// When set-up fails, or a step does: then the message names it.
pub fn run(workspace: &Workspace, setup: &Setup<'_>, options: &Options) -> Result<()> {
    if options.step.is_none() {
        // A missing tool should fail now, not after ten minutes of tests.
        setup.everything()?;
    }
    let mut durations = Vec::new();
    for step in options.steps() {
        let name = step.name();
        eprintln!("==> step {name}");
        let start = Instant::now();
        step.run(workspace, setup, options.filter.as_deref()).with_context(|| {
            format!("the step `{name}` failed; `cargo xtask test --step {name}` runs it alone")
        })?;
        durations.push((name, start.elapsed()));
    }
    print_summary(&durations);
    Ok(())
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self, workspace: &Workspace, setup: &Setup<'_>, filter: Option<&str>) -> Result<()> {
        match self {
            Self::Lint => lint::run(workspace, setup),
            Self::Unit => unit(workspace, filter),
            Self::BrowserUnit => browser_unit(workspace, setup, filter),
            Self::System => system(workspace, setup, filter),
        }
    }
}

fn unit(workspace: &Workspace, filter: Option<&str>) -> Result<()> {
    let selection = ["test", "--workspace", "--exclude", "tailcast-tests"];
    workspace.cargo()?.args(selection).args(filter).run_on_stdout()
}

fn browser_unit(workspace: &Workspace, setup: &Setup<'_>, filter: Option<&str>) -> Result<()> {
    let toolchain = setup.wasm_toolchain()?;
    setup.wasm_bindgen()?;
    let browser = setup.browser()?;
    let firefox = setup.firefox()?;
    let mut in_chromium = browser_unit_tests(workspace, toolchain, &WASM_PACKAGES, filter)?
        .env("CHROMEDRIVER", &browser.driver);
    if let Some(capabilities) = capabilities_elsewhere(workspace, &browser)? {
        in_chromium = in_chromium.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities);
    }
    in_chromium.run_on_stdout()?;
    // These programs are already built.
    browser_unit_tests(workspace, toolchain, &WASM_PACKAGES, filter)?
        .env("GECKODRIVER", &firefox.driver)
        .run_on_stdout()
}

/// Returns a command that runs the tests of `packages` in a browser. The environment names its driver.
fn browser_unit_tests(
    workspace: &Workspace,
    toolchain: WasmToolchain,
    packages: &[&str],
    filter: Option<&str>,
) -> Result<Program> {
    let cargo = lint::wasm_cargo(workspace, toolchain)?
        // Documentation tests have no browser to run in.
        .args(["test", "--tests", "--target", WASM_TARGET])
        .args(packages)
        .args(filter)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
        .env("WASM_BINDGEN_TEST_TIMEOUT", BROWSER_UNIT_LIMIT);
    Ok(cargo)
}

fn system(workspace: &Workspace, setup: &Setup<'_>, filter: Option<&str>) -> Result<()> {
    let browser = setup.browser()?;
    let firefox = setup.firefox()?;
    let python = setup.python()?;
    let node_modules = setup.javascript()?;
    let web_servers = setup.web_servers()?;
    dist::run(workspace, setup, dist::PackOptions::default())?;
    let book = docs::build(workspace, setup)?;
    budget::check(workspace)?;
    workspace
        .cargo()?
        // A run is expensive, so that it should list all failures.
        .args(["test", "--no-fail-fast", "--package", "tailcast-tests"])
        .args(filter)
        .env("TAILCAST_BIN", workspace.packed_program())
        .env("TAILCAST_SITE", workspace.site())
        .env("TAILCAST_DIST", workspace.dist())
        .env("TAILCAST_BOOK", book)
        .env("TAILCAST_PYTHON", python)
        .env("TAILCAST_NODE_MODULES", node_modules)
        .env("TAILCAST_WEB_SERVERS", web_servers)
        .env("CHROMIUM", browser.program)
        .env("CHROMEDRIVER", browser.driver)
        .env("FIREFOX", firefox.program)
        .env("GECKODRIVER", firefox.driver)
        .run_on_stdout()
}

/// Writes a copy of `webdriver.json` with the path of the browser, if that is not the path of Debian's Chromium.
fn capabilities_elsewhere(workspace: &Workspace, browser: &Browser) -> Result<Option<PathBuf>> {
    let committed = workspace.root().join("webdriver.json");
    let text =
        fs::read_to_string(&committed).with_context(|| format!("cannot read {}", committed.display()))?;
    let binary = browser.program.to_string_lossy();
    let changed = with_binary(&text, &binary)
        .with_context(|| format!("{} names no \"binary\"", committed.display()))?;
    if changed == text {
        return Ok(None);
    }
    let copy = workspace.page_target().join("webdriver.json");
    fs::create_dir_all(workspace.page_target())
        .and_then(|()| fs::write(&copy, changed))
        .with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(Some(copy))
}

/// Replaces the value of `"binary"`.
fn with_binary(json: &str, binary: &str) -> Option<String> {
    let (before, rest) = json.split_once("\"binary\"")?;
    let (colon, rest) = rest.split_once('"')?;
    let (_old, after) = rest.split_once('"')?;
    let escaped = binary.replace('\\', "\\\\");
    Some(format!("{before}\"binary\"{colon}\"{escaped}\"{after}"))
}

fn print_summary(durations: &[(String, Duration)]) {
    let width = durations.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let total = durations.iter().map(|(_, duration)| *duration).sum();
    eprintln!("==> all passed");
    for (name, duration) in durations {
        eprintln!("    {name:width$}  {}", progress::humanized(*duration));
    }
    eprintln!("    {:width$}  {}", "total", progress::humanized(total));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_leaves_linting_out_and_a_step_stands_alone() {
        let steps = |step, filter: Option<&str>| Options { step, filter: filter.map(str::to_owned) }.steps();
        assert_eq!(steps(None, None).first(), Some(&Step::Lint));
        assert_eq!(steps(None, Some("ack")).first(), Some(&Step::Unit));
        assert_eq!(steps(Some(Step::Lint), Some("ack")), [Step::Lint]);
    }

    #[test]
    fn only_the_binary_of_the_capabilities_changes() {
        let json = r#"{"goog:chromeOptions": {"binary" : "/usr/bin/chromium", "args": ["--headless=new"]}}"#;
        let moved = r#"{"goog:chromeOptions": {"binary" : "/opt/chrome", "args": ["--headless=new"]}}"#;
        assert_eq!(with_binary(json, "/opt/chrome").as_deref(), Some(moved));
        assert_eq!(with_binary("{}", "/opt/chrome"), None);
    }
}
