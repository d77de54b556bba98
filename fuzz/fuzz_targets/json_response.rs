//! What a service sends. What is read can be written, and reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_protocol::json::{decode_response, encode_response};

fuzz_target!(|text: &str| {
    if let Ok(Some(response)) = decode_response(text) {
        let written = encode_response(&response);
        assert_eq!(decode_response(&written).expect("what we wrote ourselves"), Some(response));
    }
});
