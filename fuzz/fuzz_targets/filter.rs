//! Filters of application servers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_protocol::filter::{Filter, Subject};

fuzz_target!(|text: &str| {
    if let Ok(filter) = Filter::parse(text) {
        let subject =
            Subject { user_id: Some("ada é"), connection_id: "c1", groups: &["vip", "g"], protocol: None };
        assert_eq!(filter.admits(&subject), filter.admits(&subject));
    }
});
