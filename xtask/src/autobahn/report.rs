//! Results of the suite.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::cases::{GROUPS, Group, PASSES, TOLERATED};
use super::tested_server::TestedServer;

/// Results of one server.
#[derive(Debug)]
pub struct Report {
    /// Name of the server.
    name: &'static str,
    /// Number of excluded cases, by group.
    excluded: BTreeMap<u32, usize>,
    /// Outcomes of each case by its number: of the messages, and of the close handshake.
    outcomes: BTreeMap<String, [String; 2]>,
}

impl Report {
    /// Reads the report that the suite wrote.
    ///
    /// # Errors
    /// When the file cannot be read, or has another form.
    pub fn read(server: &TestedServer, path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let report = serde_json::from_str(&text).ok();
        let outcomes = report.and_then(|report: Value| outcomes(report.get(server.name)?));
        let outcomes = outcomes.with_context(|| format!("{} is no report", path.display()))?;
        let excluded = GROUPS.iter().map(|group| (group.number, server.excluded_cases(group.number)));
        Ok(Self { name: server.name, excluded: excluded.collect(), outcomes })
    }

    /// Returns the failed cases with their outcomes, and the groups with missing or unknown cases.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.outcomes.iter().filter(|(case, outcomes)| !passes(case, outcomes));
        let failed = failed.map(|(case, [messages, closing])| {
            format!("{} {case}: messages {messages}, close handshake {closing}", self.name)
        });
        let incomplete = GROUPS.iter().filter_map(|group| {
            let (run, expected) = (self.outcomes_of(group).count(), group.cases - self.excluded_of(group));
            (run != expected)
                .then(|| format!("{} {}: {run} cases instead of {expected}", self.name, group.number))
        });
        failed.chain(incomplete).collect()
    }

    fn passed_of(&self, group: &Group) -> usize {
        self.outcomes_of(group).filter(|(case, outcomes)| passes(case, outcomes)).count()
    }

    fn excluded_of(&self, group: &Group) -> usize {
        self.excluded.get(&group.number).copied().unwrap_or_default()
    }

    fn outcomes_of(&self, group: &Group) -> impl Iterator<Item = (&String, &[String; 2])> {
        let prefix = format!("{}.", group.number);
        self.outcomes.iter().filter(move |(case, _)| case.starts_with(&prefix))
    }
}

fn outcomes(cases: &Value) -> Option<BTreeMap<String, [String; 2]>> {
    let outcome = |case: &Value, name| Some(case.get(name)?.as_str()?.to_owned());
    let outcomes = cases.as_object()?.iter().map(|(number, case)| {
        Some((number.clone(), [outcome(case, "behavior")?, outcome(case, "behaviorClose")?]))
    });
    outcomes.collect()
}

fn passes(case: &str, outcomes: &[String; 2]) -> bool {
    let is_tolerated =
        |outcome: &str| TOLERATED.iter().any(|&(number, other, _)| (number, other) == (case, outcome));
    outcomes.iter().all(|outcome| PASSES.contains(&outcome.as_str()) || is_tolerated(outcome))
}

/// Returns the number of passed cases of each group and server, as a table in Markdown.
pub fn table(reports: &[Report]) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let columns = |of: &dyn Fn(&Report) -> String| reports.iter().map(of).collect::<Vec<_>>();
    let head =
        [vec!["group".to_owned(), "cases".to_owned()], columns(&|report| report.name.to_owned())].concat();
    let rule = vec!["---".to_owned(); head.len()];
    let groups = GROUPS.iter().map(|group| {
        let cell = |report: &Report| match report.excluded_of(group) {
            0 => format!("{} pass", report.passed_of(group)),
            excluded => format!("{} pass, {excluded} excluded", report.passed_of(group)),
        };
        let name = format!("{} {}", group.number, group.name);
        [vec![name, group.cases.to_string()], columns(&cell)].concat()
    });
    [head, rule].into_iter().chain(groups).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: &[(&str, [&str; 2])]) -> Report {
        let outcomes =
            outcomes.iter().map(|(case, outcomes)| ((*case).to_owned(), outcomes.map(str::to_owned)));
        Report { name: "hub", excluded: [(9, 24)].into(), outcomes: outcomes.collect() }
    }

    #[test]
    fn failed_and_missing_cases_are_reported() {
        let report = report(&[
            ("10.1.1", ["OK", "OK"]),
            ("3.1", ["OK", "UNCLEAN"]),
            ("3.2", ["NON-STRICT", "OK"]),
            ("3.3", ["INFORMATIONAL", "INFORMATIONAL"]),
        ]);
        let failures = report.failures();
        assert_eq!(
            failures.first().map(String::as_str),
            Some("hub 3.1: messages OK, close handshake UNCLEAN")
        );
        assert!(failures.contains(&"hub 3: 3 cases instead of 7".to_owned()), "{failures:?}");
        assert!(failures.contains(&"hub 9: 0 cases instead of 30".to_owned()), "{failures:?}");
        assert!(!failures.iter().any(|failure| failure.starts_with("hub 10")), "{failures:?}");
    }

    #[test]
    fn the_table_has_passed_and_excluded_cases() {
        let table = table(&[report(&[("3.1", ["OK", "OK"]), ("3.2", ["FAILED", "OK"])])]);
        assert!(
            table.starts_with("| group | cases | hub |\n| --- | --- | --- |\n| 1 framing | 16 | 0 pass |\n")
        );
        assert!(table.contains("| 3 reserved bits | 7 | 1 pass |\n"), "{table}");
        assert!(table.contains("| 9 limits and performance | 54 | 0 pass, 24 excluded |\n"), "{table}");
    }

    #[test]
    fn outcomes_of_the_suite_are_read() {
        let cases =
            serde_json::json!({ "1.1.1": { "behavior": "OK", "behaviorClose": "FAILED", "duration": 3 } });
        let read = outcomes(&cases).unwrap_or_default();
        assert_eq!(read.get("1.1.1"), Some(&["OK".to_owned(), "FAILED".to_owned()]));
        assert_eq!(outcomes(&serde_json::json!({ "1.1.1": {} })), None);
    }
}
