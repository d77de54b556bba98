//! The lines of a log, kept: what goes through every byte that comes to the page, or is searched there.
//!
//! A crate of its own because it is compiled for speed, and the rest of the page for few bytes.
//!
//! | module | concept |
//! | --- | --- |
//! | [`line_store`] | the lines received, bounded, addressed by ids that are never used again |
//! | [`ansi`] | escape sequences: taken out of a line, its styles and links kept apart |
//! | [`prefix`] | prefixes that tools put before a line: timestamps, names, syslog headers |
//! | [`level`] | log level of a line, by its own words |
//! | [`json`] | lines that are JSON objects, and their tokens |
//! | [`records`] | lines that belong together, such as an error and its stack trace |
//! | [`styles`] | the styles of many lines, each kept once |
//! | [`text_columns`] | how wide a line is |
//! | [`timeline`] | how many lines came when, by level |
//! | [`words`] | where words stand in much text |

pub mod ansi;
mod chunk;
pub mod json;
pub mod level;
pub mod line_store;
pub mod prefix;
pub mod records;
pub mod styles;
pub mod text_columns;
pub mod timeline;
pub mod words;
