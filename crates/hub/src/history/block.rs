//! Block of a history: records of messages, one behind the other, which are dropped together.

use std::{borrow::Cow, time::Duration};

use webpubsub_protocol::{
    json::{decode_response, encode_response},
    message::{Metadata, Response, Sequence},
    payload::Payload,
};

/// Size of a block, in bytes. A longer message has a block of its own.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;
/// Length of the fixed part of a record, in bytes.
const HEADER_BYTES: usize = 40;

/// Facts about a message that its encoding does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordFacts {
    /// Number of the group in its ring.
    pub(super) group: u32,
    /// Time since the start of the history, by a clock that never jumps.
    pub(super) age_base: Duration,
    /// Time at which the message was published, in milliseconds since 1970.
    pub(super) published_ms: u64,
    /// Number of its first line in the group.
    pub(super) line: u64,
    /// Time since the start of the history after which it is not delivered; `None` for no limit.
    pub(super) expires_at: Option<Duration>,
}

/// Encoding of a record's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Text,
    Json,
    Binary,
    Protobuf,
    /// The whole message as a JSON frame: messages with metadata, and fragments of streams.
    Frame,
}

impl Encoding {
    const ALL: [Self; 5] = [Self::Text, Self::Json, Self::Binary, Self::Protobuf, Self::Frame];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// Record that was read from a block.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) facts: RecordFacts,
    user_id: Option<&'a str>,
    encoding: Encoding,
    payload: &'a [u8],
    /// Offset of the record behind it.
    pub(super) end: usize,
}

/// Records of messages, in ascending order of their positions.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    /// Time of the last record since the start of the history.
    pub(super) last_at: Duration,
}

impl Block {
    /// Creates an empty block with capacity for a record of `len` bytes.
    pub(super) fn new(len: usize) -> Self {
        Self { bytes: Vec::with_capacity(len.max(BLOCK_BYTES)), last_at: Duration::ZERO }
    }

    /// Empties the block, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Returns whether a record of `len` bytes fits the capacity.
    pub(super) fn fits(&self, len: usize) -> bool {
        self.bytes.capacity() - self.bytes.len() >= len
    }

    /// Returns the memory of the block, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns the length of the records, in bytes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a record, and returns its offset.
    pub(super) fn push(&mut self, facts: &RecordFacts, stored: &StoredMessage<'_>) -> usize {
        let offset = self.bytes.len();
        let payload = stored.payload();
        let user_id = stored.user_id.unwrap_or_default().as_bytes();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let lifetime = facts.expires_at.map(|time| time.saturating_sub(facts.age_base));
        let lifetime_ms =
            lifetime.map_or(0, |time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1));
        // Lengths of messages are limited far below 4 GiB.
        let (payload_len, user_len) = (len_u32(payload.len()), len_u32(user_id.len()));
        let has_user = u32::from(stored.user_id.is_some());
        self.bytes.extend_from_slice(&millis(facts.age_base).to_le_bytes());
        self.bytes.extend_from_slice(&facts.published_ms.to_le_bytes());
        self.bytes.extend_from_slice(&facts.line.to_le_bytes());
        for field in
            [lifetime_ms, facts.group, payload_len, user_len << 4 | has_user << 3 | stored.encoding as u32]
        {
            self.bytes.extend_from_slice(&field.to_le_bytes());
        }
        self.bytes.extend_from_slice(user_id);
        self.bytes.extend_from_slice(payload);
        self.last_at = facts.age_base;
        offset
    }

    /// Returns the record at `offset`.
    pub(super) fn record(&self, offset: usize) -> Option<Record<'_>> {
        let mut rest = self.bytes.get(offset..)?;
        let at = Duration::from_millis(u64::from_le_bytes(take(&mut rest)?));
        let published_ms = u64::from_le_bytes(take(&mut rest)?);
        let line = u64::from_le_bytes(take(&mut rest)?);
        let lifetime_ms = u32::from_le_bytes(take(&mut rest)?);
        let group = u32::from_le_bytes(take(&mut rest)?);
        let payload_len = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
        let packed = u32::from_le_bytes(take(&mut rest)?);
        let user_len = usize::try_from(packed >> 4).ok()?;
        let (user_id, rest) = rest.split_at_checked(user_len)?;
        let payload = rest.get(..payload_len)?;
        let user_id = std::str::from_utf8(user_id).ok()?;
        let expires_at = (lifetime_ms > 0).then(|| at + Duration::from_millis(u64::from(lifetime_ms)));
        Some(Record {
            facts: RecordFacts { group, age_base: at, published_ms, line, expires_at },
            user_id: (packed & 8 != 0).then_some(user_id),
            encoding: Encoding::from_byte(packed as u8 & 7)?,
            payload,
            end: offset + HEADER_BYTES + user_len + payload_len,
        })
    }

    /// Returns all records.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let record = self.record(next)?;
            next = record.end;
            Some(record)
        })
    }
}

fn len_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (field, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*field)
}

impl Record<'_> {
    /// Returns the length of the payload, in bytes.
    pub(super) fn payload_len(&self) -> usize {
        self.payload.len()
    }

    /// Decodes the message, which was published to `group`.
    pub(super) fn message(&self, group: &str, position: u64) -> Option<Response<'static>> {
        let text = || std::str::from_utf8(self.payload).ok().map(|text| Cow::Owned(text.to_owned()));
        let bytes = || Cow::Owned(self.payload.to_vec());
        let payload = match self.encoding {
            Encoding::Text => Payload::Text(text()?),
            Encoding::Json => Payload::Json(text()?),
            Encoding::Binary => Payload::Binary(bytes()),
            Encoding::Protobuf => Payload::Protobuf(bytes()),
            Encoding::Frame => {
                let frame = decode_response(std::str::from_utf8(self.payload).ok()?).ok()??;
                let Response::GroupMessage { group, from_user_id, payload, metadata, stream, .. } =
                    frame.into_owned()
                else {
                    return None;
                };
                let sequence = Some(Sequence::from(position));
                return Some(Response::GroupMessage {
                    group,
                    from_user_id,
                    payload,
                    sequence,
                    metadata,
                    stream,
                });
            }
        };
        Some(Response::GroupMessage {
            group: Cow::Owned(group.to_owned()),
            from_user_id: self.user_id.map(|user| Cow::Owned(user.to_owned())),
            payload,
            sequence: Some(Sequence::from(position)),
            metadata: Metadata::new(),
            stream: None,
        })
    }
}

/// Message in the form in which a block stores it.
#[derive(Debug)]
pub(super) struct StoredMessage<'a> {
    user_id: Option<&'a str>,
    encoding: Encoding,
    payload: StoredPayload<'a>,
}

#[derive(Debug)]
enum StoredPayload<'a> {
    Borrowed(&'a [u8]),
    Frame(String),
}

impl<'a> StoredMessage<'a> {
    /// Prepares a group message; `None` for other messages.
    pub(super) fn new(message: &'a Response<'_>) -> Option<Self> {
        let Response::GroupMessage { from_user_id, payload, metadata, stream, .. } = message else {
            return None;
        };
        if !metadata.is_empty() || stream.is_some() {
            let frame = StoredPayload::Frame(encode_response(message));
            return Some(Self { user_id: None, encoding: Encoding::Frame, payload: frame });
        }
        let (encoding, bytes) = match payload {
            Payload::Text(text) => (Encoding::Text, text.as_bytes()),
            Payload::Json(text) => (Encoding::Json, text.as_bytes()),
            Payload::Binary(bytes) => (Encoding::Binary, &bytes[..]),
            Payload::Protobuf(bytes) => (Encoding::Protobuf, &bytes[..]),
        };
        Some(Self { user_id: from_user_id.as_deref(), encoding, payload: StoredPayload::Borrowed(bytes) })
    }

    fn payload(&self) -> &[u8] {
        match &self.payload {
            StoredPayload::Borrowed(bytes) => bytes,
            StoredPayload::Frame(frame) => frame.as_bytes(),
        }
    }

    /// Returns the length of the payload, in bytes.
    pub(super) fn payload_len(&self) -> usize {
        self.payload().len()
    }

    /// Returns the length of the record, in bytes.
    pub(super) fn record_len(&self) -> usize {
        HEADER_BYTES + self.user_id.map_or(0, str::len) + self.payload().len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_message() -> impl Strategy<Value = Response<'static>> {
        let payload = prop_oneof![
            ".{0,40}".prop_map(|text| Payload::Text(text.into())),
            Just(Payload::Json("{\"a\":1}".into())),
            any::<Vec<u8>>().prop_map(|bytes| Payload::Binary(bytes.into())),
            Just(Payload::Protobuf(vec![0x0A, 1, b't', 0x12, 1, 7].into())),
        ];
        (payload, prop::option::of(".{0,5}"), any::<bool>()).prop_map(|(payload, user, has_metadata)| {
            let metadata =
                if has_metadata { [("k".to_owned(), "v".to_owned())].into() } else { Metadata::new() };
            Response::GroupMessage {
                group: "g".into(),
                from_user_id: user.map(Cow::Owned),
                payload,
                sequence: Some(Sequence::from(7)),
                metadata,
                stream: None,
            }
        })
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_stored(
            messages in prop::collection::vec((any_message(), any::<u64>(), prop::option::of(1..9_u64)), 1..20),
        ) {
            let mut block = Block::new(0);
            let mut expected = Vec::new();
            for (group, (message, number, expiry)) in (0..).zip(messages) {
                let facts = RecordFacts {
                    group, age_base: Duration::from_millis(number >> 20), published_ms: number, line: number,
                    expires_at: expiry.map(|seconds| Duration::from_millis((number >> 20) + seconds * 1_000)),
                };
                let stored = StoredMessage::new(&message).unwrap();
                let (len, before) = (stored.record_len(), block.len());
                let offset = block.push(&facts, &stored);
                prop_assert_eq!((offset, block.len()), (before, before + len));
                drop(stored);
                expected.push((facts, message));
            }
            let read = block.records().map(|record| (record.facts, record.message("g", 7).unwrap()));
            prop_assert_eq!(read.collect::<Vec<_>>(), expected);
        }
    }
}
