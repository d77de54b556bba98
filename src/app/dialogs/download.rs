//! `<DownloadDialog>`: which lines to download, and in which format.

use leptos::prelude::*;

use super::popover::Popover;
use crate::{
    app::context::{use_commands, use_state},
    controller::state::{ViewerStateStoreFields, update},
    model::{
        command::{Command, Dialog},
        export::{ExportFormat, ExportScope},
    },
};

/// Label, lines and format of each choice.
const CHOICES: [(&str, ExportScope, ExportFormat); 4] = [
    ("Visible lines, as text", ExportScope::Visible, ExportFormat::Text),
    ("Visible lines, as JSON lines", ExportScope::Visible, ExportFormat::JsonLines),
    ("All lines, as text", ExportScope::Held, ExportFormat::Text),
    ("All lines, as JSON lines", ExportScope::Held, ExportFormat::JsonLines),
];

/// Downloads lines in the format that the user chooses.
#[component]
pub fn DownloadDialog() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let download = move |scope, format| {
        update(state.dialog(), None);
        commands.run(Command::Download(scope, format));
    };
    view! {
        <Popover dialog=Dialog::Download label="Download">
            <h2>"Download"</h2>
            <For each=|| CHOICES key=|(label, ..)| *label let((label, scope, format))>
                <button type="button" on:click=move |_| download(scope, format)>
                    <span>{label}</span>
                </button>
            </For>
        </Popover>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn each_choice_closes_the_dialog_and_downloads() {
        let stage = ComponentStage::showing(|| view! { <DownloadDialog /> }).await;
        assert_eq!(stage.texts_of("button"), CHOICES.map(|(label, ..)| label));
        for (button, (_, scope, format)) in stage.all("button").into_iter().zip(CHOICES) {
            stage.set(stage.state().dialog(), Some(Dialog::Download)).await;
            button.click();
            let dialog = stage.state().dialog().get_untracked();
            assert_eq!((stage.commands(), dialog), (vec![Command::Download(scope, format)], None));
        }
    }
}
