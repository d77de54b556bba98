//! `<KeyboardShortcuts>`: keys and their commands, searchable.

use leptos::prelude::*;

use super::popover::Popover;
use crate::model::command::{BINDINGS, Binding, Dialog, key_label};

/// Lists the keyboard shortcuts that contain what the user types, in their keys or their descriptions; all of them at first.
#[component]
pub fn KeyboardShortcuts() -> impl IntoView {
    let search = RwSignal::new(String::new());
    let found = move || search.with(|search| found(search));
    view! {
        <Popover dialog=Dialog::KeyboardShortcuts label="Keyboard shortcuts">
            <h2>"Keyboard shortcuts"</h2>
            <input
                type="text"
                aria-label="Find a shortcut"
                placeholder="Find a shortcut"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                autofocus
                bind:value=search
            />
            // Focusable, so that keys scroll it.
            <dl tabindex="0">
                <For each=found key=|binding| binding.label let(binding)>
                    <div>
                        <dt>{binding.label}</dt>
                        <dd>
                            {binding.keys.iter().map(|key| view! { <kbd>{key_label(key)}</kbd> }).collect_view()}
                        </dd>
                    </div>
                </For>
            </dl>
            <Show when=move || found().is_empty()>
                <p class="hint">"No shortcut matches."</p>
            </Show>
        </Popover>
    }
}

fn found(search: &str) -> Vec<&'static Binding> {
    let search = search.trim().to_ascii_lowercase();
    let matches = |binding: &&Binding| {
        let has_key = binding.keys.iter().any(|key| key_label(key).eq_ignore_ascii_case(&search));
        has_key || binding.label.to_ascii_lowercase().contains(&search)
    };
    BINDINGS.iter().filter(matches).collect()
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
        assert_eq!(stage.texts_of("dt"), labels);
        let keys: Vec<String> =
            BINDINGS.iter().flat_map(|binding| binding.keys).map(|key| key_label(key)).collect();
        assert_eq!(stage.texts_of("kbd"), keys);
        assert!(keys.contains(&"Shift+↑".to_owned()));
    }

    #[wasm_bindgen_test]
    async fn shortcuts_are_found_by_their_key_or_by_a_word() {
        let stage = ComponentStage::showing(|| view! { <KeyboardShortcuts /> }).await;
        for (search, labels) in [
            ("bookmark", vec!["Bookmark the current line", "Next bookmark", "Previous bookmark"]),
            ("Shift+↑", vec!["Extend the selection up"]),
            ("WRAP", vec!["Wrap lines"]),
            ("no such thing", vec![]),
        ] {
            stage.type_into("input", search).await;
            assert_eq!(stage.texts_of("dt"), labels, "{search}");
            assert_eq!(stage.find(".hint").is_some(), labels.is_empty());
        }
        stage.type_into("input", "").await;
        assert_eq!(stage.all("dt").len(), BINDINGS.len());
    }
}
