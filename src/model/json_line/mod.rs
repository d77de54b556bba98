//! Lines that are JSON objects, as loggers write them.
//!
//! | module | concept |
//! | --- | --- |
//! | [`scanner`] | from text to tokens, however deep, without recursion |
//! | [`tree`] | a line opened: one row for each value |
//! | [`fields`] | the values of chosen fields, where they stand in the line |

pub mod fields;
pub mod tree;

pub use tailcast_lines::json::{MAX_JSON_BYTES, is_json_object, scanner};
