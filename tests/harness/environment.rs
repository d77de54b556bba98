//! Paths of programs and packages, from environment variables that `cargo xtask test` sets.

use std::path::PathBuf;

use anyhow::Context;

fn path(variable: &str) -> anyhow::Result<PathBuf> {
    let value = std::env::var_os(variable).with_context(|| {
        format!("{variable} is not set; run these tests with `cargo xtask test`, which sets it")
    })?;
    Ok(PathBuf::from(value))
}

/// Returns the path of the program under test.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn tailcast() -> anyhow::Result<PathBuf> {
    path("TAILCAST_BIN")
}

/// Returns the directory of the built page.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn site() -> anyhow::Result<PathBuf> {
    path("TAILCAST_SITE")
}

/// Returns the output directory of `cargo xtask dist`.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn dist() -> anyhow::Result<PathBuf> {
    path("TAILCAST_DIST")
}

/// Returns the directory of the built documentation.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn book() -> anyhow::Result<PathBuf> {
    path("TAILCAST_BOOK")
}

/// Returns the directory of the custom element's npm package.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn element() -> anyhow::Result<PathBuf> {
    Ok(dist()?.join("npm"))
}

/// Returns the directory of the JavaScript client's npm package.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn client_js() -> anyhow::Result<PathBuf> {
    Ok(dist()?.join("client-js"))
}

/// Returns the path of ChromeDriver.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn chromedriver() -> anyhow::Result<PathBuf> {
    path("CHROMEDRIVER")
}

/// Returns the path of Chromium.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn chromium() -> anyhow::Result<PathBuf> {
    path("CHROMIUM")
}

/// Returns the path of geckodriver.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn geckodriver() -> anyhow::Result<PathBuf> {
    path("GECKODRIVER")
}

/// Returns the path of Firefox.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn firefox() -> anyhow::Result<PathBuf> {
    path("FIREFOX")
}

/// Returns the path of a Python interpreter with third-party SDKs.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn python() -> anyhow::Result<PathBuf> {
    path("TAILCAST_PYTHON")
}

/// Returns the root directory of the unpacked Debian packages of nginx and Caddy.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn web_servers() -> anyhow::Result<PathBuf> {
    path("TAILCAST_WEB_SERVERS")
}

/// Returns the `node_modules` directory with third-party packages.
///
/// # Errors
/// Fails if the environment variable is not set.
pub fn node_modules() -> anyhow::Result<PathBuf> {
    path("TAILCAST_NODE_MODULES")
}
