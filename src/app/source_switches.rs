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
    let switches = Memo::new(move |_| {
        state.sources().with(|sources| {
            let has_switch = |(at, source): (usize, &SourceLine)| source.has_switch.then_some(at);
            sources.iter().enumerate().filter_map(has_switch).collect::<Vec<_>>()
        })
    });
    view! {
        <Show when=move || switches.with(|switches| !switches.is_empty())>
            <div id="sources" role="group" aria-label="Sources">
                <For each=move || switches.get() key=|at| *at let(at)>
                    <SourceSwitch at />
                </For>
            </div>
        </Show>
    }
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
    // The state is that of the group: its sources do not repeat it.
    let problem = read(|source| match source.status.state {
        _ if !source.is_group => String::new(),
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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::status::StatusLine, test_page::ComponentStage};

    fn source(name: &str, status: StatusLine) -> SourceLine {
        SourceLine { name: name.to_owned(), status, is_visible: true, is_group: true, has_switch: true }
    }

    fn connected() -> StatusLine {
        StatusLine {
            state: ConnectionState::Connected,
            headline: "Connected".into(),
            detail: None,
            ..StatusLine::unusable(String::new())
        }
    }

    #[wasm_bindgen_test]
    async fn a_single_source_has_no_switch() {
        let stage = ComponentStage::showing(|| view! { <SourceSwitches /> }).await;
        assert!(stage.find("#sources").is_none());
    }

    #[wasm_bindgen_test]
    async fn each_source_is_shown_with_its_problem_and_filters() {
        let mut stage = ComponentStage::at("http://h/?group=web,db");
        stage.mount(|| view! { <SourceSwitches /> }).await;
        let lost = StatusLine {
            state: ConnectionState::Disconnected,
            announcement: "Reconnecting".into(),
            ..connected()
        };
        stage.set(stage.state().sources(), vec![source("web", connected()), source("db", lost)]).await;
        assert_eq!(stage.texts_of(".source"), ["web", "dbReconnecting"]);
        assert_eq!(stage.texts_of(".source .state"), ["", "Reconnecting"]);
        assert_eq!(stage.attribute("[data-source='0']", "data-state"), "connected");
        assert_eq!(stage.attribute("[data-source='1']", "data-state"), "disconnected");
        assert_eq!(stage.attribute("[data-source='0']", "title"), "web: Connected");
        stage.click("[data-source='1']").await;
        assert_eq!(stage.commands(), [Command::ToggleSource(1)]);
    }

    #[wasm_bindgen_test]
    async fn sources_within_a_group_get_switches_when_they_appear() {
        let mut stage = ComponentStage::new();
        stage.mount(|| view! { <SourceSwitches /> }).await;
        assert!(stage.find("#sources").is_none());
        let group = SourceLine { has_switch: false, ..source("stream", connected()) };
        let file = SourceLine { is_group: false, ..source("app.log", connected()) };
        stage.set(stage.state().sources(), vec![group.clone(), file.clone()]).await;
        assert_eq!(stage.texts_of(".source"), ["app.log"]);
        stage.set(stage.state().sources(), vec![SourceLine { has_switch: true, ..group }, file]).await;
        assert_eq!(stage.texts_of(".source"), ["stream", "app.log"]);
        stage.click("[data-source='1']").await;
        assert_eq!(stage.commands(), [Command::ToggleSource(1)]);
    }

    #[wasm_bindgen_test]
    async fn a_hidden_source_has_a_switch_that_is_off() {
        let mut stage = ComponentStage::at("http://h/?group=web,db");
        stage.mount(|| view! { <SourceSwitches /> }).await;
        let hidden = SourceLine { is_visible: false, ..source("db", connected()) };
        stage.set(stage.state().sources(), vec![source("web", connected()), hidden]).await;
        assert_eq!(stage.attribute("[data-source='0']", "aria-pressed"), "true");
        assert_eq!(stage.attribute("[data-source='1']", "aria-pressed"), "false");
    }
}
