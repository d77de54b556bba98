//! Viewers that are removed: nothing of them stays alive, and nothing fails.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use gloo_events::EventListener;
use leptos::{prelude::*, task::tick};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    browser::scheduler::PENDING,
    controller::{WeakController, rows::RowPool, state::ViewerStateStoreFields},
    model::line_store::StoreLimits,
    test_page::{TestPage, clear_storage, document, enter_text, frames_until, next_frame, numbered},
};

/// Viewers that are mounted and removed, in batches: the browser frees closures in tasks of its own.
const BATCHES: usize = 4;
const BATCH: usize = 50;

/// What exists outside of viewers, and errors that no one has caught.
struct Surroundings {
    elements: u32,
    pending: i32,
    errors: Rc<Cell<u32>>,
    _listeners: [EventListener; 2],
}

impl Surroundings {
    fn observe() -> Self {
        let errors = Rc::new(Cell::new(0));
        let window = web_sys::window().unwrap();
        let listeners = ["error", "unhandledrejection"].map(|name| {
            let errors = Rc::clone(&errors);
            EventListener::new(&window, name, move |_| errors.set(errors.get() + 1))
        });
        Self { elements: elements(), pending: PENDING.get(), errors, _listeners: listeners }
    }

    /// Waits for what a removed viewer may have started, then asserts that nothing is left of it.
    async fn assert_unchanged(&self) {
        for _ in 0..3 {
            next_frame().await;
        }
        assert_eq!(self.errors.get(), 0, "an error was not caught");
        assert_eq!(PENDING.get(), self.pending, "a scheduler is pending");
        assert_eq!(elements(), self.elements, "elements are left");
    }
}

fn elements() -> u32 {
    document().query_selector_all("body *").unwrap().length()
}

/// What a viewer leaves behind, if anything.
struct Remains {
    running: Rc<()>,
    controller: WeakController,
}

impl Remains {
    fn of(page: &TestPage) -> Self {
        assert!(page.controller().upgrade().is_some());
        Self { running: page.running(), controller: page.controller() }
    }

    fn assert_nothing(&self) {
        assert_eq!(Rc::strong_count(&self.running), 1, "a client is running");
        assert_eq!(self.controller.strong_count(), 0, "the controller is alive");
    }
}

/// Returns a connected viewer with lines, which are not rendered yet.
fn viewer() -> TestPage {
    let page = TestPage::mounted("http://h/?publish&group=stream", StoreLimits::default());
    page.connect();
    page.receive(numbered(1..=200));
    page
}

#[wasm_bindgen_test]
async fn viewers_that_are_mounted_and_removed_leave_nothing_behind() {
    let surroundings = Surroundings::observe();
    for _ in 0..BATCHES {
        for number in 0..BATCH {
            let page = viewer();
            let remains = Remains::of(&page);
            // Most are removed before their first render, some a tick later, a few after it.
            match number % 10 {
                0 => page.rendered().await,
                1..5 => tick().await,
                _ => {}
            }
            drop(page);
            remains.assert_nothing();
        }
        surroundings.assert_unchanged().await;
    }
}

#[wasm_bindgen_test]
async fn a_viewer_is_removed_right_after_it_has_requested_a_render() {
    let surroundings = Surroundings::observe();
    let page = viewer();
    page.rendered().await;
    let remains = Remains::of(&page);
    page.receive("requests a render");
    assert!(PENDING.get() > surroundings.pending);
    drop(page);
    remains.assert_nothing();
    surroundings.assert_unchanged().await;
}

#[wasm_bindgen_test]
async fn a_viewer_is_removed_between_two_frames_while_it_searches() {
    let surroundings = Surroundings::observe();
    let page = viewer();
    page.receive(format!("{}\n", "x".repeat(50_000)).repeat(200));
    page.click("#regex").await;
    let remains = Remains::of(&page);
    enter_text(&page.get("#find input"), "[yz]");
    next_frame().await;
    assert_eq!(page.attribute("#find", "data-counting"), "true");
    assert!(PENDING.get() > surroundings.pending);
    drop(page);
    remains.assert_nothing();
    surroundings.assert_unchanged().await;
}

/// Removes a viewer when `track` changes: in a microtask, while a render waits for the document.
async fn remove_in_render(track: fn(&RowPool, &TestPage)) {
    let surroundings = Surroundings::observe();
    let page = viewer();
    let remains = Remains::of(&page);
    let controller = page.controller();
    let (removed, removal) = (Rc::new(Cell::new(false)), Owner::default());
    let (page, has_removed) = (RefCell::new(Some(page)), Rc::clone(&removed));
    removal.with(|| {
        Effect::new(move |is_later: Option<()>| {
            if is_later.is_some() {
                has_removed.set(page.take().is_some());
            } else if let (Some(page), Some(controller)) = (&*page.borrow(), controller.upgrade()) {
                track(controller.rows(), page);
            }
        });
    });
    frames_until(|| removed.get()).await;
    removal.cleanup();
    remains.assert_nothing();
    surroundings.assert_unchanged().await;
}

#[wasm_bindgen_test]
async fn a_viewer_is_removed_while_a_render_waits_for_more_rows() {
    remove_in_render(|rows, _| rows.size.track()).await;
}

#[wasm_bindgen_test]
async fn a_viewer_is_removed_while_a_render_waits_for_its_state() {
    remove_in_render(|_, page| {
        let controller = page.controller().upgrade().unwrap();
        controller.state().counts().track();
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_viewer_is_removed_by_a_listener_of_the_host_page() {
    let surroundings = Surroundings::observe();
    let page = viewer();
    page.rendered().await;
    let (remains, button) = (Remains::of(&page), page.get("#wrap"));
    let page = RefCell::new(Some(page));
    let _listener = EventListener::once(&document(), "click", move |_| drop(page.take()));
    // The viewer handles the click first.
    button.click();
    remains.assert_nothing();
    surroundings.assert_unchanged().await;
    clear_storage();
}
