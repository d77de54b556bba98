//! The scheduler in a browser.

use std::{cell::Cell, future::ready, rc::Rc};

use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Event;

use super::*;
use crate::test_page::{Stage, next_frame};

/// A scheduler that counts its renders; the first two ask for `outcome`.
fn counting(outcome: RenderOutcome) -> (Scheduler, Rc<Cell<u32>>) {
    let renders = Rc::new(Cell::new(0));
    let counted = Rc::clone(&renders);
    let render: Render = Box::new(move || {
        counted.set(counted.get() + 1);
        Box::pin(ready(if counted.get() < 3 { outcome } else { RenderOutcome::Settled }))
    });
    (scheduler_of(render, Box::new(|| false)), renders)
}

fn scheduler_of(render: Render, search: SearchSlice) -> Scheduler {
    // Mounting anything starts the executor.
    drop(leptos::mount::mount_to(Stage::new().root().clone(), || ()));
    let window = web_sys::window().unwrap();
    let document = window.document().unwrap();
    Scheduler::new(window, document, render, search).unwrap()
}

async fn frames(count: usize) {
    for _ in 0..count {
        next_frame().await;
    }
}

#[wasm_bindgen_test]
async fn a_thousand_requests_are_one_render() {
    let (scheduler, renders) = counting(RenderOutcome::Settled);
    for _ in 0..1_000 {
        scheduler.request_render(Urgency::Immediate);
    }
    assert_eq!(renders.get(), 0);
    frames(2).await;
    assert_eq!(renders.get(), 1);
}

#[wasm_bindgen_test]
async fn a_render_may_ask_for_the_next_one() {
    let (scheduler, renders) = counting(RenderOutcome::Again(Urgency::Immediate));
    scheduler.request_render(Urgency::Immediate);
    frames(6).await;
    assert_eq!(renders.get(), 3);
}

#[wasm_bindgen_test]
async fn the_search_goes_on_between_frames_until_it_has_finished() {
    let (slices, renders) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let render: Render = {
        let (slices, renders) = (Rc::clone(&slices), Rc::clone(&renders));
        Box::new(move || {
            renders.set(renders.get() + 1);
            let is_searching = slices.get() < 100;
            Box::pin(ready(if is_searching {
                RenderOutcome::Again(Urgency::Immediate)
            } else {
                RenderOutcome::Settled
            }))
        })
    };
    let search: SearchSlice = {
        let slices = Rc::clone(&slices);
        Box::new(move || {
            slices.set(slices.get() + 1);
            slices.get() < 100
        })
    };
    let scheduler = scheduler_of(render, search);
    scheduler.request_render(Urgency::Immediate);
    while slices.get() < 100 {
        next_frame().await;
    }
    frames(4).await;
    assert_eq!(slices.get(), 100, "nothing is searched unasked");
    // A hundred timers would take half a second.
    assert!((2..=20).contains(&renders.get()), "{}", renders.get());
}

#[wasm_bindgen_test]
async fn nothing_is_rendered_or_searched_after_the_scheduler_is_dropped() {
    let (scheduler, renders) = counting(RenderOutcome::Settled);
    scheduler.request_render(Urgency::Immediate);
    drop(scheduler);
    frames(2).await;
    assert_eq!(renders.get(), 0);

    let slices = Rc::new(Cell::new(0));
    let counted = Rc::clone(&slices);
    let search: SearchSlice = Box::new(move || {
        counted.set(counted.get() + 1);
        true
    });
    let scheduler = scheduler_of(Box::new(|| Box::pin(ready(RenderOutcome::Settled))), search);
    scheduler.request_search();
    while slices.get() < 3 {
        next_frame().await;
    }
    drop(scheduler);
    let before = slices.get();
    frames(2).await;
    assert_eq!(slices.get(), before);
}

#[wasm_bindgen_test]
async fn a_page_in_the_background_waits_and_is_rendered_once_on_return() {
    let (scheduler, renders) = counting(RenderOutcome::Settled);
    set_hidden(true);
    scheduler.request_render(Urgency::Immediate);
    frames(3).await;
    assert_eq!(renders.get(), 0);
    set_hidden(false);
    frames(2).await;
    assert_eq!(renders.get(), 1);
}

/// Makes the document report that its tab was left, or returned to.
fn set_hidden(hidden: bool) {
    let document = web_sys::window().unwrap().document().unwrap();
    let property = js_sys::Object::new();
    js_sys::Reflect::set(&property, &"value".into(), &hidden.into()).unwrap();
    js_sys::Reflect::set(&property, &"configurable".into(), &true.into()).unwrap();
    js_sys::Object::define_property(document.as_ref(), &"hidden".into(), &property);
    document.dispatch_event(&Event::new("visibilitychange").unwrap()).unwrap();
}
