//! Documents of the project and recipes of `deploy/`, and the code in them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Files and folders with documents for users.
const PLACES: [&str; 5] = ["README.md", "docs", "crates", "src", DEPLOY];

/// Folder of the recipes, whose comments contain commands.
const DEPLOY: &str = "deploy";

/// Beginning of a command in a comment of a recipe.
const COMMENTED: &str = "#   ";

/// Markdown file or recipe.
pub struct Document {
    /// Path relative to the root.
    pub path: String,
    text: String,
}

/// Code in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// File and line.
    pub place: String,
    /// Text, without the indentation of its block.
    pub text: String,
}

/// Command in a shell block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// File and line of its block.
    pub place: String,
    /// Lines of the block that export variables to the command.
    pub exports: Vec<String>,
    /// Command without comments and line continuations.
    pub command: String,
}

/// Returns the root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads all documents.
pub fn documents() -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    for place in PLACES {
        read(&root().join(place), place, &mut documents)?;
    }
    anyhow::ensure!(documents.len() > PLACES.len(), "documents are missing");
    Ok(documents)
}

fn read(file: &Path, path: &str, documents: &mut Vec<Document>) -> anyhow::Result<()> {
    if file.is_dir() {
        for entry in file.read_dir()? {
            let entry = entry?;
            let name = entry.file_name().into_string().ok().context("a name that is not UTF-8")?;
            if name != "node_modules" {
                read(&entry.path(), &format!("{path}/{name}"), documents)?;
            }
        }
    } else if path.ends_with(".md") {
        let text = fs::read_to_string(file).with_context(|| path.to_owned())?;
        documents.push(Document { path: path.to_owned(), text });
    } else if path.starts_with(DEPLOY) {
        let text = fs::read_to_string(file).with_context(|| path.to_owned())?;
        documents.push(Document { path: path.to_owned(), text: commands_as_blocks(&text) });
    }
    Ok(())
}

/// Returns Markdown with the commands in the comments of a recipe. The lines before and after them become the fences.
fn commands_as_blocks(recipe: &str) -> String {
    let lines: Vec<&str> = recipe.lines().collect();
    let command = |at: usize| lines.get(at).and_then(|line| line.strip_prefix(COMMENTED));
    let converted = (0..lines.len()).map(|at| {
        match (at.checked_sub(1).and_then(command), command(at), command(at + 1)) {
            (_, Some(command), _) => command,
            (_, None, Some(_)) => "```sh",
            (Some(_), None, None) => "```",
            (None, None, None) => "",
        }
    });
    converted.collect::<Vec<_>>().join("\n")
}

/// Returns the commands of all shell blocks.
pub fn steps() -> anyhow::Result<Vec<Step>> {
    Ok(documents()?.iter().flat_map(|document| document.blocks("sh")).flat_map(|code| code.steps()).collect())
}

/// Returns the occurrences of a command that differ in their exports.
pub fn occurrences(command: &str) -> anyhow::Result<Vec<Step>> {
    let mut exports = BTreeSet::new();
    let found = steps()?.into_iter().filter(|step| step.command == command);
    let distinct: Vec<Step> = found.filter(|step| exports.insert(step.exports.clone())).collect();
    anyhow::ensure!(!distinct.is_empty(), "no document contains `{command}`");
    Ok(distinct)
}

impl Document {
    /// Returns the fenced blocks of a language.
    pub fn blocks(&self, language: &str) -> Vec<Code> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let Some((indentation, name)) = line.split_once("```") else { continue };
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
            let body: Vec<&str> =
                body.map(|line| line.strip_prefix(indentation).unwrap_or(line.trim_start())).collect();
            if name == language {
                blocks.push(Code { place: self.place(number), text: body.join("\n") });
            }
        }
        blocks
    }

    /// Returns the code spans outside of blocks, with single spaces.
    pub fn spans(&self) -> Vec<Code> {
        let mut is_in_block = false;
        let outside = self.text.lines().map(|line| {
            let is_fence = line.trim_start().starts_with("```");
            is_in_block ^= is_fence;
            if is_fence || is_in_block { "" } else { line }
        });
        let outside = outside.collect::<Vec<_>>().join("\n");
        let mut number = 0;
        let mut spans = Vec::new();
        // A span does not continue in another paragraph.
        for paragraph in outside.split_inclusive("\n\n") {
            let mut line = number;
            for (at, text) in paragraph.split('`').enumerate() {
                if at % 2 == 1 {
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    spans.push(Code { place: self.place(line), text });
                }
                line += text.matches('\n').count();
            }
            number += paragraph.matches('\n').count();
        }
        spans
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{}", self.path, line + 1)
    }
}

impl Code {
    /// Returns the commands of a shell block.
    pub fn steps(&self) -> Vec<Step> {
        let mut exports = Vec::new();
        let mut steps = Vec::new();
        for command in commands(&self.text) {
            if command.starts_with("export ") {
                exports.push(command);
            } else {
                steps.push(Step { place: self.place.clone(), exports: exports.clone(), command });
            }
        }
        steps
    }
}

/// Splits a shell script into its commands. Supports line continuations, and loops that end in a line `done`.
fn commands(script: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut command = String::new();
    for line in script.lines() {
        command.push_str(without_comment(line).trim());
        if command.ends_with('\\') {
            command.pop();
            continue;
        }
        if command.starts_with("for ") && !command.contains("done") {
            command.push('\n');
            continue;
        }
        if !command.is_empty() {
            commands.push(std::mem::take(&mut command));
        }
    }
    commands
}

/// Removes a comment: `#` at the beginning of a word, outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut previous = ' ';
    for (at, symbol) in line.char_indices() {
        match (quote, symbol) {
            (None, '#') if previous.is_whitespace() => return line.get(..at).unwrap_or(line),
            (None, '\'' | '"') => quote = Some(symbol),
            (Some(open), _) if open == symbol => quote = None,
            _ => {}
        }
        previous = symbol;
    }
    line
}

#[test]
fn code_in_markdown_is_found_with_its_place() {
    let text = "A `b\nc`.\n\n1. List:\n\n   ```sh\n   d   # e\n   ```\n\n```json\n{}\n```\nEnd `f`.\n";
    let document = Document { path: "a.md".to_owned(), text: text.to_owned() };
    let code = |place: &str, text: &str| Code { place: place.to_owned(), text: text.to_owned() };
    assert_eq!(document.spans(), [code("a.md:1", "b c"), code("a.md:13", "f")]);
    assert_eq!(document.blocks("sh"), [code("a.md:6", "d   # e")]);
    assert_eq!(document.blocks("json"), [code("a.md:10", "{}")]);
}

#[test]
fn commands_in_the_comments_of_a_recipe_are_found() {
    let recipe = "# Recipe:\n#\n#   a \\\n#     b\n#\n# Then:\n#   c\n\nserver {}\n";
    let document = Document { path: "r".to_owned(), text: commands_as_blocks(recipe) };
    let code = |place: &str, text: &str| Code { place: place.to_owned(), text: text.to_owned() };
    assert_eq!(document.blocks("sh"), [code("r:2", "a \\\n  b"), code("r:6", "c")]);
}

#[test]
fn a_script_is_split_as_a_shell_reads_it() {
    let script =
        "# whole line\na '# b' c#d   # e\nf \\\n  g\nfor x in y; do      # z\n  h \\\n    i\ndone\nj\n";
    assert_eq!(commands(script), ["a '# b' c#d", "f g", "for x in y; do\nh i\ndone", "j"]);
    let script = Code { place: String::new(), text: "a\nexport B=1\nc".to_owned() };
    let exports: Vec<_> = script.steps().into_iter().map(|step| step.exports).collect();
    assert_eq!(exports, [vec![], vec!["export B=1".to_owned()]]);
}
