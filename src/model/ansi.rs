//! The styles and links of a line, in the words of those who are shown them.
//!
//! | module | concept |
//! | --- | --- |
//! | [`css`] | a style in the page's words |
//! | [`sgr`] | a styled line with its sequences put back |

pub mod css;
pub mod sgr;

pub use tailcast_lines::ansi::*;
