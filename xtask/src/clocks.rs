//! Rule that modules of pure logic take the time as an argument, so that tests need neither sleeps nor luck.

use anyhow::{Result, ensure};

use crate::sources::{Kind, RustFile};

/// Beginnings of the paths of pure modules.
const PURE: [&str; 6] = [
    "crates/client/src/",
    "crates/hub/src/",
    "crates/lines/src/",
    "crates/protocol/src/",
    "crates/websocket/src/",
    "src/model/",
];

/// Drivers among them, which read the time.
const DRIVERS: [&str; 12] = [
    "crates/client/src/native/",
    "crates/client/src/web/",
    "crates/hub/src/backpressure/mod.rs",
    "crates/hub/src/clock.rs",
    "crates/hub/src/http_handlers/delivery.rs",
    "crates/hub/src/http_handlers/mod.rs",
    "crates/hub/src/http_handlers/validation.rs",
    "crates/hub/src/hub/sends.rs",
    "crates/hub/src/inspect/mod.rs",
    "crates/hub/src/recovery.rs",
    "crates/hub/src/service.rs",
    "crates/hub/src/websocket/",
];

/// Calls that read a clock: of `std`, of tokio, and of a browser.
const CALLS: [&str; 6] =
    ["Instant::now", "SystemTime::now", ".elapsed()", "Date::now", "Date::new_0", ".performance()"];

/// Claims in documentation that a module is pure.
const CLAIMS: [&str; 3] = ["no clock", "without a clock", "without clock"];

/// Checks that no pure module reads the time, and that all modules whose documentation claims to be pure are checked.
///
/// # Errors
/// Each call, each claim of a module that is not checked, and each path that no file has.
pub fn check(files: &[RustFile]) -> Result<()> {
    let mut broken: Vec<_> = files.iter().flat_map(broken_rules).collect();
    broken.extend(unknown_paths(files));
    ensure!(
        broken.is_empty(),
        "a rule about clocks is broken (xtask/src/clocks.rs):\n    {}",
        broken.join("\n    ")
    );
    Ok(())
}

fn broken_rules(file: &RustFile) -> Vec<String> {
    if is_pure(&file.path) { calls(file) } else { claims(file) }
}

/// Finds paths that no longer exist: their modules were moved, and are not checked.
fn unknown_paths(files: &[RustFile]) -> Vec<String> {
    let exists = |path: &str| files.iter().any(|file| file.path.starts_with(path));
    let unknown = PURE.iter().chain(&DRIVERS).filter(|path| !exists(path));
    unknown.map(|path| format!("no file is at {path}: correct the path in PURE or DRIVERS")).collect()
}

fn is_pure(path: &str) -> bool {
    let is_among = |beginnings: &[&str]| beginnings.iter().any(|beginning| path.starts_with(beginning));
    is_among(&PURE) && !is_among(&DRIVERS)
}

fn calls(file: &RustFile) -> Vec<String> {
    let lines = file.code_lines().into_iter();
    let calls = lines.filter_map(|(line, code)| {
        let call = CALLS.iter().find(|call| code.contains(*call))?;
        Some(format!("{}:{line}: `{call}`: take the time as an argument", file.path))
    });
    calls.collect()
}

fn claims(file: &RustFile) -> Vec<String> {
    let docs = file.source.prose.iter().filter(|prose| prose.kind == Kind::Doc);
    let claims = docs.filter(|prose| CLAIMS.iter().any(|claim| prose.text.contains(claim)));
    let path = &file.path;
    claims
        .map(|prose| {
            let line = prose.line;
            format!("{path}:{line}: claims to read no clock: add it to PURE, or change the comment")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceTree;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let mut sources = SourceTree::default();
        sources.add_text(path, text.to_owned());
        sources.rust.iter().flat_map(broken_rules).collect()
    }

    #[test]
    fn a_clock_is_read_by_drivers_and_tests_only() {
        let text =
            "fn a() {}\nfn b() { Instant::now(); }\n#[cfg(test)]\nmod tests { fn c() { Instant::now(); } }";
        let found = broken("src/model/status.rs", text);
        assert!(
            matches!(&found[..], [only] if only.starts_with("src/model/status.rs:2: `Instant::now`")),
            "{found:?}"
        );
        assert!(broken("crates/client/src/native/clock.rs", text).is_empty());
        assert!(broken("src/model/status/tests.rs", text).is_empty());
    }

    #[test]
    fn a_path_without_files_is_reported() {
        let mut sources = SourceTree::default();
        sources.add_text("src/model/status.rs", String::new());
        assert_eq!(unknown_paths(&sources.rust).len(), PURE.len() + DRIVERS.len() - 1);
    }

    #[test]
    fn a_claim_is_checked() {
        let text = "//! Knows no clock.\nfn a() {}";
        assert_eq!(broken("crates/server/src/serve.rs", text).len(), 1);
        assert!(broken("src/model/status.rs", text).is_empty());
    }
}
