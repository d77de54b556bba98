//! The driver of the [`RenderSchedule`]: carries out its actions with animation frames, idle callbacks and timers.
//!
//! One closure for each of them serves the viewer's whole life: the browser frees a closure that is handed over only when it
//! collects garbage, and a flood would leave thousands behind.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::{Rc, Weak},
};

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, MessageChannel, Window};

use super::clock::monotonic_ms;
use crate::model::render_schedule::{Actions, RenderOutcome, RenderSchedule, Urgency};

/// Renders, and returns what is to follow. Ends within the frame: it waits for microtasks only.
pub type Render = Box<dyn Fn() -> Pin<Box<dyn Future<Output = RenderOutcome>>>>;
/// Does a slice of the search. Returns whether more remains.
pub type SearchSlice = Box<dyn Fn() -> bool>;

/// See the [module](self). Cancels what is pending when it is dropped.
pub struct Scheduler {
    inner: Rc<Inner>,
    _visibility: EventListener,
}

struct Inner {
    window: Window,
    document: Document,
    schedule: RefCell<RenderSchedule>,
    render: Render,
    search: SearchSlice,
    frame_id: Cell<Option<i32>>,
    background_timer: Cell<Option<Timeout>>,
    wake_up: Cell<Option<Timeout>>,
    /// A message to itself arrives after whatever is more urgent to the browser, without the minimum delay of timers and in
    /// every browser; `requestIdleCallback` is missing in Safari.
    idle: MessageChannel,
    on_frame: Closure<dyn FnMut(f64)>,
    on_idle: Closure<dyn FnMut()>,
}

#[cfg(test)]
thread_local! {
    /// Number of schedulers with a pending render.
    pub static PENDING: Cell<i32> = const { Cell::new(0) };
}

impl Scheduler {
    /// Returns a scheduler of `render` and `search`.
    ///
    /// # Errors
    /// The browser's error when it has no message channels.
    pub fn new(
        window: Window,
        document: Document,
        render: Render,
        search: SearchSlice,
    ) -> Result<Self, JsValue> {
        let idle = MessageChannel::new()?;
        let inner = Rc::new_cyclic(|weak: &Weak<Inner>| {
            let (frame, idle_callback) = (weak.clone(), weak.clone());
            Inner {
                schedule: RefCell::new(RenderSchedule::new(document.hidden())),
                window,
                document,
                render,
                search,
                frame_id: Cell::new(None),
                background_timer: Cell::new(None),
                wake_up: Cell::new(None),
                idle,
                on_frame: Closure::new(move |_| {
                    if let Some(inner) = frame.upgrade() {
                        inner.frame();
                    }
                }),
                on_idle: Closure::new(move || {
                    if let Some(inner) = idle_callback.upgrade() {
                        inner.step(RenderSchedule::idle);
                    }
                }),
            }
        });
        inner.idle.port1().set_onmessage(Some(inner.on_idle.as_ref().unchecked_ref()));
        let weak = Rc::downgrade(&inner);
        let visibility = EventListener::new(&inner.document, "visibilitychange", move |_| {
            if let Some(inner) = weak.upgrade() {
                let is_in_background = inner.document.hidden();
                inner.step(|schedule| schedule.visibility_changed(is_in_background));
            }
        });
        Ok(Self { inner, _visibility: visibility })
    }

    /// Requests a render.
    pub fn request_render(&self, urgency: Urgency) {
        self.inner.step(|schedule| schedule.request_render(urgency));
    }

    /// Requests a slice of the search.
    pub fn request_search(&self) {
        self.inner.step(RenderSchedule::request_search);
    }
}

impl Inner {
    fn frame(self: &Rc<Self>) {
        self.frame_id.set(None);
        self.background_timer.set(None);
        let now_ms = monotonic_ms();
        self.step(|schedule| schedule.frame(now_ms));
    }

    /// Lets the schedule handle something, and carries out what follows.
    fn step(self: &Rc<Self>, handle: impl FnOnce(&mut RenderSchedule) -> Actions) {
        #[cfg(test)]
        let was_pending = self.schedule.borrow().is_render_pending();
        let actions = handle(&mut self.schedule.borrow_mut());
        #[cfg(test)]
        {
            let is_pending = self.schedule.borrow().is_render_pending();
            PENDING.set(PENDING.get() + i32::from(is_pending) - i32::from(was_pending));
        }
        self.carry_out(actions);
    }

    fn carry_out(self: &Rc<Self>, actions: Actions) {
        if actions.cancel_frame {
            self.cancel_frame();
        }
        if actions.request_frame {
            let requested = self.window.request_animation_frame(self.on_frame.as_ref().unchecked_ref());
            self.frame_id.set(requested.ok());
        }
        if let Some(ms) = actions.set_background_timer {
            self.background_timer.set(Some(self.timer(ms, Self::frame)));
        }
        if let Some(ms) = actions.set_wake_up {
            self.wake_up.set(Some(self.timer(ms, |inner| inner.step(RenderSchedule::woken))));
        }
        if actions.request_idle
            && let Err(error) = self.idle.port2().post_message(&JsValue::NULL)
        {
            leptos::logging::error!("the search cannot go on: {error:?}");
        }
        if actions.search {
            let has_more = (self.search)();
            self.step(|schedule| schedule.searched(has_more));
        }
        if actions.render {
            self.start_render();
        }
    }

    fn start_render(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let from_ms = monotonic_ms();
        let render = (self.render)();
        spawn_local(async move {
            let outcome = render.await;
            if let Some(inner) = weak.upgrade() {
                inner.step(|schedule| schedule.rendered(from_ms, monotonic_ms(), outcome));
            }
        });
    }

    fn timer(self: &Rc<Self>, ms: f64, on_timeout: impl FnOnce(&Rc<Self>) + 'static) -> Timeout {
        let weak = Rc::downgrade(self);
        // Delays of a few seconds.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let ms = ms.ceil() as u32;
        Timeout::new(ms, move || {
            if let Some(inner) = weak.upgrade() {
                on_timeout(&inner);
            }
        })
    }

    fn cancel_frame(&self) {
        self.background_timer.set(None);
        if let Some(id) = self.frame_id.take()
            && let Err(error) = self.window.cancel_animation_frame(id)
        {
            leptos::logging::error!("an animation frame cannot be cancelled: {error:?}");
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.inner.cancel_frame();
        // A message that was posted already may still arrive after the port is closed.
        self.inner.idle.port1().set_onmessage(None);
        self.inner.idle.port1().close();
        self.inner.wake_up.set(None);
        #[cfg(test)]
        if self.inner.schedule.borrow().is_render_pending() {
            PENDING.set(PENDING.get() - 1);
        }
    }
}

#[cfg(test)]
mod tests;
