//! The browser's clocks.

use std::cell::Cell;

use js_sys::Date;

use crate::model::local_time::LocalTime;

/// Returns the user's local time.
#[must_use]
pub fn local_time() -> LocalTime {
    LocalTime { unix_ms: Date::now(), offset_minutes: offset_minutes() }
}

/// Returns the offset of the user's time zone from UTC, in minutes, positive to the east.
///
/// It is needed for every message, and the browser is asked once a minute: daylight saving time begins and ends on the minute.
#[must_use]
pub fn offset_minutes() -> i32 {
    thread_local! {
        static CACHED: Cell<(f64, i32)> = const { Cell::new((f64::NAN, 0)) };
    }
    let minute = (Date::now() / 60_000.0).floor();
    let (cached_minute, mut offset) = CACHED.get();
    if cached_minute.total_cmp(&minute).is_ne() {
        offset = current_offset_minutes();
        CACHED.set((minute, offset));
    }
    offset
}

fn current_offset_minutes() -> i32 {
    // Whole minutes of less than a day, with the opposite sign.
    #[allow(clippy::cast_possible_truncation)]
    let behind = Date::new_0().get_timezone_offset() as i32;
    -behind
}

/// Returns the milliseconds of a clock that is never set back.
#[must_use]
pub fn monotonic_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or_else(Date::now, |clock| clock.now())
}
