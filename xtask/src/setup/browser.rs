//! Chromium and its driver, for the tests.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::packages::Packages;
use crate::program::Program;
use crate::workspace::Workspace;

const BROWSER_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Packages with fonts: without any, a browser lays out text of no size.
const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-liberation"];

/// A browser and its WebDriver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browser {
    /// Program of the browser.
    pub program: PathBuf,
    /// Program of the driver. Chromium's has the same major version.
    pub driver: PathBuf,
}

/// Finds both, or installs both. `CHROMIUM` and `CHROMEDRIVER` name other copies.
///
/// # Errors
/// When one is missing and cannot be installed, or their versions differ.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<Browser> {
    let browser = match find(workspace) {
        Some(browser) => browser,
        None => {
            let otherwise = "or set CHROMIUM and CHROMEDRIVER to the two programs";
            packages.install(&PACKAGES, "testing in a real browser", otherwise)?;
            find(workspace).context("chromium and chromium-driver were installed, but are not on PATH")?
        }
    };
    let (major, driver_major) = (major_version(&browser.program)?, major_version(&browser.driver)?);
    if major != driver_major {
        bail!(
            "{} is version {major}, but {} is version {driver_major}: they must match. \
             Set CHROMIUM and CHROMEDRIVER to two that do",
            browser.program.display(),
            browser.driver.display()
        );
    }
    Ok(browser)
}

fn find(workspace: &Workspace) -> Option<Browser> {
    let named = |variable: &str| env::var_os(variable).map(PathBuf::from);
    let program =
        named("CHROMIUM").or_else(|| BROWSER_NAMES.iter().find_map(|name| workspace.find_program(name)))?;
    let driver = named("CHROMEDRIVER")
        // Hosted CI machines have the driver in a folder of its own.
        .or_else(|| named("CHROMEWEBDRIVER").map(|dir| dir.join("chromedriver")).filter(|path| path.exists()))
        .or_else(|| workspace.find_program("chromedriver"))?;
    Some(Browser { program, driver })
}

fn major_version(program: &PathBuf) -> Result<u32> {
    let answer = Program::new(program).arg("--version").capture()?;
    parse_major(&answer).with_context(|| format!("{} printed no version, but: {answer}", program.display()))
}

/// Parses the first word that starts with a number: `Chromium 156.0.8078.79 built on Debian`.
fn parse_major(answer: &str) -> Option<u32> {
    answer.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_both_programs_are_parsed() {
        assert_eq!(parse_major("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)"), Some(156));
        assert_eq!(
            parse_major("ChromeDriver 156.0.8078.79 (8a3b2c1d-refs/branch-heads/8078@{#79})"),
            Some(156)
        );
        assert_eq!(parse_major("Command not found."), None);
    }
}
