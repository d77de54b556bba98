//! Binary form of history responses: records, each behind its length.
//!
//! A record is one of `head = 1`, `message = 2`, `end = 3`.

use super::{
    MalformedMessage, append_response, decode_response,
    schema::{Record, RecordMessage},
    wire::{Message, put_bytes, put_message, put_number_unless_0, put_varint, varint},
};
use crate::history::{
    HistoryEnd, HistoryHead, HistoryMessage, HistoryPosition, HistoryRecord, MAX_RECORD_BYTES, MessageNumber,
};

/// Appends a record behind its length. User ids are left out, as in the binary form of messages.
pub fn append_record(out: &mut Vec<u8>, record: &HistoryRecord<'_>) {
    let mut bytes = Vec::new();
    match record {
        HistoryRecord::Head(HistoryHead { run_id, oldest, next }) => put_message(&mut bytes, 1, |head| {
            put_bytes(head, 1, run_id.as_bytes());
            put_number_unless_0(head, 2, next.message);
            put_number_unless_0(head, 3, next.line);
            if let Some(HistoryPosition { sequence_id, number }) = oldest {
                put_message(head, 4, |oldest| {
                    put_number_unless_0(oldest, 1, *sequence_id);
                    put_number_unless_0(oldest, 2, number.message);
                    put_number_unless_0(oldest, 3, number.line);
                });
            }
        }),
        HistoryRecord::Message(HistoryMessage { message, published_ms, number }) => {
            put_message(&mut bytes, 2, |record| {
                put_number_unless_0(record, 1, *published_ms);
                put_number_unless_0(record, 2, number.message);
                put_number_unless_0(record, 3, number.line);
                put_message(record, 4, |frame| append_response(frame, message));
            });
        }
        HistoryRecord::End(HistoryEnd { sequence_id }) => {
            put_message(&mut bytes, 3, |end| put_number_unless_0(end, 1, *sequence_id));
        }
    }
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(&bytes);
}

/// Splits the first record off `bytes`; `None` if it is incomplete.
///
/// # Errors
/// [`MalformedMessage`] if its length is invalid, or exceeds [`MAX_RECORD_BYTES`].
pub fn split_record<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, MalformedMessage> {
    const LONGEST: usize = 10;
    let mut rest = *bytes;
    let len = match varint(&mut rest) {
        Ok(len) => len,
        Err(_) if bytes.len() < LONGEST && bytes.iter().all(|byte| byte & 0x80 != 0) => return Ok(None),
        Err(error) => return Err(error),
    };
    let len = usize::try_from(len).ok().filter(|len| *len <= MAX_RECORD_BYTES);
    let len = len.ok_or(MalformedMessage::Wire("a record that is too long"))?;
    Ok(rest.split_at_checked(len).map(|(record, rest)| {
        *bytes = rest;
        record
    }))
}

/// Decodes a record; `None` for a kind that this version does not know.
///
/// # Errors
/// [`MalformedMessage`] if the record is not one of the schema.
pub fn decode_record(record: &[u8]) -> Result<Option<HistoryRecord<'_>>, MalformedMessage> {
    let Record { head, message, end, .. } = Record::read(record)?;
    if let Some(head) = head {
        let oldest = head.oldest.map(|oldest| HistoryPosition {
            sequence_id: oldest.sequence_id,
            number: MessageNumber { message: oldest.number, line: oldest.line },
        });
        let next = MessageNumber { message: head.next_number, line: head.next_line };
        return Ok(Some(HistoryRecord::Head(HistoryHead { run_id: head.run_id.to_owned(), oldest, next })));
    }
    if let Some(RecordMessage { time, number, line, frame, .. }) = message {
        let number = MessageNumber { message: number, line };
        let message = decode_response(frame)?;
        return Ok(message
            .map(|message| HistoryRecord::Message(HistoryMessage { message, published_ms: time, number })));
    }
    Ok(end.map(|end| HistoryRecord::End(HistoryEnd { sequence_id: end.sequence_id })))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        message::{Metadata, Response, Sequence},
        payload::Payload,
    };

    fn numbers() -> impl Strategy<Value = MessageNumber> {
        any::<(u64, u64)>().prop_map(|(message, line)| MessageNumber { message, line })
    }

    proptest! {
        #[test]
        fn records_survive_a_round_trip_in_any_pieces(
            run_id in ".{0,9}", oldest in prop::option::of((any::<u64>(), numbers())), next in numbers(),
            text in ".{0,400}", id in any::<u64>(), published_ms in any::<u64>(), piece in 1..50_usize,
        ) {
            let oldest = oldest.map(|(sequence_id, number)| HistoryPosition { sequence_id, number });
            let message = Response::GroupMessage {
                group: "g".into(), from_user_id: None, payload: Payload::Text(text.into()),
                sequence: Some(Sequence::from(id)), metadata: Metadata::new(), stream: None,
            };
            let records = [
                HistoryRecord::Head(HistoryHead { run_id, oldest, next }),
                HistoryRecord::Message(HistoryMessage { message, published_ms, number: next }),
                HistoryRecord::End(HistoryEnd { sequence_id: id }),
            ];
            let mut bytes = Vec::new();
            records.iter().for_each(|record| append_record(&mut bytes, record));
            let (mut received, mut read) = (Vec::new(), 0);
            for piece in bytes.chunks(piece) {
                received.extend_from_slice(piece);
                let mut rest = &received[..];
                while let Some(record) = split_record(&mut rest).unwrap() {
                    prop_assert_eq!(decode_record(record).unwrap(), records.get(read).cloned());
                    read += 1;
                }
                let left = rest.len();
                received.drain(..received.len() - left);
            }
            prop_assert_eq!((read, received.len()), (3, 0));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in any::<Vec<u8>>()) {
            let mut rest = &bytes[..];
            while let Ok(Some(record)) = split_record(&mut rest) {
                drop(decode_record(record));
            }
        }
    }
}
