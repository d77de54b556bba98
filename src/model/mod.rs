//! Model of the page. No DOM, no clock, no socket: events and times are arguments.
//!
//! | module | concept |
//! | --- | --- |
//! | [`live_log`] | the whole log: events in, rows and a snapshot out |
//! | [`snapshot`] | state around the lines, for display |
//! | [`line_store`] | lines received, limited in number and memory |
//! | [`visible_lines`] | lines that pass the filter, by position |
//! | [`search`] | search and filter, [`words`] |
//! | [`row`], [`gutter`] | content of rows |
//! | [`ansi`], [`styles`] | colours and faces of text |
//! | [`display_text`], [`drawn_position`] | text made fit for display, and positions in it |
//! | [`json_line`] | lines that are JSON objects: opened, and shown in columns |
//! | [`highlight`] | rules for highlights |
//! | [`plain_url`] | URLs in the text of a line |
//! | [`whole_lines`] | long lines that are shown whole |
//! | [`level`] | log levels |
//! | [`records`], [`folds`] | lines that belong together, and those that are folded |
//! | [`viewport`] | lines in view, and following the end |
//! | [`scroll_intent`] | cause of scroll events |
//! | [`render_schedule`], [`render_budget`] | when to render and to search; time spent on rendering during a flood |
//! | [`text_columns`] | width of text |
//! | [`selection`] | selected text |
//! | [`bookmarks`], [`line_link`], [`destination`] | lines to go to |
//! | [`view_link`] | view in the page's address |
//! | [`history`] | earlier messages of a source |
//! | [`live_groups`] | groups that a viewer may join |
//! | [`source`], [`status`] | sources of lines, and their connections |
//! | [`timeline`] | lines over time, by level |
//! | [`announcer`] | announcements for screen readers |
//! | [`composer`] | lines that the user publishes |
//! | [`export`] | lines for a file |
//! | [`file_lines`], [`file_text`] | lines of a file |
//! | [`payload_text`] | text of a message |
//! | [`command`], [`navigation`] | commands of the user, and their keys |
//! | [`stream_command`] | shell commands that publish to a group |
//! | [`theme`] | colour theme |
//! | [`grouped_number`] | numbers: 1,204,330 |
//! | [`local_time`], [`duration`] | times: 14:03:11, 3 min 12 s |

pub mod announcer;
pub mod ansi;
pub mod bookmarks;
pub mod command;
pub mod composer;
pub mod destination;
pub mod display_text;
pub mod drawn_position;
pub mod duration;
pub mod export;
pub mod file_lines;
pub mod file_text;
pub mod folds;
pub mod grouped_number;
pub mod gutter;
pub mod highlight;
pub mod history;
pub mod json_line;
pub mod line_link;
pub mod live_groups;
pub mod live_log;
pub mod local_time;
pub mod navigation;
pub mod payload_text;
pub mod plain_url;
pub mod records;
pub mod render_budget;
pub mod render_schedule;
pub mod row;
pub mod scroll_intent;
pub mod search;
pub mod selection;
pub mod snapshot;
pub mod source;
pub mod status;
pub mod stream_command;
pub mod theme;
pub mod view_link;
pub mod viewport;
pub mod visible_lines;
pub mod whole_lines;

pub use tailcast_lines::{level, line_store, prefix, styles, text_columns, timeline, words};
