//! Events of a user, and waiting for the browser.

use std::{cell::Cell, future::Future, rc::Rc};

use gloo_events::EventListener;
use js_sys::Promise;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Element, Event, EventInit, EventTarget, KeyboardEvent, KeyboardEventInit, PointerEvent, PointerEventInit,
    WheelEvent, WheelEventInit,
};

/// Waits for the next animation frame.
pub async fn next_frame() {
    let frame = Promise::new(&mut |resolve, _| {
        web_sys::window().unwrap().request_animation_frame(&resolve).unwrap();
    });
    JsFuture::from(frame).await.unwrap();
}

/// Waits, frame by frame, until a condition holds. Panics when it does not for ten seconds of frames: a test that waits for ever ends
/// the run without a result.
pub async fn frames_until(condition: impl Fn() -> bool) {
    const MAX_FRAMES: usize = 600;
    for _ in 0..MAX_FRAMES {
        if condition() {
            return;
        }
        next_frame().await;
    }
    panic!("the condition does not hold after {MAX_FRAMES} frames");
}

/// Returns a future of the next event of this name. Listens from the call on, not from the first poll.
pub fn next_event(target: &EventTarget, name: &'static str) -> impl Future<Output = ()> + use<> {
    let received = Rc::new(Cell::new(false));
    let is_received = Rc::clone(&received);
    let listener = EventListener::once(target, name, move |_| received.set(true));
    async move {
        frames_until(|| is_received.get()).await;
        drop(listener);
    }
}

/// Sets the value of a field of any kind, and dispatches the event of a user who types.
pub fn enter_text(field: &Element, text: &str) {
    js_sys::Reflect::set(field, &"value".into(), &text.into()).unwrap();
    field.dispatch_event(&bubbling_event("input")).unwrap();
}

/// Returns an event that bubbles and can be cancelled.
pub fn bubbling_event(name: &str) -> Event {
    let init = EventInit::new();
    init.set_bubbles(true);
    init.set_cancelable(true);
    Event::new_with_event_init_dict(name, &init).unwrap()
}

/// Returns the event of a key with its modifiers: `n`, `Shift+End`, `Ctrl+A`.
pub fn key_event(name: &str) -> KeyboardEvent {
    let mut key = name;
    let init = KeyboardEventInit::new();
    while let Some((modifier, rest)) = key.split_once('+').filter(|(_, rest)| !rest.is_empty()) {
        match modifier {
            "Ctrl" => init.set_ctrl_key(true),
            "Alt" => init.set_alt_key(true),
            _ => init.set_shift_key(true),
        }
        key = rest;
    }
    init.set_key(key);
    init.set_bubbles(true);
    init.set_cancelable(true);
    KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap()
}

/// Dispatches the event of a pointer at a share of an element's width.
pub fn point_at(element: &Element, name: &str, share: f64) {
    let area = element.get_bounding_client_rect();
    let init = PointerEventInit::new();
    init.set_client_x((area.left() + share * area.width()) as i32);
    init.set_bubbles(true);
    element.dispatch_event(&PointerEvent::new_with_event_init_dict(name, &init).unwrap()).unwrap();
}

/// Dispatches the event of a wheel that was turned by so many pixels.
pub fn turn_wheel(element: &Element, px: i32) {
    let init = WheelEventInit::new();
    init.set_delta_y(f64::from(px));
    init.set_bubbles(true);
    element.dispatch_event(&WheelEvent::new_with_event_init_dict("wheel", &init).unwrap()).unwrap();
}

/// Whether a popover is open.
pub fn is_open(popover: &Element) -> bool {
    popover.matches(":popover-open").unwrap()
}

/// Returns the value of a field of any kind.
pub fn value(field: &Element) -> String {
    js_sys::Reflect::get(field, &"value".into()).unwrap().unchecked_into::<js_sys::JsString>().into()
}
