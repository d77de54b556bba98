//! Rule that the code of each crate names all of its dependencies.
//!
//! It looks for the names of the manifests among the paths of the code. `cargo machete` does no more, but would have to
//! be compiled first; and it does not look at the dependencies of the workspace.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::sources::{SourceTree, TextFile};

/// Dependencies that no code names, with the reason: folder of the crate, name, reason.
const UNNAMED: [(&str, &str, &str); 1] = [(
    "tests",
    "webpubsub-negotiate",
    "the example of the negotiate endpoint names it, which is a program of the tests",
)];

const WORKSPACE_SECTION: &str = "[workspace.dependencies]";
const ROOT_MANIFEST: &str = "Cargo.toml";

/// Folder of the crate of [`ROOT_MANIFEST`].
const ROOT_UNIT: &str = "src";

/// Checks the manifests of all crates, and the dependencies of the workspace.
///
/// # Errors
/// Each dependency that no code names, and each exception that is not needed.
pub fn check(sources: &SourceTree) -> Result<()> {
    let code = code_by_unit(sources);
    let mut broken: Vec<_> = sources.manifests.iter().flat_map(|manifest| unnamed(manifest, &code)).collect();
    broken.extend(unused_in_workspace(&sources.manifests));
    broken.extend(unneeded_exceptions(&sources.manifests));
    ensure!(
        broken.is_empty(),
        "a dependency is not used (xtask/src/dependencies.rs):\n    {}",
        broken.join("\n    ")
    );
    Ok(())
}

/// Joins the code of each crate.
fn code_by_unit(sources: &SourceTree) -> BTreeMap<&str, String> {
    let mut code = BTreeMap::<_, String>::new();
    for file in &sources.rust {
        code.entry(file.unit()).or_default().push_str(&file.source.code);
    }
    code
}

fn unnamed(manifest: &TextFile, code: &BTreeMap<&str, String>) -> Vec<String> {
    let unit = unit(manifest);
    let code = code.get(unit).map(String::as_str).unwrap_or_default();
    let dependencies = dependencies(&manifest.text).into_iter();
    let broken = dependencies.filter_map(|(line, name)| {
        let place = format!("{}:{line}: `{name}`", manifest.path);
        let is_exempt = UNNAMED.iter().any(|&(folder, exempt, _)| folder == unit && exempt == name);
        match (is_named(code, name), is_exempt) {
            (true, true) => Some(format!("{place}: the code names it: remove it from UNNAMED")),
            (false, false) => Some(format!(
                "{place}: no code of {unit} names it: remove it, or add it to UNNAMED with the reason"
            )),
            _ => None,
        }
    });
    broken.collect()
}

/// Returns the dependencies of the workspace that no member has.
fn unused_in_workspace(manifests: &[TextFile]) -> Vec<String> {
    let used: BTreeSet<_> =
        manifests.iter().flat_map(|manifest| dependencies(&manifest.text)).map(|(_, name)| name).collect();
    let root = manifests.iter().find(|manifest| manifest.path == ROOT_MANIFEST);
    let declared = root.map(|root| entries(&root.text, |section| section == WORKSPACE_SECTION));
    let unused = declared.unwrap_or_default().into_iter().filter(|(_, name)| !used.contains(name));
    unused
        .map(|(line, name)| format!("{ROOT_MANIFEST}:{line}: `{name}`: no crate has it: remove it"))
        .collect()
}

/// Returns the exceptions whose dependency is gone.
fn unneeded_exceptions(manifests: &[TextFile]) -> Vec<String> {
    let has = |folder: &str, exempt: &str| {
        let mut manifests = manifests.iter().filter(|manifest| unit(manifest) == folder);
        manifests.any(|manifest| dependencies(&manifest.text).iter().any(|&(_, name)| name == exempt))
    };
    let unneeded = UNNAMED.iter().filter(|(folder, exempt, _)| !has(folder, exempt));
    unneeded
        .map(|(folder, exempt, _)| format!("{folder} does not have `{exempt}`: remove it from UNNAMED"))
        .collect()
}

/// Returns the folder of a manifest's crate.
fn unit(manifest: &TextFile) -> &str {
    manifest.path.strip_suffix("/Cargo.toml").unwrap_or(ROOT_UNIT)
}

/// Returns the dependencies of a crate, of all kinds and targets, with their lines.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    entries(manifest, |section| section.ends_with("dependencies]") && section != WORKSPACE_SECTION)
}

/// Returns the keys in sections of a manifest, with their lines.
fn entries(manifest: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<(usize, &str)> {
    let mut is_in_section = false;
    let mut entries = Vec::new();
    for (at, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            is_in_section = is_wanted(line.trim_end());
        } else if let Some(key) = key(line).filter(|_| is_in_section) {
            entries.push((at + 1, key));
        }
    }
    entries
}

/// Returns the key of a line such as `name = …` or `name.workspace = …`.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let name = key.split('.').next()?.trim_end();
    let is_name = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '-' || symbol == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Returns whether a path in `code` begins with the crate, as in `name::item`, or an import is of the crate itself.
fn is_named(code: &str, dependency: &str) -> bool {
    let name = dependency.replace('-', "_");
    code.match_indices(&name).any(|(at, _)| {
        let (before, rest) = code.split_at_checked(at).unwrap_or_default();
        let after = rest.strip_prefix(&name).unwrap_or_default();
        let begins =
            !before.ends_with(|symbol: char| symbol.is_alphanumeric() || symbol == '_' || symbol == ':');
        let is_import = before.ends_with("use ") || before.ends_with("extern crate ");
        begins && (after.starts_with("::") || is_import && after.starts_with([';', ' ']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"a\"\n\n[dependencies]\nserde-json.workspace = true\n# bytes = 1\n\
                            url = { version = \"1\", features = [\n    \"std\",\n] }\n\n[dev-dependencies]\nhttp = \"1\"\n";

    #[test]
    fn a_crate_is_named_by_a_path_or_an_import() {
        for code in [
            "serde_json::Value",
            "pub use serde_json;",
            "let a = serde_json::json!(1);",
            "use serde_json as json;",
        ] {
            assert!(is_named(code, "serde-json"), "{code}");
        }
        for code in ["crate::serde_json::A", "let serde_json = 1;", "my_serde_json::A", "serde_json_more::A"]
        {
            assert!(!is_named(code, "serde-json"), "{code}");
        }
    }

    #[test]
    fn dependencies_of_all_kinds_are_read_with_their_lines() {
        assert_eq!(dependencies(MANIFEST), [(5, "serde-json"), (7, "url"), (12, "http")]);
    }

    #[test]
    fn a_dependency_that_no_code_names_is_reported() {
        let manifest = TextFile { path: "crates/a/Cargo.toml".to_owned(), text: MANIFEST.to_owned() };
        let code = [("crates/a", "fn f(a: url::Url) { http::get(serde_json()) }".to_owned())].into();
        let broken = unnamed(&manifest, &code);
        assert!(
            matches!(&broken[..], [only] if only.starts_with("crates/a/Cargo.toml:5: `serde-json`")),
            "{broken:?}"
        );
    }

    #[test]
    fn a_dependency_of_the_workspace_that_no_crate_has_is_reported() {
        let root = "[workspace.dependencies]\nurl = \"2\"\nbytes = \"1\"\n".to_owned();
        let manifests = [
            TextFile { path: ROOT_MANIFEST.to_owned(), text: root },
            TextFile { path: "crates/a/Cargo.toml".to_owned(), text: MANIFEST.to_owned() },
        ];
        let broken = unused_in_workspace(&manifests);
        assert!(matches!(&broken[..], [only] if only.starts_with("Cargo.toml:3: `bytes`")), "{broken:?}");
    }
}
