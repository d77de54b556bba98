//! Building: the page with trunk, the server with cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::progress;
use crate::setup::{Setup, WasmToolchain};
use crate::site;
use crate::workspace::Workspace;

/// What the page is made of, relative to the root. Style sheets beside `index.html` count too.
const PAGE_INPUTS: [&str; 10] = [
    "assets",
    "Cargo.lock",
    "Cargo.toml",
    "crates/client",
    "crates/lines",
    "crates/protocol",
    "index.html",
    "src",
    "Trunk.toml",
    "xtask/src/site",
];
const STYLE_EXTENSIONS: [&str; 3] = ["css", "scss", "sass"];

/// Lies in the page's target folder and tells when the last build began and which `index.html` it left.
const STAMP: &str = "page-built.txt";

/// Builds the page and the server.
///
/// # Errors
/// When set-up or a build fails.
pub fn all(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    page(workspace, setup)?;
    server(workspace)
}

/// Builds the page into `target/site/`, unless nothing changed since the last time.
///
/// # Errors
/// When set-up or trunk fails.
pub fn page(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let toolchain = setup.page()?;
    if page_is_current(workspace) {
        return Ok(());
    }
    progress::step("building the page", "about 4 minutes the first time, then half a minute", || {
        let began = SystemTime::now();
        trunk(workspace, toolchain)?;
        site::finish(&workspace.site())?;
        let stamp = workspace.page_target().join(STAMP);
        let text = stamp_text(began, modified(&index(workspace))?);
        fs::write(&stamp, text).with_context(|| format!("cannot write {}", stamp.display()))
    })
}

/// Builds `target/release/tailcast`, which carries the page that lies in `target/site/`.
///
/// # Errors
/// When cargo fails.
pub fn server(workspace: &Workspace) -> Result<()> {
    progress::step("building the server", "a few minutes the first time", || {
        let build = workspace.cargo()?.args(["build", "--release", "--package", "tailcast-server"]);
        build.env("TAILCAST_EMBED_SITE", workspace.site()).run()
    })
}

fn trunk(workspace: &Workspace, toolchain: WasmToolchain) -> Result<()> {
    let trunk = workspace
        .program("trunk")?
        .args([
            "build",
            "--release",
            "--offline",
            "--skip-version-check",
            "--cargo-profile",
            "page",
            "--dist",
        ])
        .arg(workspace.site())
        .env("CARGO_TARGET_DIR", workspace.page_target())
        // A failed build tells why in one line; its own call stack tells nothing.
        .env("RUST_BACKTRACE", "0")
        // Trunk reads this as its own switch, and refuses the value that many machines set.
        .env_remove("NO_COLOR");
    toolchain.applied_to(trunk).run()
}

fn index(workspace: &Workspace) -> PathBuf {
    workspace.site().join("index.html")
}

/// Whether the page is our last build's, and nothing that it was made of has changed since that began.
fn page_is_current(workspace: &Workspace) -> bool {
    let Ok(stamp) = fs::read_to_string(workspace.page_target().join(STAMP)) else { return false };
    let Ok(index_time) = modified(&index(workspace)) else { return false };
    let newest = page_inputs(workspace.root()).iter().filter_map(|input| newest_change(input)).max();
    // The stamp is written again from what is there now: somebody else's page gives another text.
    stamp_began(&stamp).is_some_and(|began| {
        stamp == stamp_text(began, index_time) && newest.is_some_and(|change| change < began)
    })
}

fn page_inputs(root: &Path) -> Vec<PathBuf> {
    let is_style = |path: &PathBuf| {
        path.extension().is_some_and(|extension| STYLE_EXTENSIONS.iter().any(|style| extension == *style))
    };
    let styles = root.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_style);
    PAGE_INPUTS.iter().map(|input| root.join(input)).chain(styles).collect()
}

/// The time of the latest change of a file, or of anything in a folder. A folder's own time counts as well: it is the
/// only trace of a file that was removed. `None` when there is nothing.
fn newest_change(path: &Path) -> Option<SystemTime> {
    let own = modified(path).ok()?;
    let inside = path.read_dir().into_iter().flatten().flatten();
    inside.filter_map(|entry| newest_change(&entry.path())).chain([own]).max()
}

fn modified(path: &Path) -> Result<SystemTime> {
    let time = fs::metadata(path).and_then(|meta| meta.modified());
    time.with_context(|| format!("cannot read the time of {}", path.display()))
}

fn stamp_text(began: SystemTime, index_time: SystemTime) -> String {
    format!("{} {}", nanoseconds(began), nanoseconds(index_time))
}

fn stamp_began(stamp: &str) -> Option<SystemTime> {
    let nanoseconds = stamp.split(' ').next()?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
}

fn nanoseconds(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_time(path: &Path, seconds: u64) -> Result<()> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Ok(fs::File::open(path)?.set_modified(time)?)
    }

    #[test]
    fn the_newest_change_is_found_however_deep_and_a_removal_counts() -> Result<()> {
        let dir = std::env::temp_dir().join(format!("tailcast-xtask-{}", std::process::id()));
        let (inner, file) = (dir.join("inner"), dir.join("inner/file.rs"));
        fs::create_dir_all(&inner)?;
        fs::write(&file, "")?;
        for (path, seconds) in [(&file, 300), (&inner, 200), (&dir, 100)] {
            set_time(path, seconds)?;
        }
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(newest_change(&dir), at(300));
        fs::remove_file(&file)?;
        assert!(newest_change(&dir) > at(300));
        fs::remove_dir_all(&dir)?;
        assert_eq!(newest_change(&dir), None);
        Ok(())
    }

    #[test]
    fn a_stamp_gives_back_when_the_build_began() {
        let began = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
        let stamp = stamp_text(began, SystemTime::UNIX_EPOCH);
        assert_eq!(stamp_began(&stamp), Some(began));
        assert_eq!(stamp_began("by hand"), None);
    }
}
