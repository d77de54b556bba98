//! `<GroupsDialog>`: the groups that this viewer may join.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};

use super::popover::Popover;
use crate::{
    app::context::{use_info, use_state},
    browser::{
        clock::{local_time, monotonic_ms},
        group_list::read_groups,
    },
    controller::state::ViewerStateStoreFields,
    model::{
        command::Dialog,
        live_groups::{GroupLine, ListedGroup, group_lines},
    },
};

/// Interval between two requests while the dialog is open, in milliseconds: a tenth of the server's limit of requests.
const REFRESH_MS: u32 = 3_000;

/// Lists the groups that this viewer may join, with their last lines. Loads the list while the dialog is open.
#[component]
pub fn GroupsDialog() -> impl IntoView {
    let (state, info) = (use_state(), use_info());
    let groups = RwSignal::new(Vec::<GroupLine>::new());
    let problem = RwSignal::new(None::<String>);
    let is_open = Memo::new(move |_| state.dialog().get() == Some(Dialog::Groups));
    let url = StoredValue::new(info.groups_url.clone());
    Effect::new(move || {
        if is_open.get() {
            spawn_local(refresh_while_open(is_open, url, groups, problem));
        }
    });
    let joined = StoredValue::new(info.groups.clone());
    let is_joined =
        move |name: &str| joined.with_value(|groups| groups.split(", ").any(|group| group == name));
    let row = move |group: GroupLine| {
        let href = format!(
            "?{}",
            form_urlencoded::Serializer::new(String::new()).append_pair("group", &group.name).finish()
        );
        let current = is_joined(&group.name).then_some("true");
        view! {
            <li data-state=group.state>
                <a href=href aria-current=current>
                    <span class="name">{group.name}</span>
                    <span class="summary">{group.summary}</span>
                    <span class="last">{group.last_line}</span>
                </a>
            </li>
        }
    };
    view! {
        <Popover dialog=Dialog::Groups label="Groups" class="box groups-dialog">
            // Takes the focus, so that the keys move in the list: links cannot be named before they are there.
            <h2 tabindex="-1" autofocus>"Groups"</h2>
            <Show
                when=move || problem.with(Option::is_none)
                fallback=move || view! { <p role="alert">{move || problem.get()}</p> }
            >
                <ul>
                    <For each=move || groups.get() key=|group| format!("{group:?}") children=row />
                </ul>
                <Show when=move || groups.with(Vec::is_empty)>
                    <p>"No group has members or lines yet."</p>
                </Show>
            </Show>
        </Popover>
    }
}

async fn refresh_while_open(
    is_open: Memo<bool>,
    url: StoredValue<Option<String>>,
    groups: RwSignal<Vec<GroupLine>>,
    problem: RwSignal<Option<String>>,
) {
    let (mut earlier, mut earlier_ms) = (Vec::<ListedGroup>::new(), 0.0);
    // `None` when the viewer was removed meanwhile.
    while is_open.try_get_untracked() == Some(true) {
        let Some(url) = url.try_get_value() else { return };
        let listed = match url {
            Some(url) => read_groups(&url).await,
            None => Err("A service URL has no list of groups".to_owned()),
        };
        match listed {
            Ok(listed) => {
                let now_ms = monotonic_ms();
                let seconds = if earlier.is_empty() { 0.0 } else { (now_ms - earlier_ms) / 1_000.0 };
                let lines = group_lines(&listed, &earlier, seconds, local_time().unix_ms);
                (earlier, earlier_ms) = (listed, now_ms);
                groups.try_set(lines);
                problem.try_set(None);
            }
            Err(reason) => drop(problem.try_set(Some(reason))),
        }
        TimeoutFuture::new(REFRESH_MS).await;
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{controller::state::update, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn without_a_list_the_dialog_says_so() {
        let stage = ComponentStage::showing(|| view! { <GroupsDialog /> }).await;
        assert!(stage.find("#groups").is_some());
        update(stage.state().dialog(), Some(Dialog::Groups));
        crate::test_page::frames_until(|| {
            stage.find("#groups [role=alert]").is_some() || stage.find("#groups p").is_some()
        })
        .await;
    }
}
