//! Commands of [`RECORDED`], run by a shell with recorders.

use std::{collections::BTreeMap, fs};

use anyhow::Context;
use tailcast_tests::environment;

use crate::{
    documents::occurrences,
    recorded::{RECORDED, Recorded, S3},
    sandbox::Sandbox,
};

/// Folders of the documents.
const FOLDERS: [&str; 2] = ["tailcast", "deploy/azure-functions"];

#[tokio::test]
async fn third_party_programs_get_the_documented_arguments() -> anyhow::Result<()> {
    for recorded in RECORDED {
        let about = || format!("{} ({})", recorded.command, recorded.reason);
        let calls = recorded.run().await.with_context(about)?;
        assert_eq!(calls.len(), recorded.calls.len(), "{}: {calls:?}", about());
        for (call, arguments) in calls.iter().zip(recorded.calls) {
            for argument in *arguments {
                assert!(call.iter().any(|word| word == argument), "{}: no {argument} in {call:?}", about());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_uploads_to_s3_cache_the_files_with_a_hash_in_their_names() -> anyhow::Result<()> {
    let uploads = RECORDED.iter().filter(|recorded| S3.contains(&recorded.command));
    let mut cached: BTreeMap<String, Option<String>> = BTreeMap::new();
    for entry in environment::dist()?.join("site").read_dir()? {
        cached.insert(entry?.file_name().into_string().ok().context("a name that is not UTF-8")?, None);
    }
    for upload in uploads {
        for call in upload.run().await? {
            for (name, caching) in &mut cached {
                if is_selected(name, &call) {
                    *caching = Some(value(&call, "--cache-control").context("no caching")?.to_owned());
                }
            }
        }
    }
    assert!(cached.len() > 5, "{cached:?}");
    for (name, caching) in cached {
        let expected = match &*name {
            "_headers" => None,
            _ if name.ends_with(".br") || name.ends_with(".gz") => None,
            _ if has_hash(&name) => Some("public, max-age=31536000, immutable"),
            _ => Some("no-cache"),
        };
        assert_eq!(caching.as_deref(), expected, "{name}");
    }
    Ok(())
}

impl Recorded {
    /// Runs the command. Returns the calls.
    async fn run(&self) -> anyhow::Result<Vec<Vec<String>>> {
        let mut calls = Vec::new();
        for step in occurrences(self.command)? {
            let mut sandbox = Sandbox::new()?;
            sandbox.set("CONNECTION_STRING", "Endpoint=https://x;");
            for folder in FOLDERS {
                fs::create_dir_all(sandbox.file(folder))?;
            }
            for program in self.programs {
                sandbox.add_recorder(program)?;
            }
            let ended = sandbox.run(&step).await?;
            anyhow::ensure!(ended.code == Some(0), "{}: {ended:?}", step.place);
            calls = sandbox.recorded();
        }
        Ok(calls)
    }
}

/// Returns the word after a flag.
fn value<'a>(call: &'a [String], flag: &str) -> Option<&'a str> {
    let at = call.iter().position(|word| word == flag)?;
    call.get(at + 1).map(String::as_str)
}

/// Whether `aws s3` uploads a file: the last filter that matches decides.
fn is_selected(name: &str, call: &[String]) -> bool {
    let filters = call.windows(2).filter_map(|words| match words {
        [flag, pattern] if flag == "--exclude" || flag == "--include" => Some((flag == "--include", pattern)),
        _ => None,
    });
    filters.rev().find(|(_, pattern)| is_match(pattern, name)).is_none_or(|(is_included, _)| is_included)
}

/// Whether a pattern of `*` and `?` matches a name.
fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.split_at_checked(1) {
        None => name.is_empty(),
        Some(("*", rest)) => (0..=name.len()).any(|at| name.get(at..).is_some_and(|end| is_match(rest, end))),
        Some((symbol, rest)) => name
            .split_at_checked(1)
            .is_some_and(|(first, end)| (symbol == "?" || symbol == first) && is_match(rest, end)),
    }
}

/// Whether a name contains a hash, as the recipes of `deploy/` recognise it: `-[0-9a-f]{8,16}[._]`.
fn has_hash(name: &str) -> bool {
    let hashes = name.split('-').skip(1).filter_map(|part| part.split(['.', '_']).next());
    hashes
        .filter(|hash| hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
        .any(|hash| (8..=16).contains(&hash.len()))
}

#[test]
fn patterns_match_as_in_aws() {
    assert!(is_match("*.br", "a.js.br") && !is_match("*.br", "a.js") && is_match("a-??*.js", "a-123.js"));
    assert!(!is_match("a-??*.js", "a-1.js"));
    let call = ["--exclude", "*", "--include", "*.js"].map(str::to_owned);
    assert!(is_selected("a.js", &call) && !is_selected("a.css", &call) && is_selected("a.css", &[]));
}
