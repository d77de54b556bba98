//! The binary form, both ways. What is read can be written, and reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_protocol::protobuf::{decode_request, decode_response, encode_request};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = decode_request(bytes) {
        assert_eq!(decode_request(&encode_request(&request)).expect("what we wrote ourselves"), request);
    }
    drop(decode_response(bytes));
});
