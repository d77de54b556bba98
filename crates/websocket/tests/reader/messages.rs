//! Joining, counting and limits of messages, and properties of arbitrary ones.

use proptest::{collection::vec, prelude::*};
use webpubsub_websocket::{MessageError, MessageReader, ReceivedMessage};

use crate::{
    client_frames::{binary, binary_start, end, fragmented, part, ping, text},
    reading::{Delivery, Event, events},
};

#[test]
fn whole_frames_behind_a_message_are_counted() {
    let bytes = [binary(b"one"), binary(&[2; 300]), ping(b"?"), binary(b"cut")].concat();
    let mut reader = MessageReader::new(1000);
    reader.reserve(0).extend_from_slice(bytes.get(..bytes.len() - 1).unwrap());
    for behind in [2, 1, 0] {
        assert!(reader.next_message().unwrap().is_some());
        assert_eq!(reader.frames_behind(), behind);
    }
    assert!(reader.next_message().unwrap().is_none());
    reader.reserve(0).extend_from_slice(bytes.last_chunk::<1>().unwrap());
    assert_eq!((reader.next_message().unwrap(), reader.frames_behind()), (Some(ReceivedMessage::Binary), 0));
}

#[test]
fn messages_beyond_the_size_limit_are_rejected() {
    let limit = 1000;
    let read = |frames: &[Vec<u8>]| {
        let mut reader = MessageReader::new(limit);
        reader.reserve(0).extend_from_slice(&frames.concat());
        reader.next_message().map(|received| received.map(|_| reader.payload().len()))
    };
    let too_large = Err(MessageError::TooLarge { limit });
    let full = vec![7; limit];
    assert_eq!(read(&[binary(&full)]), Ok(Some(limit)));
    assert_eq!(read(&[binary(&[&full[..], b"1"].concat())]), too_large);
    assert_eq!(read(&[binary_start(&full), part(b""), end(b"")]), Ok(Some(limit)));
    assert_eq!(read(&[binary_start(&full), end(b"1")]), too_large);
}

#[test]
fn an_excessive_length_is_rejected_before_memory_is_allocated() {
    let mut reader = MessageReader::new(1000);
    reader.reserve(0).extend_from_slice(b"\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0");
    assert_eq!(reader.next_message(), Err(MessageError::TooLarge { limit: 1000 }));
    assert!(reader.memory() < 1000, "{}", reader.memory());
}

#[test]
fn a_frame_out_of_order_is_rejected_by_its_header() {
    let header = |frame: Vec<u8>| frame.get(..6).unwrap().to_vec();
    let mut reader = MessageReader::new(1000);
    reader.reserve(0).extend_from_slice(&header(part(b"payload")));
    assert_eq!(reader.next_message(), Err(MessageError::UnexpectedContinuation));
    let mut reader = MessageReader::new(1000);
    reader.reserve(0).extend_from_slice(&[binary_start(b"a"), header(text(b"payload"))].concat());
    assert_eq!(reader.next_message(), Err(MessageError::UnfinishedMessage));
}

/// A message in fragments, with a ping between them.
#[derive(Debug, Clone)]
struct AnyMessage {
    is_text: bool,
    payload: Vec<u8>,
    fragment_size: usize,
    has_ping: bool,
}

impl AnyMessage {
    fn frames(&self) -> Vec<Vec<u8>> {
        let mut frames = match (self.payload.is_empty(), self.is_text) {
            (true, true) => vec![text(b"")],
            (true, false) => vec![binary(b"")],
            (false, is_text) => fragmented(is_text, &self.payload, self.fragment_size),
        };
        if self.has_ping {
            frames.insert(frames.len() / 2, ping(b"?"));
        }
        frames
    }

    fn events(&self) -> Vec<Event> {
        let payload = self.payload.clone();
        let message = if self.is_text { Event::Text(payload) } else { Event::Binary(payload) };
        let ping = self.has_ping.then(|| Event::Ping(b"?".to_vec()));
        ping.into_iter().chain([message]).collect()
    }
}

fn any_message() -> impl Strategy<Value = AnyMessage> {
    let text = ".{0,100}".prop_map(|text| (true, text.into_bytes()));
    let payload = prop_oneof![text, vec(any::<u8>(), 0..300).prop_map(|bytes| (false, bytes))];
    (payload, 1..200_usize, any::<bool>()).prop_map(|((is_text, payload), fragment_size, has_ping)| {
        AnyMessage { is_text, payload, fragment_size, has_ping }
    })
}

proptest! {
    #[test]
    fn messages_do_not_depend_on_the_boundaries_of_reads(messages in vec(any_message(), 0..6), size in 1..100_usize) {
        let frames: Vec<_> = messages.iter().flat_map(AnyMessage::frames).collect();
        let expected: Vec<_> = messages.iter().flat_map(AnyMessage::events).collect();
        for delivery in [Delivery::AtOnce, Delivery::FrameByFrame, Delivery::Pieces(size)] {
            prop_assert_eq!(&events(&frames, delivery), &expected);
        }
    }

    #[test]
    fn invalid_text_is_rejected_wherever_it_is_cut(
        text in "\\PC{0,20}", at in any::<prop::sample::Index>(), fragment_size in 1..30_usize, size in 1..30_usize,
    ) {
        let mut payload = text.into_bytes();
        payload.insert(at.index(payload.len() + 1), 0xFF);
        let frames = fragmented(true, &payload, fragment_size);
        for delivery in [Delivery::AtOnce, Delivery::Pieces(size)] {
            prop_assert_eq!(events(&frames, delivery), [Event::Failed(1007)]);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_make_the_reader_panic(bytes in any::<Vec<u8>>(), size in 1..20_usize) {
        drop(events(&[bytes], Delivery::Pieces(size)));
    }
}
