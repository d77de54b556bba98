//! Rules for the words of the project: usual terms, and sentences that name their subject.
//!
//! A rule finds places in each unit (a crate, or all documents) and counts them. Old findings have an entry in
//! [`COUNTS`], which has to be lowered with each that is gone; so their number only falls.

mod avoided;
mod openers;
mod ratchet;
mod sentences;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::progress;
use crate::sources::SourceTree;
use crate::workspace::Workspace;
use ratchet::{Counts, Difference, Finding, Measures};

/// Committed counts: rule, then unit.
const COUNTS: &str = "xtask/src/words/counts.json";

/// Findings shown of a unit, which may have hundreds of old ones. New ones are most likely in changed files, which come first.
const SHOWN_FINDINGS: usize = 20;

/// Ways to rewrite the committed counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Lower counts, and leave those that have grown.
    Lower,
    /// Take the present counts, also those that have grown.
    Replace,
}

/// Findings of one rule, with its name in [`COUNTS`].
struct Rule {
    name: &'static str,
    subject: &'static str,
    measures: Measures,
}

type AllCounts = BTreeMap<String, Counts>;

/// Compares the findings with the committed counts.
///
/// # Errors
/// When a file cannot be read, or a count differs from the committed one; with the places and the remedies.
pub fn check(workspace: &Workspace, sources: &SourceTree) -> Result<()> {
    let committed = read_counts(workspace.root())?;
    let changed = changed_files(workspace);
    let mut complaints = Vec::new();
    for rule in rules(sources) {
        for (unit, difference) in ratchet::differences(&rule.measures, &rule.counts(&committed)) {
            complaints.push(rule.complaint(&unit, &difference, &changed));
        }
    }
    ensure!(complaints.is_empty(), "the words break a rule (xtask/src/words):\n{}", complaints.join("\n"));
    Ok(())
}

/// Rewrites the committed counts.
///
/// # Errors
/// When a file cannot be read or written.
pub fn update(workspace: &Workspace, sources: &SourceTree, update: Update) -> Result<()> {
    let rules = rules(sources);
    let counts: AllCounts = match update {
        Update::Lower => {
            let committed = read_counts(workspace.root())?;
            let lowered = |rule: &Rule| ratchet::lowered(&rule.measures, &rule.counts(&committed));
            rules.iter().map(|rule| (rule.name.to_owned(), lowered(rule))).collect()
        }
        // Without the present file: a merge may have left conflicts in it.
        Update::Replace => {
            rules.iter().map(|rule| (rule.name.to_owned(), ratchet::present(&rule.measures))).collect()
        }
    };
    let json = serde_json::to_string_pretty(&counts).context("cannot write the counts as JSON")?;
    let path = workspace.root().join(COUNTS);
    fs::write(&path, json + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    progress::note(&format!("wrote {COUNTS}"));
    Ok(())
}

fn rules(sources: &SourceTree) -> [Rule; 2] {
    let passages = sources.passages();
    [
        Rule {
            name: "openers",
            subject: "sentences that begin with What, Who, Where, How or Which",
            measures: openers::measure(&passages),
        },
        Rule {
            name: "words",
            subject: "words to avoid (xtask/src/words/avoided.txt)",
            measures: avoided::measure(&passages),
        },
    ]
}

fn read_counts(root: &Path) -> Result<AllCounts> {
    let path = root.join(COUNTS);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a table of counts", path.display()))
}

/// Returns the paths that differ from the last commit; none without git.
fn changed_files(workspace: &Workspace) -> BTreeSet<String> {
    let status = ["status", "--porcelain", "--untracked-files=all"];
    let listed = workspace.program("git").and_then(|git| git.args(status).capture()).unwrap_or_default();
    listed.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect()
}

impl Rule {
    /// Returns the committed counts of this rule.
    fn counts(&self, committed: &AllCounts) -> Counts {
        committed.get(self.name).cloned().unwrap_or_default()
    }

    /// Describes a difference, its places and its remedy.
    fn complaint(&self, unit: &str, difference: &Difference, changed: &BTreeSet<String>) -> String {
        let (name, subject) = (self.name, self.subject);
        let remedy = match difference {
            Difference::Grown { allowed } => {
                let findings = self.measures.get(unit).map_or(&[][..], |measure| &measure.findings);
                let places = places(findings, changed);
                return format!("  {unit}: {} {subject}, {allowed} allowed:{places}", findings.len());
            }
            Difference::Fallen { count } => format!("only {count} are left; lower `{unit}` to {count}"),
            Difference::Settled => format!("the limit is kept; remove `{unit}`"),
        };
        format!(
            "  {unit}: {subject}: {remedy} below `{name}` in {COUNTS} (`cargo xtask lint --update-words`)"
        )
    }
}

/// Returns a line for each of the first findings, those in changed files before the others.
fn places(findings: &[Finding], changed: &BTreeSet<String>) -> String {
    let mut findings: Vec<_> = findings.iter().collect();
    findings.sort_by_key(|finding| !changed.contains(&finding.path));
    let shown = findings.iter().take(SHOWN_FINDINGS);
    let mut lines: Vec<_> =
        shown.map(|finding| format!("\n    {}:{}: {}", finding.path, finding.line, finding.advice)).collect();
    if let Some(hidden) = findings.len().checked_sub(SHOWN_FINDINGS).filter(|&hidden| hidden > 0) {
        lines.push(format!("\n    and {hidden} more"));
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratchet::Measure;

    fn finding(path: &str, line: usize) -> Finding {
        Finding { path: path.to_owned(), line, advice: "mend it".to_owned() }
    }

    fn complaint(findings: Vec<Finding>, difference: &Difference) -> String {
        let measures = [("crates/a".to_owned(), Measure { findings, limit: 0 })].into();
        let rule = Rule { name: "apples", subject: "bad apples", measures };
        rule.complaint("crates/a", difference, &BTreeSet::from(["new.rs".to_owned()]))
    }

    #[test]
    fn findings_in_changed_files_are_listed_before_old_ones() {
        let mut findings = vec![finding("old.rs", 1); SHOWN_FINDINGS];
        findings.push(finding("new.rs", 2));
        let text = complaint(findings, &Difference::Grown { allowed: 20 });
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..3],
            ["  crates/a: 21 bad apples, 20 allowed:", "    new.rs:2: mend it", "    old.rs:1: mend it"]
        );
        assert_eq!(lines.last(), Some(&"    and 1 more"));
    }

    #[test]
    fn a_lower_count_is_named_with_the_command_that_writes_it() {
        let text = complaint(vec![finding("old.rs", 1)], &Difference::Fallen { count: 1 });
        assert!(
            text.contains("lower `crates/a` to 1 below `apples` in xtask/src/words/counts.json"),
            "{text}"
        );
        assert!(text.contains("cargo xtask lint --update-words"), "{text}");
        let text = complaint(Vec::new(), &Difference::Settled);
        assert!(text.contains("remove `crates/a` below `apples`"), "{text}");
    }
}
