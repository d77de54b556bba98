//! Offline use: a service worker that caches the page.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{HASH_DIGITS, INDEX, MIN_HASH_DIGITS, files, is_packed, read, short_hash, write};

/// File name of the worker. It has no hash, because browsers update a worker by its address.
const WORKER: &str = "service_worker.js";
/// Source of the worker, with placeholders.
const SCRIPT: &str = include_str!("service_worker.js");
const MARKS: [&str; 3] = ["__VERSION__", "__FILES__", "__SETTINGS__"];

/// Writes the worker, which also caches `settings`, and returns its path.
///
/// # Errors
/// When a file cannot be read or written.
pub fn keep(site: &Path, settings: &[&str]) -> Result<PathBuf> {
    let names = lasting_names(site)?;
    let index = read(&site.join(INDEX))?;
    // The names contain the hashes of the files.
    let parts = [SCRIPT, &index].into_iter().chain(names.iter().map(String::as_str)).map(str::as_bytes);
    let version = short_hash(&parts.collect::<Vec<_>>());
    let [files, settings] = [serde_json::to_string(&names), serde_json::to_string(settings)]
        .map(|list| list.context("names are no text"));
    let worker = site.join(WORKER);
    let script = SCRIPT.replace(MARKS[0], &version).replace(MARKS[1], &files?).replace(MARKS[2], &settings?);
    write(&worker, script.as_bytes())?;
    Ok(worker)
}

/// Returns the names of the files that the page loads: those with a hash, whose contents never change.
///
/// # Errors
/// When the folder cannot be read.
pub fn lasting_names(site: &Path) -> Result<Vec<String>> {
    let below = |file: &PathBuf| {
        let name = file.strip_prefix(site).ok()?.to_str()?.replace('\\', "/");
        (has_hash(&name) && !is_packed(file)).then_some(name)
    };
    Ok(files(site)?.iter().filter_map(below).collect())
}

/// Returns whether a name ends in `-HASH.ext` or `-HASH_more.ext`.
fn has_hash(name: &str) -> bool {
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    name.rsplit_once('-').is_some_and(|(_, rest)| {
        let end = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
        (MIN_HASH_DIGITS..=HASH_DIGITS).contains(&end) && rest[end..].starts_with(['.', '_'])
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_the_page_loads_is_kept_and_another_page_is_another_version() -> Result<()> {
        let site = std::env::temp_dir().join(format!("tailcast-offline-{}", std::process::id()));
        fs::create_dir_all(&site)?;
        let wasm = "tailcast-page-dfbabe9bcee54733_bg.wasm";
        for name in [wasm, "tailcast-page-dfbabe9bcee54733_bg.wasm.br", "icon-192.png", INDEX] {
            fs::write(site.join(name), name)?;
        }
        let first = fs::read_to_string(keep(&site, &["config.json"])?)?;
        assert!(first.contains(&format!("const FILES = [\"{wasm}\"];")), "{first}");
        assert!(first.contains("const SETTINGS = [\"config.json\"];"), "{first}");
        assert!(!first.contains("__"), "{first}");
        fs::write(site.join(INDEX), "another")?;
        let second = fs::read_to_string(keep(&site, &["config.json"])?)?;
        fs::remove_dir_all(&site)?;
        assert_ne!(first, second);
        Ok(())
    }
}
