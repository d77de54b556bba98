//! Access tokens and connection strings, before anything is known about who sent them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_protocol::{
    connection_string::{AccessKey, ConnectionString},
    token::{UnixTime, audience, verify},
};

fuzz_target!(|text: &str| {
    let key = AccessKey::new("a-key-for-fuzzing-of-32-or-more-bytes").expect("a good key");
    if let Ok(claims) = verify(text, &[key], UnixTime(1_795_457_426)) {
        std::hint::black_box(audience::is_for_target(&claims, Some("h"), "/api/hubs/h/:send"));
    }
    if let Ok(connection_string) = ConnectionString::parse(text) {
        let again = ConnectionString::parse(&connection_string.reveal()).expect("what we wrote ourselves");
        assert_eq!(again, connection_string);
    }
});
