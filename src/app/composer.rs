//! `<Composer>`: publishes a line to the group.

use leptos::{ev, prelude::*};

use super::context::{use_commands, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, navigation::Direction},
};

/// Publishes a line to the group of a source. Shown when the settings ask for it.
#[component]
pub fn Composer() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    // Number of the source, as its option has it.
    let target = RwSignal::new("0".to_owned());
    // A viewer keeps its sources for life.
    let names: Vec<(usize, String)> = state
        .sources()
        .with_untracked(|sources| sources.iter().map(|source| source.name.clone()).enumerate().collect());
    let choice = (names.len() > 1).then(|| {
        view! {
            <select aria-label="Send to" bind:value=target>
                <For each=move || names.clone() key=|(at, _)| *at let((at, name))>
                    <option value=at.to_string()>{name}</option>
                </For>
            </select>
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Ok(source) = target.get_untracked().parse() {
            commands.run(Command::Publish { source });
        }
    };
    let recall = move |event: ev::KeyboardEvent| {
        let direction = match event.key().as_str() {
            "ArrowUp" => Direction::Backward,
            "ArrowDown" => Direction::Forward,
            _ => return,
        };
        event.prevent_default();
        commands.run(Command::RecallDraft(direction));
    };
    view! {
        <form id="composer" part="composer" on:submit=submit>
            {choice}
            <input
                type="text"
                aria-label="Line to send"
                placeholder="Send a line to everyone who watches"
                autocomplete="off"
                maxlength="100000"
                bind:value=state.draft()
                on:keydown=recall
            />
            <button type="submit">"Send"</button>
            <span class="sent" role="status">
                {move || Some(state.delivery().get()).filter(|delivery| !delivery.is_empty())}
            </span>
        </form>
    }
}
