//! Dialogs: parts that open above the page. All are popovers: the browser closes them on Escape and on a press elsewhere, and returns
//! the focus.

use leptos::prelude::*;

use super::context::use_controller;

pub mod columns;
pub mod connection_details;
pub mod download;
pub mod go_to;
pub mod groups;
pub mod highlights;
pub mod keyboard_shortcuts;
pub mod menu;
pub mod popover;

use self::{
    columns::ColumnsDialog, download::DownloadDialog, go_to::GoToDialog, groups::GroupsDialog,
    highlights::HighlightsDialog, keyboard_shortcuts::KeyboardShortcuts, menu::Menu,
};

/// Contains every dialog but the connection details, which stand beside their button.
#[component]
pub fn Dialogs() -> impl IntoView {
    let element = use_controller().with_value(|controller| controller.elements().dialogs);
    view! {
        <div class="boxes" node_ref=element>
            <Menu />
            <KeyboardShortcuts />
            <DownloadDialog />
            <GoToDialog />
            <GroupsDialog />
            <HighlightsDialog />
            <ColumnsDialog />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::command::Dialog, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn every_dialog_but_the_connection_details_is_there() {
        let mut stage = ComponentStage::with_controller();
        stage.mount(|| view! { <Dialogs /> }).await;
        for (dialog, count) in [
            (Dialog::Menu, 1),
            (Dialog::KeyboardShortcuts, 1),
            (Dialog::Download, 1),
            (Dialog::GoTo, 1),
            (Dialog::Groups, 1),
            (Dialog::Highlights, 1),
            (Dialog::Columns, 1),
            (Dialog::ConnectionDetails, 0),
        ] {
            assert_eq!(stage.count(&format!("#{}[popover]", dialog.id())), count, "{}", dialog.id());
        }
        assert_eq!(stage.count(":popover-open"), 0);
    }
}
