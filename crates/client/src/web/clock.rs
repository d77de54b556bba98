//! The time since the client started, sleep included.

use std::{cell::Cell, time::Duration};

use wasm_bindgen::JsCast;
use web_sys::Performance;

use crate::moment::Moment;

/// Goes by the wall clock, which goes on while the device sleeps and costs next to nothing to ask; every frame asks. The
/// browser's monotonic clock stands still on some systems during sleep, but cannot be set: it says how much time passed when
/// the wall clock was set back. One that was set forward looks like a sleep, after which a connection is looked after.
pub(super) struct Clock {
    /// `None` where there is no such clock: then a wall clock that was set back counts as no time at all.
    monotonic: Option<Performance>,
    started_at_ms: f64,
    reading: Cell<Reading>,
}

/// Reading of the wall clock, and the time since the start.
#[derive(Clone, Copy)]
struct Reading {
    wall_ms: f64,
    elapsed_ms: f64,
}

impl Reading {
    /// The reading after this one. Time never runs backwards.
    fn next(self, wall_ms: f64, monotonic_ms: impl FnOnce() -> f64) -> Self {
        let passed_ms = wall_ms - self.wall_ms;
        let elapsed_ms =
            if passed_ms >= 0.0 { self.elapsed_ms + passed_ms } else { self.elapsed_ms.max(monotonic_ms()) };
        Self { wall_ms, elapsed_ms }
    }
}

impl Clock {
    pub(super) fn start() -> Self {
        let monotonic = js_sys::Reflect::get(&js_sys::global(), &"performance".into())
            .ok()
            .and_then(|performance| performance.dyn_into::<Performance>().ok());
        let started_at_ms = monotonic.as_ref().map_or(0.0, Performance::now);
        let reading = Reading { wall_ms: js_sys::Date::now(), elapsed_ms: 0.0 };
        Self { monotonic, started_at_ms, reading: Cell::new(reading) }
    }

    pub(super) fn now(&self) -> Moment {
        let reading = self.reading.get().next(js_sys::Date::now(), || {
            self.monotonic.as_ref().map_or(0.0, |clock| clock.now() - self.started_at_ms)
        });
        self.reading.set(reading);
        Moment::after_start(Duration::from_secs_f64(reading.elapsed_ms / 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn a_sleep_counts_and_a_clock_that_is_set_back_loses_no_time() {
        let unasked = || -> f64 { panic!("the wall clock went on") };
        let slept = Reading { wall_ms: 1_000.0, elapsed_ms: 0.0 }.next(61_000.0, unasked);
        assert_eq!(slept.elapsed_ms, 60_000.0);
        // The monotonic clock slept, too: time stands still for a moment, and then goes on.
        let set_back = slept.next(5_000.0, || 2_000.0);
        assert_eq!(set_back.elapsed_ms, 60_000.0);
        let set_back_again = set_back.next(0.0, || 61_500.0);
        assert_eq!(set_back_again.elapsed_ms, 61_500.0);
        assert_eq!(set_back_again.next(10.0, unasked).elapsed_ms, 61_510.0);
    }
}
