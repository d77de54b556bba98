//! Lines that are JSON objects, as loggers write them.
//!
//! | module | concept |
//! | --- | --- |
//! | [`scanner`] | tokens of a text, at any depth, without recursion |
//! | [`tree`] | rows of an open line, one for each value |
//! | [`open_lines`] | lines that are open |
//! | [`fields`] | values of fields, by name |
//! | [`columns`] | fields that are shown as columns |

pub mod columns;
pub mod fields;
pub mod open_lines;
pub mod tree;

pub use tailcast_lines::json::{MAX_JSON_BYTES, is_json_object, scanner};
