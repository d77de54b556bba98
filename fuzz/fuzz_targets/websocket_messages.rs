//! Bytes of a client after the handshake: the same messages however the bytes are cut, and no more memory than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_hub::websocket::message_reader::{MAX_MESSAGE_BYTES, MessageReader, ReceivedMessage};

fn read(chunks: &[&[u8]]) -> Vec<Result<(ReceivedMessage, Vec<u8>), u16>> {
    let mut reader = MessageReader::default();
    let mut messages = Vec::new();
    for chunk in chunks {
        reader.reserve(chunk.len()).extend_from_slice(chunk);
        loop {
            match reader.next_message() {
                Ok(None) => break,
                Ok(Some(message)) => messages.push(Ok((message, reader.payload().to_vec()))),
                Err(close) => {
                    messages.push(Err(close.code));
                    return messages;
                }
            }
        }
    }
    messages
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
