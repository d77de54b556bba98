//! Rule that the top-level modules of a crate are layers: none of them uses a module that uses it, directly or through others.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::sources::RustFile;

/// Crates that have circles still.
const CIRCULAR: [&str; 5] = ["crates/client", "crates/client-js", "crates/lines", "crates/server", "xtask"];

/// Files that may use all modules of their crate.
const ROOTS: [&str; 2] = ["lib.rs", "main.rs"];

/// Uses of one module by another, by the names of both, each with the place of the first.
type Uses = BTreeMap<(String, String), String>;

/// Checks the modules of all crates.
///
/// # Errors
/// Each use that is part of a circle, and each crate of [`CIRCULAR`] that has none any more.
pub fn check(files: &[RustFile]) -> Result<()> {
    let units: BTreeSet<&str> = files.iter().map(RustFile::unit).collect();
    let mut broken = Vec::new();
    for unit in units {
        let in_circles = uses_in_circles(&uses(unit, files));
        match (CIRCULAR.contains(&unit), in_circles.is_empty()) {
            (false, false) => broken.extend(in_circles),
            (true, true) => broken.push(format!("{unit} has no circle any more: remove it from CIRCULAR")),
            _ => {}
        }
    }
    ensure!(
        broken.is_empty(),
        "modules use each other in a circle: move what both need into a module below them (xtask/src/module_circles.rs):\n    {}",
        broken.join("\n    ")
    );
    Ok(())
}

/// Finds the uses among the top-level modules of the crate in the folder `unit`.
fn uses(unit: &str, files: &[RustFile]) -> Uses {
    let files: Vec<(Vec<&str>, &RustFile)> = files
        .iter()
        .filter(|file| file.unit() == unit && !file.is_test())
        .filter_map(|file| Some((module_path(unit, &file.path)?, file)))
        .collect();
    let modules: BTreeSet<&str> = files.iter().filter_map(|(path, _)| path.first().copied()).collect();
    let roots = files.iter().filter(|(path, _)| path.is_empty());
    let exports: BTreeMap<String, String> =
        roots.flat_map(|(_, file)| exports(&file.source.code_without_tests())).collect();
    let mut uses = Uses::new();
    for (path, file) in &files {
        let Some(user) = path.first() else { continue };
        let code = file.source.code_without_tests();
        for (at, name) in names_at_root(&code, path.len()) {
            let used = if modules.contains(name.as_str()) { Some(&name) } else { exports.get(&name) };
            let Some(used) = used.filter(|used| used != user && modules.contains(used.as_str())) else {
                continue;
            };
            let line = code.get(..at).unwrap_or_default().matches('\n').count() + 1;
            let place = || format!("{}:{line}: `{user}` uses `{used}`", file.path);
            uses.entry(((*user).to_owned(), used.clone())).or_insert_with(place);
        }
    }
    uses
}

/// Returns the path of the module in a file, empty for the root of the crate. `None` for a file outside of `src`.
fn module_path<'p>(unit: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let inside = path.strip_prefix(unit)?.strip_prefix('/')?;
    let inside = if unit == "src" { inside } else { inside.strip_prefix("src/")? };
    if ROOTS.contains(&inside) {
        return Some(Vec::new());
    }
    Some(inside.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect())
}

/// Finds the names that `code` uses from the root of its crate, with their positions. `depth` is that of its module.
fn names_at_root(code: &str, depth: usize) -> Vec<(usize, String)> {
    let prefixes = ["crate::".to_owned(), "super::".repeat(depth)];
    let found = prefixes.iter().flat_map(|prefix| code.match_indices(prefix.as_str()));
    let is_whole = |(at, _): &(usize, &str)| {
        let before = code.get(..*at).unwrap_or_default();
        !before.ends_with(|symbol: char| is_in_name(symbol) || symbol == ':')
    };
    found
        .filter(is_whole)
        .flat_map(|(at, prefix)| {
            let paths = paths(use_tree(code.get(at + prefix.len()..).unwrap_or_default()));
            paths.into_iter().map(move |path| (at, first_name(&path).to_owned()))
        })
        .collect()
}

/// Returns the names that the root of a crate takes from its modules, each with its module.
fn exports(code: &str) -> Vec<(String, String)> {
    let trees =
        code.match_indices("use ").map(|(at, keyword)| code.get(at + keyword.len()..).unwrap_or_default());
    let paths = trees
        .flat_map(|tree| paths(use_tree(tree.trim_start_matches("crate::").trim_start_matches("self::"))));
    paths
        .map(|path| {
            let last = path.rsplit("::").next().unwrap_or_default();
            let name = last.rsplit(" as ").next().unwrap_or_default().trim();
            (name.to_owned(), first_name(&path).to_owned())
        })
        .collect()
}

/// Returns the path, or the tree of paths, with which `code` begins.
fn use_tree(code: &str) -> &str {
    let (mut depth, mut last) = (0_usize, ':');
    for (at, symbol) in code.char_indices() {
        match symbol {
            '{' if depth > 0 || last == ':' => depth += 1,
            '}' if depth == 1 => return code.get(..=at).unwrap_or_default(),
            '}' if depth > 1 => depth -= 1,
            _ if depth > 0 || is_in_name(symbol) || symbol == ':' => {}
            _ => return code.get(..at).unwrap_or_default(),
        }
        last = symbol;
    }
    code
}

/// Returns the paths of a tree: `a::b` and `a::c` of `a::{b, c}`.
fn paths(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    // The last item loses its own closing braces, too, which changes none of its paths.
    let (mut depth, mut items) = (0_usize, vec![String::new()]);
    for symbol in rest.trim_end().trim_end_matches('}').chars() {
        depth = match symbol {
            '{' => depth + 1,
            '}' => depth.saturating_sub(1),
            _ => depth,
        };
        match items.last_mut() {
            Some(item) if symbol != ',' || depth > 0 => item.push(symbol),
            _ => items.push(String::new()),
        }
    }
    let items = items.iter().filter(|item| !item.trim().is_empty());
    items.flat_map(|item| paths(item)).map(|path| format!("{}{path}", prefix.trim())).collect()
}

fn first_name(path: &str) -> &str {
    path.split(|symbol| !is_in_name(symbol)).next().unwrap_or_default()
}

fn is_in_name(symbol: char) -> bool {
    symbol.is_alphanumeric() || symbol == '_'
}

/// Returns the places of the uses that are part of a circle.
fn uses_in_circles(uses: &Uses) -> Vec<String> {
    let in_circle = uses.iter().filter(|((user, used), _)| is_reachable(uses, used, user));
    in_circle.map(|(_, place)| place.clone()).collect()
}

/// Returns whether a module uses another, directly or through others.
fn is_reachable(uses: &Uses, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(uses.keys().filter(|(user, _)| user == module).map(|(_, used)| used.as_str()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceTree;

    fn broken(files: &[(&str, &str)]) -> Vec<String> {
        let mut sources = SourceTree::default();
        for (path, text) in files {
            sources.add_text(&format!("crates/a/src/{path}"), (*text).to_owned());
        }
        uses_in_circles(&uses("crates/a", &sources.rust))
    }

    #[test]
    fn modules_that_use_each_other_are_reported_with_the_places() {
        let files = [
            ("lib.rs", "mod top;\nmod middle;\nmod low;"),
            ("top.rs", "use crate::{\n    low::{One, Two},\n    middle::Three,\n};"),
            ("middle/mod.rs", "mod part;\nuse crate::low::One;"),
            ("middle/part.rs", "fn call() { super::super::low::run(); }"),
        ];
        assert_eq!(broken(&[&files[..], &[("low.rs", "struct One;")]].concat()), [""; 0]);
        let circle = broken(&[&files[..], &[("low.rs", "\n\nfn call() { crate::top::run() }")]].concat());
        let expected = [
            "crates/a/src/low.rs:3: `low` uses `top`",
            "crates/a/src/middle/mod.rs:2: `middle` uses `low`",
            "crates/a/src/top.rs:1: `top` uses `low`",
            "crates/a/src/top.rs:1: `top` uses `middle`",
        ];
        assert_eq!(circle, expected);
    }

    #[test]
    fn a_name_that_the_root_exports_is_a_use_of_its_module() {
        let root = "pub use top::{deep::Face, Other as Named};";
        let names = ["Face", "Named"];
        for name in names {
            let low = format!("use crate::{name};");
            let found = broken(&[("lib.rs", root), ("top.rs", "use super::low;"), ("low.rs", &low)]);
            assert_eq!(found.len(), 2, "{name}: {found:?}");
        }
    }

    #[test]
    fn tests_may_use_what_stands_above_them() {
        let low = "// crate::top\n#[cfg(test)]\nmod tests { use crate::top::Top; }";
        let files =
            [("top.rs", "use crate::low::Low;"), ("low.rs", low), ("low/tests.rs", "use crate::top::Top;")];
        assert_eq!(broken(&files), [""; 0]);
    }

    #[test]
    fn trees_are_split_into_paths() {
        assert_eq!(paths(use_tree("{a::{b, c::{d, e}}, f};")), ["a::b", "a::c::d", "a::c::e", "f"]);
        assert_eq!(paths(use_tree("a::b(c)")), ["a::b"]);
        assert_eq!(paths(use_tree("{x::{y}}")), ["x::y"]);
    }
}
