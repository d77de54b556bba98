//! Versions of crates in `Cargo.lock`.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Returns the locked version of `name`.
///
/// # Errors
/// When there is no `Cargo.lock`, or no such crate in it.
pub fn locked_version(workspace: &Workspace, name: &str) -> Result<String> {
    let path = workspace.root().join("Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let version = find_version(&text, name).with_context(|| format!("{} has no {name}", path.display()))?;
    Ok(version.to_owned())
}

/// Finds a version. Cargo writes this file in one form only, so that no TOML parser is needed.
fn find_version<'a>(lock_file: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = lock_file.lines();
    lines.find(|line| quoted_value(line, "name") == Some(name))?;
    lines.next().and_then(|line| quoted_value(line, "version"))
}

fn quoted_value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK_FILE: &str = r#"
version = 4

[[package]]
name = "wasm-bindgen-macro"
version = "9.9.9"

[[package]]
name = "wasm-bindgen"
version = "0.2.130"
dependencies = [
 "wasm-bindgen-macro",
]
"#;

    #[test]
    fn a_crate_is_not_mistaken_for_one_with_a_longer_name() {
        assert_eq!(find_version(LOCK_FILE, "wasm-bindgen"), Some("0.2.130"));
    }

    #[test]
    fn a_missing_crate_has_no_version() {
        assert_eq!(find_version(LOCK_FILE, "wasm"), None);
    }
}
