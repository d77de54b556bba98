//! `<Composer>`: publishes a line to the group.

use leptos::{ev, prelude::*};

use super::context::{use_commands, use_info, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, navigation::Direction},
};

/// Publishes a line to the group of a source. Shown when the settings ask for it. Asks before the first line is published to a host
/// that the page's address chose.
#[component]
pub fn Composer() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    // Number of the source, as its option has it.
    let target = RwSignal::new("0".to_owned());
    // A viewer keeps its groups for life.
    let names: Vec<(usize, String)> = state.sources().with_untracked(|sources| {
        let groups = sources.iter().filter(|source| source.is_group);
        groups.map(|source| source.name.clone()).enumerate().collect()
    });
    let choice = (names.len() > 1).then(|| {
        view! {
            <select aria-label="Send to" bind:value=target>
                <For each=move || names.clone() key=|(at, _)| *at let((at, name))>
                    <option value=at.to_string()>{name}</option>
                </For>
            </select>
        }
    });
    let foreign_hosts = use_info().foreign_hosts;
    let confirmed = StoredValue::new(Vec::<usize>::new());
    // Source and host that the user is asked about.
    let question = RwSignal::new(None::<(usize, String)>);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(source) = target.get_untracked().parse() else { return };
        let host = foreign_hosts.get(source).cloned().flatten();
        match host.filter(|_| !confirmed.with_value(|confirmed| confirmed.contains(&source))) {
            Some(host) => question.set(Some((source, host))),
            None => commands.run(Command::Publish { source }),
        }
    };
    let confirm = move |_| {
        if let Some((source, _)) = question.get_untracked() {
            confirmed.update_value(|confirmed| confirmed.push(source));
            question.set(None);
            commands.run(Command::Publish { source });
        }
    };
    let confirmation = move || {
        question.get().map(|(_, host)| {
            view! {
                <div class="confirm" role="alert">
                    <span>
                        "Send this line to " <b>{host.clone()}</b> "? The address of this page chose that host."
                    </span>
                    <button type="button" on:click=confirm>
                        {format!("Send to {host}")}
                    </button>
                    <button type="button" class="cancel" on:click=move |_| question.set(None)>
                        "Cancel"
                    </button>
                </div>
            }
        })
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
            {confirmation}
            {choice}
            <input
                type="text"
                aria-label="Line to send"
                placeholder="Send a line to every viewer"
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

#[cfg(test)]
mod tests {
    use leptos::task::tick;
    use wasm_bindgen::JsCast;
    use wasm_bindgen_test::wasm_bindgen_test;
    use web_sys::HtmlFormElement;

    use super::*;
    use crate::test_page::{ComponentStage, bubbling_event, value};

    async fn submit(stage: &ComponentStage) {
        stage.get("#composer").unchecked_into::<HtmlFormElement>().request_submit().unwrap();
    }

    #[wasm_bindgen_test]
    async fn the_field_and_the_draft_are_one() {
        let stage = ComponentStage::showing(|| view! { <Composer /> }).await;
        stage.type_into("input", "restarting").await;
        assert_eq!(stage.state().draft().get_untracked(), "restarting");
        stage.set(stage.state().draft(), "recalled".into()).await;
        assert_eq!(value(&stage.get("input")), "recalled");
        submit(&stage).await;
        assert_eq!(stage.commands(), [Command::Publish { source: 0 }]);
        assert_eq!(
            value(&stage.get("input")),
            "recalled",
            "the controller empties the draft that it has sent"
        );
    }

    #[wasm_bindgen_test]
    async fn arrow_keys_recall_and_other_keys_type() {
        let stage = ComponentStage::showing(|| view! { <Composer /> }).await;
        let prevented = [
            stage.press_in("input", "ArrowUp").await,
            stage.press_in("input", "ArrowDown").await,
            stage.press_in("input", "a").await,
        ];
        assert_eq!(prevented, [true, true, false]);
        assert_eq!(
            stage.commands(),
            [Command::RecallDraft(Direction::Backward), Command::RecallDraft(Direction::Forward)]
        );
    }

    #[wasm_bindgen_test]
    async fn several_sources_are_offered_and_delivery_is_shown() {
        let mut stage = ComponentStage::at("http://h/?group=web,db");
        stage.mount(|| view! { <Composer /> }).await;
        assert_eq!(stage.texts_of("option"), ["web", "db"]);
        js_sys::Reflect::set(&stage.get("select"), &"value".into(), &"1".into()).unwrap();
        stage.dispatch("select", &bubbling_event("change")).await;
        submit(&stage).await;
        assert_eq!(stage.commands(), [Command::Publish { source: 1 }]);
        assert_eq!(stage.text(".sent"), "");
        stage.set(stage.state().delivery(), "delivered (1)".into()).await;
        assert_eq!(stage.text(".sent"), "delivered (1)");
    }

    #[wasm_bindgen_test]
    async fn a_host_that_the_address_chose_gets_a_line_only_after_a_confirmation() {
        let mut stage = ComponentStage::at("http://h/?negotiate=https%3A%2F%2Fn.example%2Fneg");
        stage.mount(|| view! { <Composer /> }).await;
        submit(&stage).await;
        tick().await;
        assert_eq!(stage.commands(), []);
        assert!(stage.text(".confirm").contains("n.example"), "{}", stage.text(".confirm"));
        stage.click(".confirm .cancel").await;
        assert!(stage.find(".confirm").is_none());
        submit(&stage).await;
        tick().await;
        stage.click(".confirm button").await;
        assert_eq!(stage.commands(), [Command::Publish { source: 0 }]);
        submit(&stage).await;
        assert_eq!(stage.commands(), [Command::Publish { source: 0 }], "it is confirmed once");
    }

    #[wasm_bindgen_test]
    async fn a_single_source_needs_no_choice() {
        let stage = ComponentStage::showing(|| view! { <Composer /> }).await;
        assert!(stage.find("select").is_none());
    }
}
