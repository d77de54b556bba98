//! Styles and links of a line, converted for the page and for terminals.
//!
//! | module | concept |
//! | --- | --- |
//! | [`css`] | CSS classes and colours of a style |
//! | [`sgr`] | escape sequences of a styled line |

pub mod css;
pub mod sgr;

pub use tailcast_lines::ansi::*;

use super::line_store::Line;

/// Returns the target of the link at a byte of a line's text.
#[must_use]
pub fn url_at<'a>(line: &Line<'a>, at: usize) -> Option<&'a str> {
    let is_here = |link: &&Link| (link.range.start as usize..link.range.end as usize).contains(&at);
    line.links.iter().find(is_here).map(|link| link.url.as_str())
}
