//! View in the page's address: linked lines, search, filter, columns, and the line at the top.
//!
//! The fragment is a list of parameters: `#at=RUN.MESSAGE.LINE&find=error&levels=error,warning`. A line is named by its message,
//! so that it is the same line in every page, however many lines each page has. `#L57-60` are line numbers.

use std::ops::RangeInclusive;

use form_urlencoded::{Serializer, parse};

use super::{
    destination::{lines_fragment, parse_lines},
    level::Level,
    search::{FilterMode, Levels, matcher::Query},
};

/// Line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLine {
    /// Run of the service that the sequence id belongs to.
    pub run_id: String,
    /// Sequence id of the message.
    pub sequence_id: u64,
    /// Number of the line in the message, from 0.
    pub line: u32,
}

impl MessageLine {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '.');
        let (line, sequence_id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let run_id = parts.next().filter(|run| !run.is_empty())?.to_owned();
        Some(Self { run_id, sequence_id, line })
    }

    fn format(&self) -> String {
        format!("{}.{}.{}", self.run_id, self.sequence_id, self.line)
    }
}

/// View of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewLink {
    /// First and last linked line.
    pub linked: Option<(MessageLine, MessageLine)>,
    /// Numbers of the linked lines, where messages have no sequence ids.
    pub numbers: Option<RangeInclusive<u64>>,
    /// Line at the top of a view that does not follow the end.
    pub top: Option<MessageLine>,
    /// Query.
    pub query: Query,
    /// Effect of the query.
    pub mode: FilterMode,
    /// Count of lines around matches, while others are hidden.
    pub context: u64,
    /// Selected levels.
    pub levels: Levels,
    /// Columns, as the user entered them.
    pub columns: String,
}

impl ViewLink {
    /// Parses a fragment. Parts that are not understood are ignored.
    #[must_use]
    pub fn parse(fragment: &str) -> Self {
        let fragment = fragment.trim_start_matches('#');
        let mut link = Self { numbers: fragment.split('&').next().and_then(parse_lines), ..Self::default() };
        for (name, value) in parse(fragment.as_bytes()) {
            match &*name {
                "at" => {
                    let (first, last) = value.split_once('~').unwrap_or((&value, &value));
                    link.linked = MessageLine::parse(first).zip(MessageLine::parse(last));
                }
                "top" => link.top = MessageLine::parse(&value),
                "find" => link.query.pattern = value.into_owned(),
                "case" => link.query.is_case_sensitive = true,
                "regex" => link.query.is_regex = true,
                "filter" => {
                    let mode = FilterMode::ALL.into_iter().find(|mode| mode.as_str() == value);
                    link.mode = mode.unwrap_or_default();
                }
                "context" => link.context = value.parse().unwrap_or_default(),
                "levels" => {
                    for level in Level::ALL {
                        let is_selected = value.split(',').any(|name| name == level.as_str());
                        if let Some(slot) = link.levels.get_mut(level as usize) {
                            *slot = is_selected;
                        }
                    }
                }
                "columns" => link.columns = value.into_owned(),
                _ => {}
            }
        }
        link
    }

    /// Takes search, filter and levels from `settings` where the address names none.
    #[must_use]
    pub fn or(mut self, settings: &Self) -> Self {
        if self.query.pattern.is_empty() {
            self.query.clone_from(&settings.query);
            self.mode = settings.mode;
        }
        if !self.levels.contains(&true) {
            self.levels = settings.levels;
        }
        self
    }

    /// Formats the fragment, with its `#`; empty for a view without anything to name.
    #[must_use]
    pub fn format(&self) -> String {
        let mut parts = Serializer::new(String::new());
        if let Some((first, last)) = &self.linked {
            let at =
                if first == last { first.format() } else { format!("{}~{}", first.format(), last.format()) };
            parts.append_pair("at", &at);
        }
        if let Some(top) = &self.top {
            parts.append_pair("top", &top.format());
        }
        if !self.query.pattern.is_empty() {
            parts.append_pair("find", &self.query.pattern);
            for (name, is_set) in [("case", self.query.is_case_sensitive), ("regex", self.query.is_regex)] {
                if is_set {
                    parts.append_pair(name, "1");
                }
            }
            if self.mode != FilterMode::All {
                parts.append_pair("filter", self.mode.as_str());
            }
            if self.mode == FilterMode::Matching && self.context > 0 {
                parts.append_pair("context", &self.context.to_string());
            }
        }
        if self.levels.contains(&true) {
            let names =
                Level::ALL.into_iter().filter(|level| self.levels.get(*level as usize) == Some(&true));
            parts.append_pair("levels", &names.map(Level::as_str).collect::<Vec<_>>().join(","));
        }
        if !self.columns.is_empty() {
            parts.append_pair("columns", &self.columns);
        }
        let parts = parts.finish();
        match &self.numbers {
            Some(numbers) if parts.is_empty() => lines_fragment(numbers),
            Some(numbers) => format!("{}&{parts}", lines_fragment(numbers)),
            None if parts.is_empty() => String::new(),
            None => format!("#{parts}"),
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_line() -> impl Strategy<Value = MessageLine> {
        ("[0-9a-f.]{1,9}", any::<u64>(), any::<u32>()).prop_map(|(run_id, sequence_id, line)| MessageLine {
            run_id,
            sequence_id,
            line,
        })
    }

    proptest! {
        #[test]
        fn a_view_survives_its_address(
            linked in prop::option::of((any_line(), any_line())), top in prop::option::of(any_line()),
            pattern in ".{0,9}", flags in any::<[bool; 2]>(), mode in 0..3_usize, levels in any::<Levels>(), columns in ".{0,9}",
            numbers in prop::option::of((1..99_u64, 0..9_u64)), context in 0..3_u64,
        ) {
            let has_query = !pattern.is_empty();
            let query = Query { pattern, is_case_sensitive: has_query && flags[0], is_regex: has_query && flags[1] };
            let mode = if has_query { FilterMode::ALL[mode] } else { FilterMode::All };
            let numbers = numbers.map(|(first, more)| first..=first + more);
            let context = if mode == FilterMode::Matching { context } else { 0 };
            let link = ViewLink { linked, numbers, top, query, mode, context, levels, columns };
            prop_assert_eq!(ViewLink::parse(&link.format()), link);
        }

        #[test]
        fn any_fragment_is_read_without_panic(fragment in ".{0,60}") {
            drop(ViewLink::parse(&fragment));
        }
    }

    #[test]
    fn fragments_are_short_and_readable() {
        assert_eq!(ViewLink::default().format(), "");
        let line = MessageLine { run_id: "ab12".into(), sequence_id: 57, line: 3 };
        let link = ViewLink { linked: Some((line.clone(), line)), ..ViewLink::default() };
        assert_eq!(link.format(), "#at=ab12.57.3");
        assert_eq!(ViewLink::parse("#L57-60").numbers, Some(57..=60));
        assert_eq!(ViewLink::parse("#something=else"), ViewLink::default());
    }
}
