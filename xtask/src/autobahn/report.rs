//! Results of the suite.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::cases::{GROUPS, Group, PASSES};
use super::tested_server::TestedServer;

/// Close code of RFC 6455 for a message that is too large.
const MESSAGE_TOO_BIG: u64 = 1009;

/// Results of one server.
#[derive(Debug)]
pub struct Report {
    /// Name of the server.
    name: &'static str,
    /// Beginnings of the numbers of cases whose messages the server must reject.
    too_large: &'static [&'static str],
    /// Outcomes by the numbers of the cases.
    outcomes: BTreeMap<String, Outcome>,
}

/// Outcome of a case, in the words of the suite.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Outcome of the messages.
    messages: String,
    /// Outcome of the close handshake.
    closing: String,
    /// Close code of the server, if it sent one.
    close_code: Option<u64>,
}

/// Verdict on a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The messages were returned.
    Passed,
    /// The messages were rejected, as they must be.
    Rejected,
    /// Neither.
    Failed,
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
        Ok(Self { name: server.name, too_large: server.too_large, outcomes })
    }

    /// Returns the failed cases with their outcomes, and the groups with missing or unknown cases.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.outcomes.iter().filter(|(case, _)| self.verdict(case) == Verdict::Failed);
        let failed = failed.map(|(case, outcome)| {
            let Outcome { messages, closing, close_code } = outcome;
            let code = close_code.map_or_else(|| "none".to_owned(), |code| code.to_string());
            format!("{} {case}: messages {messages}, close handshake {closing}, close code {code}", self.name)
        });
        let incomplete = GROUPS.iter().filter_map(|group| {
            let run = self.verdicts(group).count();
            let (name, number, expected) = (self.name, group.number, group.cases);
            (run != expected).then(|| format!("{name} {number}: {run} cases instead of {expected}"))
        });
        failed.chain(incomplete).collect()
    }

    fn verdict(&self, case: &str) -> Verdict {
        let Some(outcome) = self.outcomes.get(case) else { return Verdict::Failed };
        if self.too_large.iter().any(|beginning| case.starts_with(beginning)) {
            let is_rejected = outcome.close_code == Some(MESSAGE_TOO_BIG);
            return if is_rejected { Verdict::Rejected } else { Verdict::Failed };
        }
        let passes = |outcome: &String| PASSES.contains(&outcome.as_str());
        let has_passed = passes(&outcome.messages) && passes(&outcome.closing);
        if has_passed { Verdict::Passed } else { Verdict::Failed }
    }

    fn verdicts(&self, group: &Group) -> impl Iterator<Item = Verdict> {
        let prefix = format!("{}.", group.number);
        let cases = self.outcomes.keys().filter(move |case| case.starts_with(&prefix));
        cases.map(|case| self.verdict(case))
    }

    /// Returns the numbers of cases of a group by their verdicts, for a cell of the table.
    fn cell(&self, group: &Group) -> String {
        let count = |verdict| self.verdicts(group).filter(|other| *other == verdict).count();
        let passed = format!("{} pass", count(Verdict::Passed));
        match count(Verdict::Rejected) {
            0 => passed,
            rejected => format!("{passed}, {rejected} rejected"),
        }
    }
}

fn outcomes(cases: &Value) -> Option<BTreeMap<String, Outcome>> {
    let outcomes = cases.as_object()?.iter().map(|(number, case)| {
        let text = |name| Some(case.get(name)?.as_str()?.to_owned());
        let close_code = case.get("remoteCloseCode")?.as_u64();
        let outcome = Outcome { messages: text("behavior")?, closing: text("behaviorClose")?, close_code };
        Some((number.clone(), outcome))
    });
    outcomes.collect()
}

/// Returns the results by group and server, as a table in Markdown.
pub fn table(reports: &[Report]) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let columns = |of: &dyn Fn(&Report) -> String| reports.iter().map(of).collect::<Vec<_>>();
    let head =
        [vec!["group".to_owned(), "cases".to_owned()], columns(&|report| report.name.to_owned())].concat();
    let rule = vec!["---".to_owned(); head.len()];
    let groups = GROUPS.iter().map(|group| {
        let name = format!("{} {}", group.number, group.name);
        [vec![name, group.cases.to_string()], columns(&|report| report.cell(group))].concat()
    });
    [head, rule].into_iter().chain(groups).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: &[(&str, &str, &str, u64)]) -> Report {
        let outcomes = outcomes.iter().map(|&(case, messages, closing, code)| {
            let (messages, closing) = (messages.to_owned(), closing.to_owned());
            (case.to_owned(), Outcome { messages, closing, close_code: Some(code) })
        });
        Report { name: "hub", too_large: &["9.1.4", "9.3."], outcomes: outcomes.collect() }
    }

    #[test]
    fn failed_and_missing_cases_are_reported() {
        let report = report(&[
            ("10.1.1", "OK", "OK", 1000),
            ("3.1", "OK", "UNCLEAN", 1002),
            ("3.2", "NON-STRICT", "OK", 1002),
            ("3.3", "INFORMATIONAL", "INFORMATIONAL", 1002),
            ("9.1.4", "FAILED", "OK", 1009),
            ("9.3.1", "OK", "OK", 1000),
        ]);
        let expected = [
            "hub 3.1: messages OK, close handshake UNCLEAN, close code 1002",
            "hub 3.2: messages NON-STRICT, close handshake OK, close code 1002",
            "hub 9.3.1: messages OK, close handshake OK, close code 1000",
            "hub 1: 0 cases instead of 16",
        ];
        let failures = report.failures();
        assert_eq!(failures.get(..4).unwrap_or_default(), expected);
        assert!(failures.contains(&"hub 9: 2 cases instead of 54".to_owned()), "{failures:?}");
        assert!(!failures.iter().any(|failure| failure.starts_with("hub 10")), "{failures:?}");
    }

    #[test]
    fn the_table_has_passed_and_rejected_cases() {
        let table = table(&[report(&[
            ("3.1", "OK", "OK", 1002),
            ("3.2", "FAILED", "OK", 1000),
            ("9.1.1", "OK", "OK", 1000),
            ("9.1.4", "FAILED", "OK", 1009),
        ])]);
        assert!(
            table.starts_with("| group | cases | hub |\n| --- | --- | --- |\n| 1 framing | 16 | 0 pass |\n")
        );
        assert!(table.contains("| 3 reserved bits | 7 | 1 pass |\n"), "{table}");
        assert!(table.contains("| 9 limits and performance | 54 | 1 pass, 1 rejected |\n"), "{table}");
    }

    #[test]
    fn outcomes_of_the_suite_are_read() {
        let case = |code| serde_json::json!({ "behavior": "OK", "behaviorClose": "FAILED", "remoteCloseCode": code });
        let read = outcomes(&serde_json::json!({ "1.1.1": case(Some(1000)), "1.1.2": case(None) }));
        let codes = read.map(|read| read.values().map(|outcome| outcome.close_code).collect::<Vec<_>>());
        assert_eq!(codes, Some(vec![Some(1000), None]));
        assert_eq!(outcomes(&serde_json::json!({ "1.1.1": {} })), None);
    }
}
