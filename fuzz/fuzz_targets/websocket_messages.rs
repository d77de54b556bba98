//! Bytes of a client after the handshake: the same messages however the bytes are cut, and no more memory than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_hub::websocket::message_reader::{Arrival, MAX_MESSAGE_BYTES, MessageReader};

fn read(chunks: &[&[u8]]) -> Vec<Result<(Arrival, Vec<u8>), u16>> {
    let mut reader = MessageReader::default();
    let mut arrivals = Vec::new();
    for chunk in chunks {
        reader.space(chunk.len()).extend_from_slice(chunk);
        loop {
            match reader.next_arrival() {
                Ok(None) => break,
                Ok(Some(arrival)) => arrivals.push(Ok((arrival, reader.payload().to_vec()))),
                Err(close) => {
                    arrivals.push(Err(close.code));
                    return arrivals;
                }
            }
        }
    }
    arrivals
}

fuzz_target!(|data: (u16, &[u8])| {
    let (cut, bytes) = data;
    let whole = read(&[bytes]);
    let (front, back) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(read(&[front, back]), whole);
    for (_, payload) in whole.into_iter().flatten() {
        assert!(payload.len() <= MAX_MESSAGE_BYTES);
    }
});
