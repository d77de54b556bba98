//! `<ToggleButton>`: a button that is pressed or not.

use leptos::prelude::*;

use super::{aria, context::use_commands};
use crate::model::command::Command;

/// Toggles a setting by a command.
#[component]
pub fn ToggleButton(
    /// Id of the button.
    id: &'static str,
    /// Its name for screen readers, and in its tooltip with the key of the command.
    label: &'static str,
    /// Its text.
    text: &'static str,
    /// Whether it is pressed.
    is_pressed: Signal<bool>,
    /// The command.
    command: Command,
) -> impl IntoView {
    let commands = use_commands();
    let title = format!("{label} ({})", command.key());
    view! {
        <button
            type="button"
            id=id
            title=title
            aria-label=label
            aria-pressed=move || aria(is_pressed.get())
            on:click=move |_| commands.run(command.clone())
        >
            {text}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn a_button_follows_its_signal_and_gives_its_command() {
        let mut stage = ComponentStage::new();
        let is_on = stage.owned(|| RwSignal::new(false));
        stage
            .mount(move || {
                view! {
                    <ToggleButton
                        id="wrap"
                        label="Wrap lines"
                        text="Wrap"
                        is_pressed=is_on.into()
                        command=Command::ToggleWrap
                    />
                }
            })
            .await;
        assert_eq!(
            (stage.text("#wrap"), stage.attribute("#wrap", "aria-label")),
            ("Wrap".into(), "Wrap lines".into())
        );
        assert_eq!(stage.attribute("#wrap", "title"), "Wrap lines (z)");
        assert_eq!(stage.attribute("#wrap", "aria-pressed"), "false");
        stage.set(is_on, true).await;
        assert_eq!(stage.attribute("#wrap", "aria-pressed"), "true");
        stage.click("#wrap").await;
        stage.click("#wrap").await;
        assert_eq!(stage.commands(), [Command::ToggleWrap, Command::ToggleWrap]);
        assert_eq!(stage.attribute("#wrap", "aria-pressed"), "true", "the state decides, not the click");
    }
}
