//! `<KeyboardShortcuts>`: every key and its command.

use leptos::prelude::*;

use super::popover::Popover;
use crate::model::command::{BINDINGS, Dialog, key_label};

/// Lists every keyboard shortcut.
#[component]
pub fn KeyboardShortcuts() -> impl IntoView {
    view! {
        <Popover dialog=Dialog::KeyboardShortcuts label="Keyboard shortcuts">
            <h2>"Keyboard shortcuts"</h2>
            // Focused when the dialog opens, so that the arrow keys scroll it.
            <dl tabindex="0" autofocus>
                <For each=|| BINDINGS.iter() key=|binding| binding.label let(binding)>
                    <div>
                        <dt>
                            <For each=|| binding.keys.iter() key=|key| **key let(key)>
                                <kbd>{key_label(key)}</kbd>
                            </For>
                        </dt>
                        <dd>{binding.label}</dd>
                    </div>
                </For>
            </dl>
        </Popover>
    }
}
