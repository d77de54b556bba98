//! `<GroupsDialog>`: groups that this viewer may join.

use gloo_timers::future::TimeoutFuture;
use leptos::{ev, html, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::popover::Popover;
use crate::{
    app::context::{use_host, use_info, use_state},
    browser::{
        clock::{local_time, monotonic_ms},
        group_list::read_groups,
    },
    controller::state::ViewerStateStoreFields,
    model::{
        command::Dialog,
        live_groups::{GroupLine, ListedGroup, group_lines, query_for_group},
    },
};

/// Interval between two requests while the dialog is open, in milliseconds: a tenth of the server's limit of requests.
const REFRESH_MS: u32 = 3_000;
/// Time from the first request to the second in milliseconds: a rate needs two of them.
const FIRST_REFRESH_MS: u32 = 1_000;

/// The list as last loaded.
#[derive(Clone, Copy)]
struct GroupList {
    groups: RwSignal<Vec<GroupLine>>,
    /// Whether a list was loaded.
    is_loaded: RwSignal<bool>,
    /// Reason why the list could not be loaded the last time.
    problem: RwSignal<Option<String>>,
}

impl GroupList {
    fn new() -> Self {
        Self { groups: RwSignal::default(), is_loaded: RwSignal::default(), problem: RwSignal::default() }
    }
}

/// Lists the groups that this viewer may join, with their last lines, rates and states. Loads the list while the dialog is open.
#[component]
pub fn GroupsDialog() -> impl IntoView {
    let (state, info) = (use_state(), use_info());
    let list = GroupList::new();
    let is_open = Memo::new(move |_| state.dialog().get() == Some(Dialog::Groups));
    let url = StoredValue::new(info.groups_url);
    Effect::new(move || {
        if is_open.get() {
            spawn_local(refresh_while_open(is_open, url, list));
        }
    });
    let joined = info.groups.split(", ").map(str::to_owned).collect();
    view! {
        <Popover dialog=Dialog::Groups label="Groups" class="box groups-dialog">
            <GroupPicker list joined is_open />
        </Popover>
    }
}

/// Lists groups, those that the user filters for. Arrow keys move between the field and the groups, Enter opens one.
#[component]
fn GroupPicker(
    /// The groups.
    list: GroupList,
    /// Names of the groups that the viewer shows.
    joined: Vec<String>,
    /// Whether the dialog is open: the field is empty each time it opens.
    is_open: Memo<bool>,
) -> impl IntoView {
    let GroupList { groups, is_loaded, problem } = list;
    let pattern = RwSignal::new(String::new());
    Effect::new(move |_| {
        if is_open.get() {
            pattern.set(String::new());
        }
    });
    let (field, items) = (NodeRef::<html::Input>::new(), NodeRef::<html::Ul>::new());
    // Rows are rendered again only where a group comes or goes: the focus stays.
    let names = Memo::new(move |_| {
        let pattern = pattern.get().to_lowercase();
        let is_match = |group: &&GroupLine| group.name.to_lowercase().contains(&pattern);
        groups
            .with(|groups| groups.iter().filter(is_match).map(|group| group.name.clone()).collect::<Vec<_>>())
    });
    let query = use_host().with_value(|host| host.window().location().search());
    let query = StoredValue::new(query.unwrap_or_default());
    let joined = StoredValue::new(joined);
    let row = move |name: String| {
        let href = query.with_value(|query| query_for_group(query, &name));
        let current = joined.with_value(|joined| joined.contains(&name)).then_some("true");
        let shown_name = name.clone();
        let group = Memo::new(move |_| {
            groups.with(|groups| groups.iter().find(|group| group.name == name).cloned()).unwrap_or_default()
        });
        view! {
            <li data-state=move || group.with(|group| group.state)>
                <a href=href aria-current=current on:keydown=move |event| move_from_item(&event, field)>
                    <span class="name">{shown_name}</span>
                    <span class="rate">{move || group.with(|group| group.rate.clone())}</span>
                    <span class="state">{move || group.with(|group| group.state_text.clone())}</span>
                    <span class="last">{move || group.with(|group| group.last_line.clone())}</span>
                    <span class="counts">{move || group.with(|group| group.counts.clone())}</span>
                </a>
            </li>
        }
    };
    let placeholder = move || {
        if problem.with(Option::is_some) {
            None
        } else if !is_loaded.get() {
            Some("Loading…".to_owned())
        } else if groups.with(Vec::is_empty) {
            Some("No group has members or lines yet.".to_owned())
        } else {
            names.with(Vec::is_empty).then(|| format!("No group's name contains “{}”.", pattern.get()))
        }
    };
    view! {
        <label for="groups-field">"Groups"</label>
        <input
            id="groups-field"
            node_ref=field
            bind:value=pattern
            placeholder="Filter by name"
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            autofocus
            on:keydown=move |event| move_from_field(&event, items)
        />
        <Show when=move || problem.with(Option::is_some)>
            <p class="wrong" role="alert">
                {move || problem.get()}
            </p>
        </Show>
        <ul node_ref=items>
            <For each=move || names.get() key=String::clone children=row />
        </ul>
        <p class="hint" role="status">
            {placeholder}
        </p>
    }
}

/// Moves from the field into the list, or opens the first group.
fn move_from_field(event: &ev::KeyboardEvent, items: NodeRef<html::Ul>) {
    let first = || link_in(items.get_untracked()?.first_element_child());
    match event.key().as_str() {
        "ArrowDown" => focus(event, first()),
        "Enter" => {
            event.prevent_default();
            if let Some(link) = first() {
                link.click();
            }
        }
        _ => {}
    }
}

/// Moves from a group to another one, or back to the field.
fn move_from_item(event: &ev::KeyboardEvent, field: NodeRef<html::Input>) {
    let link = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(item) = link.and_then(|link| link.parent_element()) else { return };
    let list = item.parent_element();
    match event.key().as_str() {
        "ArrowDown" => focus(event, link_in(item.next_element_sibling())),
        "ArrowUp" => {
            let previous = link_in(item.previous_element_sibling());
            focus(event, previous.or_else(|| field.get_untracked().map(JsCast::unchecked_into)));
        }
        "Home" => focus(event, link_in(list.and_then(|list| list.first_element_child()))),
        "End" => focus(event, link_in(list.and_then(|list| list.last_element_child()))),
        _ => {}
    }
}

fn link_in(item: Option<Element>) -> Option<HtmlElement> {
    item?.first_element_child()?.dyn_into().ok()
}

/// Focuses an element in place of what the key does otherwise.
fn focus(event: &ev::KeyboardEvent, element: Option<HtmlElement>) {
    event.prevent_default();
    if let Some(Err(error)) = element.map(|element| element.focus()) {
        leptos::logging::error!("a group of the list cannot be focused: {error:?}");
    }
}

async fn refresh_while_open(is_open: Memo<bool>, url: StoredValue<Option<String>>, list: GroupList) {
    let (mut earlier, mut earlier_ms) = (None::<Vec<ListedGroup>>, 0.0);
    // `None` when the viewer was removed meanwhile.
    while is_open.try_get_untracked() == Some(true) {
        let Some(url) = url.try_get_value() else { return };
        let listed = match url {
            Some(url) => read_groups(&url).await,
            None => Err("A service URL has no list of groups".to_owned()),
        };
        let mut wait_ms = REFRESH_MS;
        match listed {
            Ok(listed) => {
                let now_ms = monotonic_ms();
                let seconds = (now_ms - earlier_ms) / 1_000.0;
                let before = earlier.as_deref().map(|groups| (groups, seconds));
                list.groups.try_set(group_lines(&listed, before, local_time().unix_ms));
                list.is_loaded.try_set(true);
                list.problem.try_set(None);
                if earlier.is_none() {
                    wait_ms = FIRST_REFRESH_MS;
                }
                (earlier, earlier_ms) = (Some(listed), now_ms);
            }
            Err(reason) => drop(list.problem.try_set(Some(reason))),
        }
        TimeoutFuture::new(wait_ms).await;
    }
}

#[cfg(test)]
mod tests {
    use leptos::task::tick;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        controller::state::update,
        test_page::{ComponentStage, frames_until},
    };

    fn line(name: &str, lines: u64) -> GroupLine {
        let group =
            ListedGroup { name: name.to_owned(), lines, last_ms: Some(1_000.0), ..ListedGroup::default() };
        group_lines(&[group], None, 1_000.0).remove(0)
    }

    async fn picker(names: &'static [&str]) -> (ComponentStage, GroupList) {
        let mut stage = ComponentStage::with_controller();
        let list = stage.owned(GroupList::new);
        list.groups.set(names.iter().map(|name| line(name, 1)).collect());
        list.is_loaded.set(true);
        let is_open = stage.owned(|| Memo::new(|_| true));
        stage.mount(move || view! { <GroupPicker list joined=vec!["build".to_owned()] is_open /> }).await;
        (stage, list)
    }

    #[wasm_bindgen_test]
    async fn each_group_has_its_last_line_rate_and_state() {
        let (stage, list) = picker(&["build", "deploy"]).await;
        let group = ListedGroup {
            name: "deploy".into(),
            members: 2,
            lines: 1_500,
            last_ms: Some(0.0),
            last_line: "done".into(),
        };
        let before = [ListedGroup { lines: 500, ..group.clone() }];
        list.groups.set(group_lines(&[group], Some((&before, 2.0)), 1_000.0));
        tick().await;
        let texts = [".name", ".rate", ".state", ".last", ".counts"].map(|part| stage.text(part));
        assert_eq!(texts, ["deploy", "500/s", "live", "done", "1,500 lines · 2 members"]);
        assert_eq!(stage.attribute("li", "data-state"), "live");
    }

    #[wasm_bindgen_test]
    async fn a_refresh_keeps_the_focus() {
        let (stage, list) = picker(&["build", "deploy"]).await;
        let focused = || stage.text("a:focus .name");
        stage.press_in("#groups-field", "ArrowDown").await;
        assert_eq!(focused(), "build");
        list.groups.set(vec![line("a-new-one", 1), line("build", 700), line("deploy", 1)]);
        tick().await;
        assert_eq!((focused().as_str(), stage.texts_of(".name").len()), ("build", 3));
        assert_eq!(stage.text("a:focus .counts"), "700 lines · 0 members");
    }

    #[wasm_bindgen_test]
    async fn arrow_keys_move_between_the_field_and_the_groups() {
        let (stage, _) = picker(&["a", "build", "c"]).await;
        let focused = || stage.text("a:focus .name");
        stage.get("#groups-field").focus().unwrap();
        assert!(stage.press_in("#groups-field", "ArrowDown").await, "the page does not scroll");
        for (key, name) in
            [("ArrowDown", "build"), ("End", "c"), ("ArrowDown", "c"), ("ArrowUp", "build"), ("Home", "a")]
        {
            assert!(stage.press_in("a:focus", key).await);
            assert_eq!(focused(), name, "{key}");
        }
        stage.press_in("a:focus", "ArrowUp").await;
        assert!(stage.get("#groups-field").matches(":focus").unwrap());
    }

    #[wasm_bindgen_test]
    async fn the_field_filters_by_name_and_the_current_group_is_marked() {
        let (stage, _) = picker(&["Build-7", "build", "deploy"]).await;
        assert_eq!(stage.texts_of("[aria-current] .name"), ["build"]);
        stage.type_into("#groups-field", "buil").await;
        assert_eq!(stage.texts_of(".name"), ["Build-7", "build"]);
        stage.type_into("#groups-field", "x").await;
        assert_eq!(stage.text("[role=status]"), "No group's name contains “x”.");
    }

    #[wasm_bindgen_test]
    async fn without_a_list_the_dialog_says_so() {
        let mut stage = ComponentStage::with_controller();
        stage.mount(|| view! { <GroupsDialog /> }).await;
        assert!(stage.find("#groups").is_some());
        update(stage.state().dialog(), Some(Dialog::Groups));
        frames_until(|| stage.find("#groups [role=alert]").is_some()).await;
    }
}
