//! The row above the first line: whether there are earlier lines.

use crate::model::grouped_number::{counted, grouped};

/// Content of the row above the first line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TopRow {
    /// Nothing to say: the first line is the first one ever.
    #[default]
    Empty,
    /// Earlier lines are loading.
    Loading,
    /// Earlier lines are loading until the first one is there: as many are left.
    ToStart(u64),
    /// Scrolling up loads earlier lines.
    More,
    /// The page is full: earlier lines would take the place of later ones.
    Full,
    /// Earlier lines could not be loaded, for this reason.
    Failed(String),
    /// As many earlier lines are not kept any more.
    Gone(u64),
    /// The service has no history.
    Unavailable,
}

impl TopRow {
    /// Returns the row for lines that are not kept any more.
    #[must_use]
    pub fn from_gone(lines: u64) -> Self {
        if lines > 0 { Self::Gone(lines) } else { Self::Empty }
    }

    /// Whether the row is shown.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        *self != Self::Empty
    }

    /// Returns the name of the state in the markup.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Loading | Self::ToStart(_) => "loading",
            Self::More => "more",
            Self::Full => "full",
            Self::Failed(_) => "failed",
            Self::Gone(_) => "gone",
            Self::Unavailable => "unavailable",
        }
    }

    /// Returns the text of the row.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Loading => "Loading earlier lines…".to_owned(),
            Self::ToStart(lines) => format!("Loading earlier lines: {} left", grouped(*lines)),
            Self::More => "There are earlier lines.".to_owned(),
            Self::Full => "Earlier lines are on the server, but the page holds as many as it can".to_owned(),
            Self::Failed(reason) => format!("Earlier lines could not be loaded: {reason}"),
            Self::Gone(lines) => {
                counted(*lines, "older line is no longer kept", "older lines are no longer kept")
            }
            Self::Unavailable => "Earlier lines are not available from this service".to_owned(),
        }
    }

    /// Combines the rows of two sources into the one that matters more.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Gone(one), Self::Gone(other)) => Self::Gone(one + other),
            (one, other) if one.rank() >= other.rank() => one,
            (_, other) => other,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Empty => 0,
            Self::Unavailable => 1,
            Self::Gone(_) => 2,
            Self::Full => 3,
            Self::Failed(_) => 4,
            Self::More => 5,
            Self::Loading => 6,
            Self::ToStart(_) => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_sources_the_row_that_matters_most_is_shown() {
        assert_eq!(TopRow::Gone(2).or(TopRow::Gone(3)), TopRow::Gone(5));
        assert_eq!(TopRow::Gone(2).or(TopRow::More).or(TopRow::Empty), TopRow::More);
        assert_eq!(TopRow::Unavailable.or(TopRow::Loading).or(TopRow::Gone(1)), TopRow::Loading);
    }

    #[test]
    fn the_text_says_what_can_be_had() {
        assert_eq!(TopRow::Gone(1_204).text(), "1,204 older lines are no longer kept");
        assert_eq!(TopRow::Gone(1).text(), "1 older line is no longer kept");
        assert_eq!(TopRow::ToStart(84_000).text(), "Loading earlier lines: 84,000 left");
        assert!(TopRow::Failed("no".into()).text().ends_with(": no"));
        assert!(!TopRow::Empty.is_shown() && TopRow::Unavailable.is_shown());
    }
}
