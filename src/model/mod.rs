//! What the page knows. No DOM, no clock, no socket: events and times come in as arguments.
//!
//! | module | concept |
//! | --- | --- |
//! | [`live_log`] | the whole: events in, what is on screen out |
//! | [`line_store`] | the lines received, bounded, addressed by ids that are never used again |
//! | [`styles`] | the colours and faces of many lines, each kept once |
//! | [`viewport`] | which lines are visible, and whether the view follows the end |
//! | [`painting_share`] | how much time goes into painting while lines pour in |
//! | [`scroll_intent`] | whether the reader or the program moved the scroll bar |
//! | [`command`] | what the reader can have done, and by which key |
//! | [`selection`] | what the reader selected, in rows or not |
//! | [`destination`] | where the reader wants to go |
//! | [`highlight`] | what is always marked |
//! | [`file_lines`] | from a file's bytes to lines |
//! | [`source`] | where lines come from: a group, on a connection |
//! | [`status`] | the state of the connection, in words |
//! | [`display_text`] | what of a line is drawn: nothing invisible, nothing endless |
//! | [`json_line`] | lines that are JSON objects: opened, and shown by field |
//! | [`open_lines`] | which of them are open |
//! | [`drawn_place`] | where in what is drawn a place of a line is, and back |
//! | [`finding`], [`matcher`], [`words`] | what the reader looks for, and where it is |
//! | [`payload_text`] | what of a message is text |
//! | [`text_columns`] | how wide a line is |
//! | [`grouped_number`] | 1,204,330 |
//! | [`local_time`] | 14:03:11 |
//! | [`stream_command`] | the command that fills an empty page |
//! | [`timeline`] | how many lines came when, by level |
//! | [`composer`] | what the reader publishes, and what becomes of it |

pub mod ansi;
pub mod command;
pub mod composer;
pub mod destination;
pub mod display_text;
pub mod drawn_place;
pub mod file_lines;
pub mod finding;
pub mod grouped_number;
pub mod highlight;
pub mod json_line;
pub mod line_list;
pub mod live_log;
pub mod local_time;
pub mod matcher;
pub mod open_lines;
pub mod painting_share;
pub mod payload_text;
pub mod row_pieces;
pub mod scroll_intent;
pub mod selection;
pub mod source;
pub mod status;
pub mod stream_command;
pub mod viewport;
pub mod wrap_index;

pub use tailcast_lines::{level, line_store, styles, text_columns, timeline, words};
