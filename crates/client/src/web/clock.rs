//! The time since the client started, sleep included.

use std::{cell::Cell, time::Duration};

use wasm_bindgen::JsCast;
use web_sys::Performance;

use crate::moment::Moment;

/// The browser's monotonic clock stands still on some systems while the device sleeps; the wall clock does not, and may
/// be set. Whichever is further ahead counts, so that a sleep is seen, and the time never runs backwards.
pub(super) struct Clock {
    /// `None` where there is no such clock: then the wall clock alone counts. Kept, because looking it up anew costs more
    /// than asking it, and every frame asks.
    monotonic: Option<Performance>,
    started_at_ms: f64,
    wall_start_ms: f64,
    latest_ms: Cell<f64>,
}

impl Clock {
    pub(super) fn start() -> Self {
        let monotonic = js_sys::Reflect::get(&js_sys::global(), &"performance".into())
            .ok()
            .and_then(|performance| performance.dyn_into::<Performance>().ok());
        let started_at_ms = monotonic.as_ref().map_or(0.0, Performance::now);
        Self { monotonic, started_at_ms, wall_start_ms: js_sys::Date::now(), latest_ms: Cell::new(0.0) }
    }

    pub(super) fn now(&self) -> Moment {
        let elapsed = self.monotonic.as_ref().map_or(0.0, |clock| clock.now() - self.started_at_ms);
        let by_wall = js_sys::Date::now() - self.wall_start_ms;
        let latest = self.latest_ms.get().max(elapsed).max(by_wall);
        self.latest_ms.set(latest);
        Moment::after_start(Duration::from_secs_f64(latest / 1000.0))
    }
}
