//! Flags in the text of the documents, compared with `--help`.

use std::collections::{BTreeMap, BTreeSet};

use tailcast_tests::{command::run, environment::tailcast};

use crate::documents::{Code, documents};

/// Commands of `tailcast`, as its help lists them.
const COMMANDS: [&str; 10] =
    ["serve", "hub", "stream", "run", "tail", "watch", "publish", "token", "completions", "man"];

/// Document that explains all flags.
const REFERENCE: &str = "docs/configuration.md";

/// Flags of each command.
type Flags = BTreeMap<&'static str, BTreeSet<String>>;

async fn flags() -> anyhow::Result<Flags> {
    let mut flags = Flags::new();
    for command in COMMANDS {
        let ended = run(&tailcast()?, &[command, "--help"], b"").await?;
        anyhow::ensure!(ended.code == Some(0), "{command}: {}", ended.stderr);
        let lines = ended.stdout.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        flags.insert(command, lines.flat_map(flags_in).map(str::to_owned).collect());
    }
    Ok(flags)
}

/// Returns the words of a text that are long flags.
fn flags_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|symbol: char| !(symbol.is_ascii_alphanumeric() || symbol == '-'));
    words.filter(|word| {
        word.strip_prefix("--").is_some_and(|name| name.starts_with(|first: char| first.is_ascii_lowercase()))
    })
}

#[tokio::test]
async fn the_commands_of_the_help_are_those_of_the_test() -> anyhow::Result<()> {
    let help = run(&tailcast()?, &["--help"], b"").await?.stdout;
    let (_, listed) = help.split_once("Commands:\n").unwrap_or_default();
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let names =
        listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert_eq!(names, COMMANDS);
    Ok(())
}

#[tokio::test]
async fn every_flag_in_the_text_exists() -> anyhow::Result<()> {
    let flags = flags().await?;
    let documents = documents()?;
    let spans = documents.iter().flat_map(|document| document.spans());
    let unknown: Vec<String> = spans.flat_map(|span| unknown_flags(&span, &flags)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    Ok(())
}

/// Returns the flags of a code span that its command, or without a command each command, does not have.
fn unknown_flags(span: &Code, flags: &Flags) -> Vec<String> {
    let Some(known) = known_flags(&span.text, flags) else { return Vec::new() };
    // The arguments of `tailcast run` belong to another command.
    let text = span.text.split(" -- ").next().unwrap_or_default();
    let unknown = flags_in(text).filter(|flag| !known.contains(*flag));
    unknown.map(|flag| format!("{}: {flag} in `{}`", span.place, span.text)).collect()
}

/// Returns the flags of the command in a code span; all flags for a span that begins with a flag; `None` for other code.
fn known_flags(text: &str, flags: &Flags) -> Option<BTreeSet<String>> {
    if text.starts_with("--tailcast-") {
        // Custom property of CSS.
        return None;
    }
    if text.starts_with("--") {
        return Some(flags.values().flatten().cloned().collect());
    }
    let (_, command) = text.split_once("tailcast ")?;
    let name = command.split(' ').next()?;
    // `some-command | tailcast` has the flags of `tailcast stream`.
    flags.get(if name.starts_with("--") { "stream" } else { name }).cloned()
}

#[tokio::test]
async fn without_a_command_there_are_the_flags_of_stream() -> anyhow::Result<()> {
    let help = run(&tailcast()?, &["--help"], b"").await?.stdout;
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let mut piped: BTreeSet<String> = lines.flat_map(flags_in).map(str::to_owned).collect();
    assert!(piped.remove("--version"));
    assert_eq!(Some(&piped), flags().await?.get("stream"));
    Ok(())
}

#[tokio::test]
async fn every_command_in_the_text_exists() -> anyhow::Result<()> {
    let documents = documents()?;
    let spans = documents.iter().flat_map(|document| document.spans());
    let unknown = spans.filter(|span| {
        let name = span.text.strip_prefix("tailcast ").and_then(|rest| rest.split(' ').next());
        name.is_some_and(|name| name != "COMMAND" && !name.starts_with("--") && !COMMANDS.contains(&name))
    });
    let unknown: Vec<Code> = unknown.collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    Ok(())
}

#[tokio::test]
async fn every_flag_is_documented() -> anyhow::Result<()> {
    let documents = documents()?;
    let reference = documents.iter().filter(|document| document.path == REFERENCE);
    let documented: Vec<Code> = reference.flat_map(|document| document.spans()).collect();
    let documented: BTreeSet<&str> = documented.iter().flat_map(|span| flags_in(&span.text)).collect();
    for (command, flags) in flags().await? {
        for flag in flags.iter().filter(|flag| *flag != "--help") {
            assert!(
                documented.contains(flag.as_str()),
                "{REFERENCE} does not contain {flag} of `tailcast {command}`"
            );
        }
    }
    Ok(())
}
