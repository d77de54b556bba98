//! The whole viewer in a browser, with the test in place of the clients.

mod composing;
mod json_lines;
mod log;
mod reading;
mod sources;
mod timeline;
