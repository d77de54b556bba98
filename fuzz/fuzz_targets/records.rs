//! Grouping of lines into records.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::model::{
    level::level_of,
    records::{MAX_RECORD_LINES, RecordGrouper, RecordPlace},
};

fuzz_target!(|text: &str| {
    let (mut grouper, mut again) = (RecordGrouper::default(), RecordGrouper::default());
    let mut lines = 0;
    for line in text.lines() {
        let place = grouper.place(line, level_of(line));
        assert_eq!(place, again.place(line, level_of(line)));
        lines = if place == RecordPlace::Continuation { lines + 1 } else { 1 };
        assert!(lines <= MAX_RECORD_LINES && (lines > 1 || matches!(place, RecordPlace::First(_))));
    }
});
