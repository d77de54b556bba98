//! Sources that publishers name within a group: files, standard error.

use crate::model::line_store::Origin;

/// Maximum count of named sources. Lines of further ones belong to the last one.
pub const MAX_MARKED_SOURCES: usize = 48;
/// Name of the last source, which has the lines of all further ones.
const FURTHER_SOURCES: &str = "other sources";

/// Source that a publisher has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedSource {
    /// Number of the group's source.
    pub group: u16,
    /// Name that the publisher gave.
    pub name: String,
}

/// Named sources, in order of appearance. Their numbers follow those of the groups.
#[derive(Debug, Default)]
pub(super) struct MarkedSources {
    list: Vec<MarkedSource>,
}

impl MarkedSources {
    pub(super) fn as_slice(&self) -> &[MarkedSource] {
        &self.list
    }

    /// Returns the origin of lines that are marked with a name, for lines of a group. `groups` is the count of groups.
    pub(super) fn origin(&mut self, group: Origin, name: &str, groups: usize) -> Origin {
        let is_same = |source: &MarkedSource| source.group == group.source && source.name == name;
        let index = match self.list.iter().position(is_same) {
            Some(index) => index,
            None => self.add(group.source, name),
        };
        // There are at most 64 sources.
        Origin { source: u16::try_from(groups + index).unwrap_or(group.source), ..group }
    }

    fn add(&mut self, group: u16, name: &str) -> usize {
        if self.list.len() + 1 < MAX_MARKED_SOURCES {
            self.list.push(MarkedSource { group, name: name.to_owned() });
        } else if self.list.len() < MAX_MARKED_SOURCES {
            self.list.push(MarkedSource { group, name: FURTHER_SOURCES.to_owned() });
        }
        self.list.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line_store::LineKind;

    #[test]
    fn names_are_sources_of_their_group_and_further_ones_share_the_last() {
        let mut sources = MarkedSources::default();
        let group = |source| Origin { kind: LineKind::Group, source };
        assert_eq!(sources.origin(group(0), "a", 2), group(2));
        assert_eq!(sources.origin(group(1), "a", 2), group(3));
        assert_eq!(sources.origin(group(0), "a", 2), group(2));
        for number in 0..2 * MAX_MARKED_SOURCES {
            sources.origin(group(0), &number.to_string(), 2);
        }
        assert_eq!(sources.as_slice().len(), MAX_MARKED_SOURCES);
        assert_eq!(sources.as_slice().last().map(|source| source.name.as_str()), Some(FURTHER_SOURCES));
        let last = u16::try_from(MAX_MARKED_SOURCES + 1).unwrap();
        assert_eq!(sources.origin(group(0), "another", 2), group(last));
    }
}
