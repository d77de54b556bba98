//! Where the programs are.

use std::path::PathBuf;

use anyhow::Context;

fn path(variable: &str) -> anyhow::Result<PathBuf> {
    let value = std::env::var_os(variable).with_context(|| {
        format!("{variable} is not set; run these tests with `cargo xtask test`, which sets it")
    })?;
    Ok(PathBuf::from(value))
}

/// The program under test.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn tailcast() -> anyhow::Result<PathBuf> {
    path("TAILCAST_BIN")
}

/// The built page.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn site() -> anyhow::Result<PathBuf> {
    path("TAILCAST_SITE")
}

/// What `cargo xtask dist` writes.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn dist() -> anyhow::Result<PathBuf> {
    path("TAILCAST_DIST")
}

/// The documentation, as a book.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn book() -> anyhow::Result<PathBuf> {
    path("TAILCAST_BOOK")
}

/// The custom element's package.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn element() -> anyhow::Result<PathBuf> {
    Ok(dist()?.join("npm"))
}

/// The package of the client for JavaScript.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn client_js() -> anyhow::Result<PathBuf> {
    Ok(dist()?.join("client-js"))
}

/// Chromium's driver.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn chromedriver() -> anyhow::Result<PathBuf> {
    path("CHROMEDRIVER")
}

/// Chromium.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn chromium() -> anyhow::Result<PathBuf> {
    path("CHROMIUM")
}

/// Firefox's driver.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn geckodriver() -> anyhow::Result<PathBuf> {
    path("GECKODRIVER")
}

/// Firefox.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn firefox() -> anyhow::Result<PathBuf> {
    path("FIREFOX")
}

/// A Python with the strangers' packages.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn python() -> anyhow::Result<PathBuf> {
    path("TAILCAST_PYTHON")
}

/// The folder in which nginx and Caddy lie as Debian has them.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn web_servers() -> anyhow::Result<PathBuf> {
    path("TAILCAST_WEB_SERVERS")
}

/// The strangers' packages from npm.
///
/// # Errors
/// When `cargo xtask test` did not say.
pub fn node_modules() -> anyhow::Result<PathBuf> {
    path("TAILCAST_NODE_MODULES")
}
