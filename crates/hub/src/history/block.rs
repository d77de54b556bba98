//! Block of a history: records of messages, one behind the other, which are dropped together.

use std::{borrow::Cow, mem};

use webpubsub_protocol::{
    json::{decode_response, encode_response},
    message::{Metadata, Response, Sequence},
    payload::Payload,
};

use super::wall_clock::HistoryTime;

/// Maximum size of a block, in bytes. A longer message has a block of its own. Beside the buffers of sockets, a block is in the
/// first cache of the processor while it is written.
pub(super) const BLOCK_BYTES: usize = 16 * 1024;
/// Number of the fixed fields of a record.
const HEADER_FIELDS: usize = 6;
/// Length of the fixed part of a record, in bytes.
const HEADER_BYTES: usize = HEADER_FIELDS * size_of::<u64>();

/// Facts about a message that its encoding does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordFacts {
    /// Position of the message in its hub.
    pub(super) position: u64,
    /// Number of the group in its ring.
    pub(super) group: u32,
    /// Time at which it was published.
    pub(super) at: HistoryTime,
    /// Number of its first line in the group.
    pub(super) line: u64,
    /// Time since the start of the history after which it is not delivered, in milliseconds; `None` for no limit.
    pub(super) expires_at_ms: Option<u64>,
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
}

/// Records of messages, in ascending order of their positions.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    /// Time of the last record since the start of the history, in milliseconds.
    pub(super) last_at_ms: u64,
    /// Numbers of the groups with records in the block.
    pub(super) groups: Vec<u32>,
}

impl Block {
    /// Creates an empty block with capacity for records of `bytes` bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Moves the records to a block without further capacity. This one keeps its memory for the next ones.
    pub(super) fn move_records(&mut self) -> Self {
        let sealed = Self {
            bytes: self.bytes.clone(),
            groups: mem::take(&mut self.groups),
            last_at_ms: self.last_at_ms,
        };
        self.bytes.clear();
        sealed
    }

    /// Returns whether a record of `len` bytes fits the capacity.
    pub(super) fn fits(&self, len: usize) -> bool {
        self.bytes.capacity() - self.bytes.len() >= len
    }

    /// Returns the memory of the records, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns whether the block has no records.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the length of the records, in bytes: the offset of the next one.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a record.
    pub(super) fn push(&mut self, facts: &RecordFacts, stored: &StoredMessage<'_>) {
        let payload = stored.payload();
        let user_id = stored.user_id.unwrap_or_default().as_bytes();
        let HistoryTime { since_start_ms, unix_ms } = facts.at;
        let lifetime =
            |expires_at: u64| expires_at.saturating_sub(since_start_ms).clamp(1, u64::from(u32::MAX));
        let lifetime_ms = facts.expires_at_ms.map_or(0, lifetime);
        let has_user = u64::from(stored.user_id.is_some());
        let user = len_u32(user_id.len()) << 4 | has_user << 3 | stored.encoding as u64;
        let header: [u64; HEADER_FIELDS] = [
            facts.position,
            since_start_ms,
            unix_ms,
            facts.line,
            lifetime_ms << 32 | u64::from(facts.group),
            len_u32(payload.len()) << 32 | user,
        ];
        let mut bytes = [0; HEADER_BYTES];
        for (place, field) in bytes.chunks_exact_mut(size_of::<u64>()).zip(header) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        self.bytes.extend_from_slice(&bytes);
        self.bytes.extend_from_slice(user_id);
        self.bytes.extend_from_slice(payload);
        self.last_at_ms = since_start_ms;
    }

    /// Returns the records from the one at `offset` on.
    pub(super) fn records_from(&self, offset: usize) -> impl Iterator<Item = Record<'_>> {
        let mut rest = self.bytes.get(offset..).unwrap_or_default();
        std::iter::from_fn(move || take_record(&mut rest))
    }
}

fn take_record<'a>(rest: &mut &'a [u8]) -> Option<Record<'a>> {
    let mut field = || take(rest).map(u64::from_le_bytes);
    let (position, since_start_ms, unix_ms, line) = (field()?, field()?, field()?, field()?);
    let [lifetime_and_group, lengths] = [field()?, field()?];
    let lifetime_ms = lifetime_and_group >> 32;
    let expires_at_ms = (lifetime_ms > 0).then(|| since_start_ms.saturating_add(lifetime_ms));
    let at = HistoryTime { since_start_ms, unix_ms };
    let (payload_len, user) = ((lengths >> 32) as usize, lengths as u32);
    let (user_id, behind) = rest.split_at_checked((user >> 4) as usize)?;
    let (payload, behind) = behind.split_at_checked(payload_len)?;
    *rest = behind;
    let group = lifetime_and_group as u32;
    Some(Record {
        facts: RecordFacts { position, group, at, line, expires_at_ms },
        user_id: if user & 8 != 0 { Some(std::str::from_utf8(user_id).ok()?) } else { None },
        encoding: Encoding::from_byte(user as u8 & 7)?,
        payload,
    })
}

/// Returns a length for half a field: lengths of messages are limited far below 4 GiB.
fn len_u32(len: usize) -> u64 {
    u64::from(u32::try_from(len).unwrap_or(u32::MAX))
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
    pub(super) fn message(&self, group: &str) -> Option<Response<'static>> {
        let sequence = Some(Sequence::from(self.facts.position));
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
            sequence,
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
            let mut block = Block::default();
            let mut expected = Vec::new();
            for (group, (message, number, expiry)) in (0..).zip(messages) {
                let facts = RecordFacts {
                    position: 7,
                    group,
                    at: HistoryTime { since_start_ms: number >> 20, unix_ms: number },
                    line: number,
                    expires_at_ms: expiry.map(|seconds| (number >> 20) + seconds * 1_000),
                };
                let stored = StoredMessage::new(&message).unwrap();
                let (len, before) = (stored.record_len(), block.len());
                block.push(&facts, &stored);
                prop_assert_eq!(block.len(), before + len);
                prop_assert_eq!(block.records_from(before).count(), 1);
                drop(stored);
                expected.push((facts, message));
            }
            let read = block.records_from(0).map(|record| (record.facts, record.message("g").unwrap()));
            prop_assert_eq!(read.collect::<Vec<_>>(), expected);
        }
    }
}
