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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn every_binding_is_listed_with_all_its_keys() {
        let stage = ComponentStage::showing(|| view! { <KeyboardShortcuts /> }).await;
        let labels: Vec<&str> = BINDINGS.iter().map(|binding| binding.label).collect();
        assert_eq!(stage.texts_of("dd"), labels);
        let keys: Vec<String> =
            BINDINGS.iter().flat_map(|binding| binding.keys).map(|key| key_label(key)).collect();
        assert_eq!(stage.texts_of("kbd"), keys);
        assert!(keys.contains(&"Shift+↑".to_owned()));
        assert!(stage.get("dl").has_attribute("autofocus"), "the arrow keys scroll the list");
    }
}
