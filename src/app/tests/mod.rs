//! The whole viewer in a browser, with the test in place of the clients.

mod composing;
mod framework;
mod json_lines;
mod leaks;
mod log;
mod reading;
mod sources;
mod style_attributes;
mod timeline;
