//! The time since the client started, sleep included.

use std::{cell::Cell, time::Duration};

use crate::moment::Moment;

/// The browser's monotonic clock stands still on some systems while the device sleeps; the wall clock does not, and may
/// be set. Whichever is further ahead counts, so that a sleep is seen, and the time never runs backwards.
pub(super) struct Clock {
    started_at_ms: f64,
    wall_start_ms: f64,
    latest_ms: Cell<f64>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { started_at_ms: monotonic_ms(), wall_start_ms: js_sys::Date::now(), latest_ms: Cell::new(0.0) }
    }

    pub(super) fn now(&self) -> Moment {
        let elapsed = monotonic_ms() - self.started_at_ms;
        let by_wall = js_sys::Date::now() - self.wall_start_ms;
        let latest = self.latest_ms.get().max(elapsed).max(by_wall);
        self.latest_ms.set(latest);
        Moment::after_start(Duration::from_secs_f64(latest / 1000.0))
    }
}

fn monotonic_ms() -> f64 {
    js_sys::Reflect::get(&js_sys::global(), &"performance".into())
        .ok()
        .and_then(|performance| wasm_bindgen::JsCast::dyn_into::<web_sys::Performance>(performance).ok())
        .map_or_else(js_sys::Date::now, |performance| performance.now())
}
