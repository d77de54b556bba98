//! Bytes of a client after the handshake: the same messages however the bytes are cut, and no more memory than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webpubsub_websocket::{MessageError, MessageReader, ReceivedMessage, utf8::from_utf8};

/// Limit of the readers, which short inputs exceed.
const LIMIT: usize = 1000;

type Message = (ReceivedMessage, Vec<u8>);

/// Reads the messages, and the close code of the error after them. A text is validated, as a server does.
fn read(chunks: &[&[u8]]) -> Vec<Result<Message, u16>> {
    let mut reader = MessageReader::new(LIMIT);
    let mut messages = Vec::new();
    for chunk in chunks {
        reader.reserve(chunk.len()).extend_from_slice(chunk);
        while let Some(message) = next(&mut reader).transpose() {
            let is_over = message.is_err();
            messages.push(message.map_err(MessageError::close_code));
            if is_over {
                return messages;
            }
        }
    }
    messages
}

fn next(reader: &mut MessageReader) -> Result<Option<Message>, MessageError> {
    let Some(message) = reader.next_message()? else { return Ok(None) };
    if message == ReceivedMessage::Text {
        from_utf8(reader.payload())?;
    }
    Ok(Some((message, reader.payload().to_vec())))
}

fuzz_target!(|data: (u16, &[u8])| {
    let (cut, bytes) = data;
    let whole = read(&[bytes]);
    let (front, back) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(read(&[front, back]), whole);
    for (_, payload) in whole.into_iter().flatten() {
        assert!(payload.len() <= LIMIT);
    }
});
