//! The browser's clocks.

use std::cell::Cell;

use js_sys::Date;

use crate::model::local_time::LocalTime;

/// The reader's time.
#[must_use]
pub fn local_time() -> LocalTime {
    LocalTime { unix_ms: Date::now(), offset_minutes: offset_minutes() }
}

/// Minutes by which the reader's clocks are ahead of UTC. Asked with every message, so it is found out once a minute:
/// clocks are put forward and back on the minute.
#[must_use]
pub fn offset_minutes() -> i32 {
    thread_local! {
        static FOUND: Cell<(f64, i32)> = const { Cell::new((f64::NAN, 0)) };
    }
    let minute = (Date::now() / 60_000.0).floor();
    let (found_in, mut offset) = FOUND.get();
    if found_in.total_cmp(&minute).is_ne() {
        offset = find_offset_minutes();
        FOUND.set((minute, offset));
    }
    offset
}

fn find_offset_minutes() -> i32 {
    // The browser says how far UTC is ahead, in whole minutes of less than a day.
    #[allow(clippy::cast_possible_truncation)]
    let behind = Date::new_0().get_timezone_offset() as i32;
    -behind
}

/// Milliseconds of a clock that never jumps, from some moment on.
#[must_use]
pub fn steady_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or_else(Date::now, |clock| clock.now())
}
