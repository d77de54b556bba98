//! Store and interpretation of log lines: the code that reads every byte that the page receives or searches.
//!
//! A crate of its own, because it is compiled for speed, and the rest of the page for size.
//!
//! | module | concept |
//! | --- | --- |
//! | [`line_store`] | the lines received, bounded, addressed by ids |
//! | [`ansi`] | escape sequences: styles, links and movements of the cursor |
//! | [`prefix`] | prefixes that tools put before a line: timestamps, names, syslog headers |
//! | [`level`] | log level of a line, by its own words |
//! | [`invisible`] | characters that are invisible, or hide or reorder others |
//! | [`json`] | lines that are JSON objects, and their tokens |
//! | [`records`] | lines that belong together, such as an error and its stack trace |
//! | [`styles`] | styles of many lines, each stored once |
//! | [`text_columns`] | width of a line |
//! | [`timeline`] | counts of lines over time, by level |
//! | [`words`] | search for a literal |

pub mod ansi;
mod chunk;
pub mod invisible;
pub mod json;
pub mod level;
pub mod line_store;
pub mod prefix;
pub mod records;
pub mod styles;
pub mod text_columns;
pub mod timeline;
pub mod words;
