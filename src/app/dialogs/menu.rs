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
