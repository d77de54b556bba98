//! The browser's clocks.

use js_sys::Date;

use crate::model::local_time::LocalTime;

/// The reader's time.
#[must_use]
pub fn local_time() -> LocalTime {
    LocalTime { unix_ms: Date::now(), offset_minutes: offset_minutes() }
}

/// Minutes by which the reader's clocks are ahead of UTC.
#[must_use]
pub fn offset_minutes() -> i32 {
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
