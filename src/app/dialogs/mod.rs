//! Dialogs: parts that open above the page. All are popovers: the browser closes them on Escape and on a press elsewhere, and returns
//! the focus.

use leptos::prelude::*;

pub mod columns;
pub mod connection_details;
pub mod download;
pub mod go_to;
pub mod highlights;
pub mod keyboard_shortcuts;
pub mod menu;
pub mod popover;

use self::{
    columns::ColumnsDialog, download::DownloadDialog, go_to::GoToDialog, highlights::HighlightsDialog,
    keyboard_shortcuts::KeyboardShortcuts, menu::Menu,
};

/// Contains every dialog but the connection details, which stand beside their button.
#[component]
pub fn Dialogs() -> impl IntoView {
    view! {
        <div class="boxes">
            <Menu />
            <KeyboardShortcuts />
            <DownloadDialog />
            <GoToDialog />
            <HighlightsDialog />
            <ColumnsDialog />
        </div>
    }
}
