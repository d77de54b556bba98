//! Behaviour of Leptos and its stores that the viewer relies on, or works around. A release that changes it is noticed here.
//!
//! Some of it is a fault of the framework. Its test states what happens, so that the workaround goes when the fault is repaired.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use leptos::{
    html,
    mount::mount_to,
    prelude::*,
    task::{spawn_local_scoped, tick},
};
use reactive_stores::{Patch, Store};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::test_page::{Mounted, Stage, next_frame};

/// State with a keyed collection.
#[derive(Debug, Clone, Store, Patch)]
struct Board {
    title: String,
    #[store(key: u32 = |card| card.id)]
    cards: Vec<Card>,
}

#[derive(Debug, Clone, Store, Patch)]
struct Card {
    id: u32,
    text: String,
}

fn board(title: &str, texts: [&str; 2]) -> Board {
    let card = |(id, text): (u32, &str)| Card { id, text: text.to_owned() };
    Board { title: title.to_owned(), cards: (0..).zip(texts).map(card).collect() }
}

/// A list with an item for each card.
#[component]
fn Cards(board: Store<Board>) -> impl IntoView {
    view! {
        <h2>{move || board.title().get()}</h2>
        <For each=move || board.cards() key=|card| card.id().get() let(card)>
            <li>{move || card.text().get()}</li>
        </For>
    }
}

/// A patch of a struct looks the keys of a collection up under the path of the struct, finds none, and panics. The viewer's state
/// has no keyed collection, and each field is written by itself.
#[wasm_bindgen_test]
#[should_panic(expected = "could not find key for index")]
fn a_patch_of_a_struct_with_a_keyed_collection_panics() {
    let owner = Owner::default();
    let store = owner.with(|| Store::new(board("old", ["a", "b"])));
    store.patch(board("new", ["c", "d"]));
}

#[wasm_bindgen_test]
async fn a_patch_of_the_keyed_collection_itself_changes_its_entries_in_place() {
    let stage = Stage::new();
    let owner = Owner::default();
    let store = owner.with(|| Store::new(board("old", ["a", "b"])));
    let _mounted = Mounted::new(stage.root(), move || view! { <Cards board=store /> });
    assert_eq!(stage.texts_of("li"), ["a", "b"]);
    let items = stage.all("li");
    store.cards().patch(board("old", ["c", "d"]).cards);
    tick().await;
    assert_eq!((stage.texts_of("li"), stage.all("li")), (vec!["c".into(), "d".into()], items));
}

/// A task that never ends keeps its owner alive, and dropping the view does not clean up. The viewer has a root owner, which is
/// cleaned up explicitly.
#[wasm_bindgen_test]
async fn a_pending_task_prevents_the_cleanup_until_the_owner_is_cleaned_up_explicitly() {
    let stage = Stage::new();
    for (has_task, is_clean_when_dropped) in [(false, true), (true, false)] {
        let is_clean = Arc::new(AtomicBool::new(false));
        let (flag, root, owner) = (Arc::clone(&is_clean), stage.root().clone(), Owner::default());
        let component = move || {
            on_cleanup(move || flag.store(true, Ordering::Relaxed));
            if has_task {
                spawn_local_scoped(pending());
            }
        };
        let view = owner.with(|| mount_to(root, component));
        drop(view);
        tick().await;
        assert_eq!(is_clean.load(Ordering::Relaxed), is_clean_when_dropped, "with a task: {has_task}");
        owner.cleanup();
        assert!(is_clean.load(Ordering::Relaxed));
    }
}

/// A view that was mounted by a handler of another one.
struct Inner {
    count: RwSignal<u32>,
    _view: Box<dyn std::any::Any>,
}

/// Mounts a view with the button `#outer`, whose handler mounts one with the button `#inner`; then removes the first. Returns the
/// second.
async fn mounted_by_a_handler(stage: &Stage, owner_of_inner: fn() -> Owner) -> Inner {
    let inner = Rc::new(RefCell::new(None));
    let (created, root) = (Rc::clone(&inner), stage.root().clone());
    let mount_inner = move |_| {
        let (root, created) = (root.clone(), Rc::clone(&created));
        let owner = owner_of_inner();
        let count = owner.with(|| RwSignal::new(0));
        let button = move || view! { <button id="inner" on:click=move |_| count.set(count.get() + 1)>{count}</button> };
        let view = owner.with(|| mount_to(root, button));
        created.replace(Some(Inner { count, _view: Box::new((view, owner)) }));
    };
    let outer =
        Mounted::new(stage.root(), move || view! { <button id="outer" on:click=mount_inner></button> });
    stage.get("#outer").click();
    drop(outer);
    tick().await;
    assert!(stage.find("#outer").is_none() && stage.find("#inner").is_some());
    inner.take().unwrap()
}

/// A handler runs with its component's owner. An element that a host page inserts in a handler of another element would become its
/// child and end with it, were its owner not a root.
#[wasm_bindgen_test]
async fn a_view_that_a_handler_of_another_one_mounted_survives_it_only_with_a_root_owner() {
    let stage = Stage::new();
    let inner = mounted_by_a_handler(&stage, Owner::default).await;
    stage.get("#inner").click();
    tick().await;
    assert_eq!((stage.text("#inner"), inner.count.is_disposed()), ("1".into(), false));
    drop(inner);
    let child = mounted_by_a_handler(&stage, Owner::new).await;
    assert!(child.count.is_disposed());
}

/// A `NodeRef` keeps an element that was removed, and changes when another one takes its place. `NodeRef::on_load` would panic
/// there: it takes its callback out of an `Option` at each change, and a panic ends the whole page. The viewer uses an effect.
#[wasm_bindgen_test]
async fn a_node_ref_keeps_a_removed_element_and_an_effect_runs_for_each_new_one() {
    let stage = Stage::new();
    let owner = Owner::default();
    let (is_shown, element) = owner.with(|| (RwSignal::new(false), NodeRef::<html::P>::new()));
    let loads = Rc::new(Cell::new(0));
    let count = Rc::clone(&loads);
    let _mounted = Mounted::new(stage.root(), move || {
        Effect::new(move |_| {
            if element.get().is_some() {
                count.set(count.get() + 1);
            }
        });
        view! {
            <Show when=move || is_shown.get()>
                <p node_ref=element></p>
            </Show>
        }
    });
    let mut seen = Vec::new();
    for shown in [false, true, false, true] {
        is_shown.set(shown);
        tick().await;
        let is_connected = element.get_untracked().map(|element| element.is_connected());
        seen.push((is_connected, loads.get()));
    }
    assert_eq!(seen, [(None, 0), (Some(true), 1), (Some(false), 1), (Some(true), 2)]);
}

/// Signals reach the document in a microtask: after the callback that set them, and before the browser lays the frame out.
#[wasm_bindgen_test]
async fn a_height_has_changed_a_tick_after_the_signal_and_in_the_same_frame() {
    let stage = Stage::new();
    let owner = Owner::default();
    let text = owner.with(|| RwSignal::new("one".to_owned()));
    let _mounted = Mounted::new(stage.root(), move || {
        view! {
            <p style:white-space="pre">{move || text.get()}</p>
        }
    });
    let height = || stage.get("p").offset_height();
    next_frame().await;
    let one = height();
    text.set("one\ntwo".to_owned());
    assert_eq!(height(), one, "in the callback that sets the signal");
    tick().await;
    assert_eq!(height(), 2 * one, "in the same frame");
}

/// A store has one lock. A write while any of its fields is read is lost, in debug builds with a warning. The viewer holds no guard
/// across a write: it compares first, then sets. A signal that is written while it is read ends the page: its lock waits for ever on
/// a single thread, which the standard library turns into an abort. No test can go on after that.
#[wasm_bindgen_test]
fn a_write_while_a_field_is_read_is_lost() {
    let owner = Owner::default();
    let store = owner.with(|| Store::new(board("old", ["a", "b"])));
    let title = store.title().read_untracked();
    store.title().set("new".to_owned());
    store.cards().set(Vec::new());
    drop(title);
    assert_eq!(store.title().get_untracked(), "old");
    assert_eq!(store.cards().read_untracked().len(), 2, "another field than the one that is read");
    store.title().with_untracked(|_| store.title().patch("new".to_owned()));
    assert_eq!(store.title().get_untracked(), "old");
    // As the controller does it.
    crate::controller::state::update(store.title(), "new".to_owned());
    assert_eq!(store.title().get_untracked(), "new");
}
