//! What a client sends. What is read can be written, and reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_protocol::json::{decode_request, encode_request};

fuzz_target!(|text: &str| {
    if let Ok(request) = decode_request(text) {
        let written = encode_request(&request);
        assert_eq!(decode_request(&written).expect("what we wrote ourselves"), request);
    }
});
