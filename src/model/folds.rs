//! Folded records: only their first line is visible.

/// Maximum count of records that are folded one by one. A further one unfolds the oldest.
pub const MAX_FOLDS: usize = 1_000;

/// Folded records, by their first line.
#[derive(Debug, Default)]
pub struct Folds {
    /// Whether records are folded unless they are among `others`.
    are_folded: bool,
    /// Records in the other state, ascending.
    others: Vec<u64>,
}

impl Folds {
    /// Whether no record is folded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.are_folded && self.others.is_empty()
    }

    /// Whether a record is folded.
    #[must_use]
    pub fn contains(&self, first: u64) -> bool {
        self.others.binary_search(&first).is_ok() != self.are_folded
    }

    /// Folds a record, or unfolds it.
    pub fn toggle(&mut self, first: u64) {
        match self.others.binary_search(&first) {
            Ok(at) => drop(self.others.remove(at)),
            Err(at) => {
                self.others.insert(at, first);
                if self.others.len() > MAX_FOLDS {
                    self.others.remove(usize::from(at == 0));
                }
            }
        }
    }

    /// Folds all records, or unfolds all if some are folded.
    pub fn toggle_all(&mut self) {
        *self = Self { are_folded: self.is_empty(), others: Vec::new() };
    }

    /// Removes records before `first_id`.
    pub fn drop_before(&mut self, first_id: u64) {
        self.others.retain(|id| *id >= first_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_folded_one_by_one_or_all() {
        let mut folds = Folds::default();
        folds.toggle(3);
        assert!(folds.contains(3) && !folds.contains(4) && !folds.is_empty());
        folds.toggle(3);
        assert!(folds.is_empty());
        folds.toggle_all();
        folds.toggle(3);
        assert!(!folds.contains(3) && folds.contains(4));
        folds.toggle_all();
        assert!(folds.is_empty() && !folds.contains(4));
        (0..=MAX_FOLDS as u64).for_each(|first| folds.toggle(first));
        assert!(!folds.contains(0) && folds.contains(1) && folds.others.len() == MAX_FOLDS);
        folds.drop_before(MAX_FOLDS as u64);
        assert!(!folds.contains(1) && folds.contains(MAX_FOLDS as u64));
    }
}
