//! Counts that may only fall: the committed file allows each unit the findings it has, and neither more nor fewer.

use std::collections::BTreeMap;

/// A place in a file that a rule objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Path relative to the root.
    pub path: String,
    /// Number of the line.
    pub line: usize,
    /// The finding, and the remedy.
    pub advice: String,
}

/// Findings of one rule in one unit.
#[derive(Debug, Default)]
pub struct Measure {
    /// All findings.
    pub findings: Vec<Finding>,
    /// Number of findings that needs no entry in the committed file.
    pub limit: usize,
}

/// Findings of one rule, by unit.
pub type Measures = BTreeMap<String, Measure>;

/// Committed counts of one rule, by unit. Units within their limit have none.
pub type Counts = BTreeMap<String, usize>;

/// Difference between a unit's findings and its entry.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference {
    /// More findings than allowed.
    Grown {
        /// The unit's entry or limit.
        allowed: usize,
    },
    /// Fewer findings than the entry allows.
    Fallen {
        /// Present count.
        count: usize,
    },
    /// An entry that is not needed, because the findings are within the limit.
    Settled,
}

impl Measure {
    fn count(&self) -> usize {
        self.findings.len()
    }

    fn needs_entry(&self) -> bool {
        self.count() > self.limit
    }

    fn difference(&self, entry: Option<usize>) -> Option<Difference> {
        match entry {
            None => self.needs_entry().then_some(Difference::Grown { allowed: self.limit }),
            Some(_) if !self.needs_entry() => Some(Difference::Settled),
            Some(allowed) if self.count() > allowed => Some(Difference::Grown { allowed }),
            Some(allowed) if self.count() < allowed => Some(Difference::Fallen { count: self.count() }),
            Some(_) => None,
        }
    }
}

/// Returns the units whose findings differ from `counts`.
pub fn differences(measures: &Measures, counts: &Counts) -> Vec<(String, Difference)> {
    let gone = counts.keys().filter(|unit| !measures.contains_key(*unit));
    let gone = gone.map(|unit| (unit.clone(), Difference::Settled));
    let measured = measures.iter().filter_map(|(unit, measure)| {
        let difference = measure.difference(counts.get(unit).copied())?;
        Some((unit.clone(), difference))
    });
    gone.chain(measured).collect()
}

/// Returns the counts that are allowed from now on: of `counts` the ones that are still needed, lowered to the present number.
pub fn lowered(measures: &Measures, counts: &Counts) -> Counts {
    let present = present(measures).into_iter();
    present.filter_map(|(unit, count)| counts.get(&unit).map(|&allowed| (unit, count.min(allowed)))).collect()
}

/// Returns the present counts, also where they have grown.
pub fn present(measures: &Measures) -> Counts {
    let needed = measures.iter().filter(|(_, measure)| measure.needs_entry());
    needed.map(|(unit, measure)| (unit.clone(), measure.count())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(count: usize, limit: usize) -> Measure {
        let finding = Finding { path: "a.rs".to_owned(), line: 1, advice: String::new() };
        Measure { findings: vec![finding; count], limit }
    }

    fn counts(entries: &[(&str, usize)]) -> Counts {
        entries.iter().map(|&(unit, count)| (unit.to_owned(), count)).collect()
    }

    #[test]
    fn a_count_may_neither_rise_nor_stay_above_the_present_one() {
        assert_eq!(measure(7, 5).difference(Some(7)), None);
        assert_eq!(measure(8, 5).difference(Some(7)), Some(Difference::Grown { allowed: 7 }));
        assert_eq!(measure(6, 5).difference(Some(7)), Some(Difference::Fallen { count: 6 }));
    }

    #[test]
    fn a_unit_within_its_limit_has_no_entry() {
        assert_eq!(measure(5, 5).difference(None), None);
        assert_eq!(measure(5, 5).difference(Some(7)), Some(Difference::Settled));
        assert_eq!(measure(6, 5).difference(None), Some(Difference::Grown { allowed: 5 }));
    }

    #[test]
    fn an_entry_of_an_unknown_unit_is_not_needed() {
        let differences = differences(&Measures::new(), &counts(&[("gone", 3)]));
        assert_eq!(differences, [("gone".to_owned(), Difference::Settled)]);
    }

    #[test]
    fn an_update_only_lowers() {
        let measures: Measures = [("grown", 9), ("fallen", 6), ("settled", 1), ("new", 7)]
            .map(|(unit, count)| (unit.to_owned(), measure(count, 5)))
            .into();
        let before = counts(&[("grown", 8), ("fallen", 8), ("settled", 8), ("gone", 8)]);
        assert_eq!(lowered(&measures, &before), counts(&[("grown", 8), ("fallen", 6)]));
        assert_eq!(present(&measures), counts(&[("grown", 9), ("fallen", 6), ("new", 7)]));
    }
}
