//! `<SourceSwitches>`: a switch for each of several sources.

use leptos::prelude::*;

use super::{
    aria,
    context::{use_commands, use_state},
};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        command::Command,
        source::{SOURCE_COLORS, SourceLine},
        status::ConnectionState,
    },
};

/// Shows the sources with their states, and filters by them. A single source needs no switch.
#[component]
pub fn SourceSwitches() -> impl IntoView {
    let state = use_state();
    // A viewer keeps its sources for life.
    let count = state.sources().with_untracked(Vec::len);
    (count > 1).then(|| {
        view! {
            <div id="sources" role="group" aria-label="Sources">
                <For each=move || 0..count key=|at| *at let(at)>
                    <SourceSwitch at />
                </For>
            </div>
        }
    })
}

/// Filters by one source.
#[component]
fn SourceSwitch(
    /// Number of the source.
    at: usize,
) -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let read = move |read: fn(&SourceLine) -> String| {
        move || state.sources().with(|sources| sources.get(at).map(read))
    };
    let name = state.sources().with_untracked(|sources| sources.get(at).map(|source| source.name.clone()));
    let problem = read(|source| match source.status.state {
        ConnectionState::Connected => String::new(),
        _ => source.status.announcement.clone(),
    });
    let toggle = move |_| {
        // A viewer has few sources.
        if let Ok(source) = u16::try_from(at) {
            commands.run(Command::ToggleSource(source));
        }
    };
    view! {
        <button
            type="button"
            class="source"
            data-source=(at % SOURCE_COLORS).to_string()
            data-state=read(|source| source.status.state.as_str().to_owned())
            aria-pressed=read(|source| aria(source.is_visible).to_owned())
            title=read(|source| format!("{}: {}", source.name, source.status.text()))
            on:click=toggle
        >
            {name}
            <span class="state">{problem}</span>
        </button>
    }
}
