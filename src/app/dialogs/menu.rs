//! `<Menu>`: commands by name, with their keys.

use leptos::prelude::*;

use super::popover::Popover;
use crate::{
    app::context::{use_commands, use_state},
    controller::state::{ViewerStateStoreFields, update},
    model::command::{BINDINGS, Binding, Command, Dialog},
};

/// Commands of the menu, in its order.
const COMMANDS: [Command; 10] = [
    Command::ToggleDialog(Dialog::GoTo),
    Command::ToggleDialog(Dialog::Highlights),
    Command::ToggleDialog(Dialog::Columns),
    Command::OpenFiles,
    Command::ToggleDialog(Dialog::Download),
    Command::ToggleBookmark,
    Command::LinkSelection,
    Command::ToggleAnnouncements,
    Command::NextTheme,
    Command::ToggleDialog(Dialog::KeyboardShortcuts),
];

/// Lists commands by name, with their keys.
#[component]
pub fn Menu() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let run = move |command: Command| {
        update(state.dialog(), None);
        commands.run(command);
    };
    let item = move |binding: &'static Binding| {
        view! {
            <button type="button" on:click=move |_| run(binding.command.clone())>
                <span>{binding.label}</span>
                <kbd aria-hidden="true">{binding.command.key()}</kbd>
            </button>
        }
    };
    view! {
        <Popover dialog=Dialog::Menu label="Menu">
            <For each=bindings key=|binding| binding.label children=item />
        </Popover>
    }
}

fn bindings() -> Vec<&'static Binding> {
    let of = |command: Command| BINDINGS.iter().find(move |binding| binding.command == command);
    COMMANDS.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn every_command_is_listed_with_its_key() {
        let stage = ComponentStage::showing(|| view! { <Menu /> }).await;
        assert_eq!(stage.all("button").len(), COMMANDS.len());
        assert_eq!(stage.texts_of("kbd"), COMMANDS.map(|command| command.key().to_owned()));
        assert_eq!(stage.text("button"), "Go to line or time…g");
    }

    #[wasm_bindgen_test]
    async fn a_command_closes_the_menu_and_is_given() {
        let stage = ComponentStage::showing(|| view! { <Menu /> }).await;
        for (button, command) in stage.all("button").into_iter().zip(COMMANDS) {
            stage.set(stage.state().dialog(), Some(Dialog::Menu)).await;
            button.click();
            assert_eq!((stage.commands(), stage.state().dialog().get_untracked()), (vec![command], None));
        }
    }
}
