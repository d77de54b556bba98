//! What lies above the lines: what is selected, the page's answers, and the way back to the newest line.

use super::screen::{Show, attribute, text, there, when};
use crate::model::grouped_number::{counted, grouped};

/// What is shown in it.
pub const SHOWS: &[Show] = &[
    attribute("#selected", "hidden", |shown, _| when(shown.now.selected_lines == 0)),
    attribute("#selected", "data-lines", |shown, _| Some(shown.now.selected_lines.to_string().into())),
    text("#selected span", |shown, _| {
        Some(format!("{} selected", counted(shown.now.selected_lines, "line", "lines")).into())
    }),
    text("#said", |shown, _| Some((&shown.said).into())),
    text(".spoken.new", |shown, _| Some((&shown.now.speech).into())),
    attribute("#resume", "data-new", |shown, _| Some(shown.now.new_lines?.to_string().into())),
    text("#resume .new", |shown, _| {
        Some(match shown.now.new_lines? {
            0 => "Paused".into(),
            1 => "1 new line".into(),
            new => format!("{} new lines", grouped(new)).into(),
        })
    }),
    there("#resume", |shown, _| when(shown.now.new_lines.is_some())),
];
