//! Commands of the documents that begin with `cargo xtask`. They run for minutes, so the test only parses them. All other
//! documented commands are run by `tests/documented_commands`.

use clap::Parser;

use crate::Cli;
use crate::sources::SourceTree;
use crate::workspace::Workspace;

/// Beginning of the commands.
const XTASK: &str = "cargo xtask ";

/// Placeholder in the documents that is not a valid value, and a value.
const STEP: (&str, &str) = ("STEP", "lint");

/// Returns the arguments of each command in a document.
fn commands(text: &str) -> Vec<Vec<String>> {
    let places = text.match_indices(XTASK);
    let commands = places.filter_map(|(at, _)| {
        let rest = text.get(at + XTASK.len()..)?;
        let is_span = text.get(..at)?.ends_with('`');
        // A code span can continue in the next line.
        let ends: &[char] = if is_span { &['`'] } else { &['`', '#', '&', '\n'] };
        rest.split(ends).next()
    });
    commands.flat_map(alternatives).collect()
}

/// Returns the arguments of a command, once for each of the alternatives `a | b` at its end, without the optional ones (`[a]`).
fn alternatives(command: &str) -> Vec<Vec<String>> {
    let words: Vec<&str> = command.split_whitespace().filter(|word| !word.starts_with('[')).collect();
    let mut alternatives = words.split(|word| *word == "|");
    let Some(first) = alternatives.next() else { return Vec::new() };
    let common = first.split_last().map_or(first, |(_, common)| common);
    let others = alternatives.map(|alternative| [common, alternative].concat());
    let all = std::iter::once(first.to_vec()).chain(others);
    all.map(|words| {
        let words = words.into_iter().map(|word| if word == STEP.0 { STEP.1 } else { word });
        words.map(str::to_owned).collect()
    })
    .collect()
}

#[test]
fn every_documented_command_is_accepted() -> anyhow::Result<()> {
    let sources = SourceTree::read(Workspace::locate()?.root())?;
    let mut count = 0;
    for document in &sources.documents {
        for arguments in commands(&document.text) {
            let parsed =
                Cli::try_parse_from(["cargo xtask"].into_iter().chain(arguments.iter().map(String::as_str)));
            assert!(parsed.is_ok(), "{}: {XTASK}{}", document.path, arguments.join(" "));
            count += 1;
        }
    }
    assert!(count > 20, "only {count} commands were found");
    Ok(())
}

#[test]
fn commands_are_found_in_spans_and_blocks() {
    let text = "`cargo xtask a | b |\nc`, `cargo xtask test --step STEP`\ncargo xtask d [E]   # comment\ncargo xtask f && g\n";
    let found = commands(text);
    let found: Vec<_> = found.iter().map(|words| words.join(" ")).collect();
    assert_eq!(found, ["a", "b", "c", "test --step lint", "d", "f"]);
}
