//! Reader of a history response: takes its bytes in pieces, and returns its records.

use webpubsub_protocol::{
    history::{HistoryEnd, HistoryRecord, MAX_RECORD_BYTES},
    json::history::decode_record,
};

use super::HistoryFailure;

/// Reader of a response in the JSON form. It holds at most one incomplete record.
#[derive(Debug, Default)]
pub struct HistoryReader {
    /// Begin of a record whose end has not been received.
    begun: Vec<u8>,
    end: Option<HistoryEnd>,
}

impl HistoryReader {
    /// Reads a piece of the response, and passes each complete record to `on_record`.
    ///
    /// # Errors
    /// [`HistoryFailure::Malformed`] if it is not a history, or a record is too long.
    pub fn push(
        &mut self,
        mut piece: &[u8],
        mut on_record: impl FnMut(HistoryRecord<'_>),
    ) -> Result<(), HistoryFailure> {
        while let Some(len) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(len);
            piece = rest.get(1..).unwrap_or_default();
            if self.begun.is_empty() {
                self.read(line, &mut on_record)?;
            } else {
                self.begun.extend_from_slice(line);
                let line = std::mem::take(&mut self.begun);
                self.read(&line, &mut on_record)?;
            }
        }
        if self.begun.len() + piece.len() > MAX_RECORD_BYTES {
            let detail = format!("a record of more than {MAX_RECORD_BYTES} bytes");
            return Err(HistoryFailure::Malformed { detail });
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }

    fn read(
        &mut self,
        line: &[u8],
        on_record: &mut impl FnMut(HistoryRecord<'_>),
    ) -> Result<(), HistoryFailure> {
        let malformed = |detail: String| HistoryFailure::Malformed { detail };
        let line = std::str::from_utf8(line).map_err(|error| malformed(error.to_string()))?;
        let record = decode_record(line).map_err(|error| malformed(error.to_string()))?;
        if let Some(HistoryRecord::End(end)) = &record {
            self.end = Some(*end);
        }
        record.into_iter().for_each(on_record);
        Ok(())
    }

    /// Returns the end of the response, when all of it has been read.
    ///
    /// # Errors
    /// [`HistoryFailure::Cut`] if the response has no end.
    pub fn finish(self) -> Result<HistoryEnd, HistoryFailure> {
        self.end.ok_or(HistoryFailure::Cut)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use webpubsub_protocol::{
        history::{HistoryHead, HistoryMessage, MessageNumber},
        json::history::append_record,
        message::{Metadata, Response, Sequence},
        payload::Payload,
    };

    use super::*;

    fn response(texts: &[String]) -> String {
        let mut response = String::new();
        append_record(&mut response, &HistoryRecord::Head(HistoryHead::default()));
        for (id, text) in (1..).zip(texts) {
            let message = Response::GroupMessage {
                group: "g".into(),
                from_user_id: None,
                payload: Payload::Text(text.into()),
                sequence: Some(Sequence::from(id)),
                metadata: Metadata::new(),
                stream: None,
            };
            let number = MessageNumber { message: id, line: id };
            let message = HistoryMessage { message, published_ms: 5, number };
            append_record(&mut response, &HistoryRecord::Message(message));
        }
        append_record(&mut response, &HistoryRecord::End(HistoryEnd { sequence_id: 9 }));
        response
    }

    proptest! {
        #[test]
        fn any_pieces_are_read_alike(texts in prop::collection::vec(".{0,30}", 0..5), piece in 1..40_usize) {
            let bytes = response(&texts).into_bytes();
            let mut reader = HistoryReader::default();
            let mut read = Vec::new();
            for piece in bytes.chunks(piece) {
                reader.push(piece, |record| {
                    if let HistoryRecord::Message(HistoryMessage {
                        message: Response::GroupMessage { payload: Payload::Text(text), .. }, ..
                    }) = record {
                        read.push(text.into_owned());
                    }
                }).unwrap();
            }
            prop_assert_eq!(read, texts);
            prop_assert_eq!(reader.finish(), Ok(HistoryEnd { sequence_id: 9 }));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in any::<Vec<u8>>()) {
            let mut reader = HistoryReader::default();
            drop(reader.push(&bytes, |_| {}));
        }
    }

    #[test]
    fn a_response_without_an_end_was_cut_off() {
        let whole = response(&["a".to_owned()]);
        let mut reader = HistoryReader::default();
        let cut = whole.len() - 10;
        reader.push(&whole.as_bytes()[..cut], |_| {}).unwrap();
        assert_eq!(reader.finish(), Err(HistoryFailure::Cut));
    }

    #[test]
    fn a_web_page_is_no_history() {
        let read = HistoryReader::default().push(b"<!doctype html>\n", |_| {});
        assert!(matches!(read, Err(HistoryFailure::Malformed { .. })), "{read:?}");
    }
}
