//! Tables of supported operations, as Markdown between two comments of a document.

use std::{fmt::Write, path::Path};

use anyhow::Context;

use super::survey::{Sdk, WORKS};

const BEGIN: &str = "<!-- Begin of the tables that `tests/support/main.rs` generates. -->\n";
const END: &str = "<!-- End of the tables that `tests/support/main.rs` generates. -->\n";

/// Environment variable that updates the document instead of comparing it.
const RENEW: &str = "TAILCAST_RENEW";

/// SDKs with the same operations, which share a table.
pub struct Kind {
    /// Title of the table.
    pub title: &'static str,
    /// Names of the SDKs.
    pub sdks: &'static [&'static str],
}

/// Returns one table per kind.
///
/// # Errors
/// Fails if an SDK is missing.
pub fn render(kinds: &[Kind], sdks: &[Sdk]) -> anyhow::Result<String> {
    let mut text = String::new();
    for kind in kinds {
        let columns: Vec<&Sdk> = kind
            .sdks
            .iter()
            .map(|name| sdks.iter().find(|sdk| sdk.name == *name).with_context(|| format!("no {name}")))
            .collect::<anyhow::Result<_>>()?;
        writeln!(text, "\n### {}\n", kind.title)?;
        let headings = columns.iter().map(|sdk| match sdk.name.split_once(", ") {
            Some((package, face)) => format!("`{package}` {} ({face})", sdk.version),
            None => format!("`{}` {}", sdk.name, sdk.version),
        });
        row(&mut text, "operation", headings);
        row(&mut text, "---", columns.iter().map(|_| "---".to_owned()));
        for name in rows(&columns) {
            let cells = columns.iter().map(|sdk| {
                let operation = sdk.operations.iter().find(|operation| operation.name == name);
                operation.map_or("–".to_owned(), |operation| match operation.outcome.as_str() {
                    WORKS => WORKS.to_owned(),
                    why_not => format!("no: {why_not}"),
                })
            });
            row(&mut text, name, cells);
        }
    }
    Ok(text)
}

fn row(text: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = std::iter::once(first.to_owned()).chain(cells).collect();
    text.push_str(&format!("| {} |\n", cells.join(" | ")));
}

/// Returns the operations of all columns. Operations of later columns are inserted beside similar ones.
fn rows<'a>(columns: &[&'a Sdk]) -> Vec<&'a str> {
    let subject = |name: &str| name.split(": ").next().unwrap_or_default().to_owned();
    let mut rows: Vec<&str> = Vec::new();
    for operation in columns.iter().flat_map(|sdk| &sdk.operations) {
        let name = operation.name.as_str();
        if !rows.contains(&name) {
            let last_like_it = rows.iter().rposition(|row| subject(row) == subject(name));
            rows.insert(last_like_it.map_or(rows.len(), |at| at + 1), name);
        }
    }
    rows
}

/// Checks that the document contains the tables, or updates it if the environment variable is set.
///
/// # Errors
/// Fails if the document differs.
pub fn stands_in(document: &Path, tables: &str) -> anyhow::Result<()> {
    let now = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
    let (before, rest) = now.split_once(BEGIN).context("the comment before the tables is gone")?;
    let (_, after) = rest.split_once(END).context("the comment after the tables is gone")?;
    let wanted = format!("{before}{BEGIN}{tables}\n{END}{after}");
    if std::env::var_os(RENEW).is_some() {
        return Ok(std::fs::write(document, wanted)?);
    }
    let difference = now.lines().zip(wanted.lines()).find(|(now, wanted)| now != wanted);
    anyhow::ensure!(
        now == wanted,
        "{} does not say what works ({difference:?}); run this test with {RENEW}=1 to renew it",
        document.display()
    );
    Ok(())
}
