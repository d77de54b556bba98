//! `<Segments>`: a choice of one out of a few, all of them visible.

use leptos::prelude::*;

use super::{aria, context::use_commands};
use crate::model::command::Command;

/// One of the values to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Value of the `data-value` attribute.
    pub value: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The command that chooses it.
    pub command: Command,
}

/// Shows every value of a setting, and chooses one by its command.
#[component]
pub fn Segments(
    /// Id of the group.
    id: &'static str,
    /// Name of the setting, for screen readers.
    label: &'static str,
    /// Its tooltip.
    #[prop(optional)]
    title: Option<String>,
    /// The values.
    segments: Vec<Segment>,
    /// The chosen value.
    chosen: Signal<&'static str>,
) -> impl IntoView {
    let commands = use_commands();
    let segment = move |Segment { value, text, command }: Segment| {
        view! {
            <button
                type="button"
                data-value=value
                aria-pressed=move || aria(chosen.get() == value)
                on:click=move |_| commands.run(command.clone())
            >
                {text}
            </button>
        }
    };
    view! {
        <div id=id class="segments" role="group" aria-label=label title=title>
            {segments.into_iter().map(segment).collect_view()}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::theme::Theme, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn every_value_is_shown_and_a_click_gives_its_command() {
        let mut stage = ComponentStage::new();
        let chosen = stage.owned(|| RwSignal::new("dark"));
        let segments = Theme::ALL.map(|theme| Segment {
            value: theme.as_str(),
            text: theme.as_str(),
            command: Command::SetTheme(theme),
        });
        stage
            .mount(move || {
                view! { <Segments id="theme" label="Theme" segments=segments.to_vec() chosen=chosen.into() /> }
            })
            .await;
        assert_eq!(stage.texts_of("#theme button"), ["system", "light", "dark"]);
        let pressed = || stage.texts_of("[aria-pressed=true]");
        assert_eq!(pressed(), ["dark"]);
        stage.click("[data-value=light]").await;
        assert_eq!(stage.commands(), [Command::SetTheme(Theme::Light)]);
        assert_eq!(pressed(), ["dark"], "the state decides, not the click");
        stage.set(chosen, "light").await;
        assert_eq!(pressed(), ["light"]);
        assert_eq!(stage.attribute("#theme", "aria-label"), "Theme");
    }
}
