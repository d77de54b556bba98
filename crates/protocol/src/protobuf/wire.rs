//! The wire format: fields, one after the other (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! Read by hand and not by a general codec: a browser loads this, and a general one takes more bytes than all else that the
//! client is made of. Tests hold it against such a codec.

use super::MalformedMessage;

/// Longest number, in bytes.
const MAX_VARINT_BYTES: usize = 10;

pub(super) const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
pub(super) const DELIMITED: u8 = 2;
const FIXED_32: u8 = 5;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number or a flag.
    Varint(u64),
    /// Text, bytes, or a message.
    Delimited(&'a [u8]),
    /// Of a fixed width: nothing in this protocol.
    Other,
}

impl<'a> Value<'a> {
    pub(super) fn number(self) -> Result<u64, MalformedMessage> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(MalformedMessage::Wire("a number in another form")),
        }
    }

    /// A number of 32 bits: what is above them is cut off, as the format has it.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn short_number(self) -> Result<u32, MalformedMessage> {
        self.number().map(|number| number as u32)
    }

    pub(super) fn flag(self) -> Result<bool, MalformedMessage> {
        self.number().map(|number| number != 0)
    }

    pub(super) fn bytes(self) -> Result<&'a [u8], MalformedMessage> {
        match self {
            Self::Delimited(bytes) => Ok(bytes),
            _ => Err(MalformedMessage::Wire("text, bytes or a message in another form")),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, MalformedMessage> {
        text_of(self.bytes()?).ok_or(MalformedMessage::Wire("text that is no UTF-8"))
    }
}

/// Returns bytes as text; `None` if they are not UTF-8. The service reads millions of payloads a second, a page few.
pub(super) fn text_of(bytes: &[u8]) -> Option<&str> {
    #[cfg(not(target_arch = "wasm32"))]
    return simdutf8::basic::from_utf8(bytes).ok();
    #[cfg(target_arch = "wasm32")]
    std::str::from_utf8(bytes).ok()
}

/// A message of the schema. One that comes in parts is read part by part: what comes later counts.
pub(super) trait Message<'a>: Default {
    /// Takes a field. One whose number is not known is skipped.
    fn take(&mut self, number: u32, value: Value<'a>) -> Result<(), MalformedMessage>;

    /// Takes all fields of `bytes`.
    fn merge(&mut self, mut bytes: &'a [u8]) -> Result<(), MalformedMessage> {
        while let Some((number, value)) = next_field(&mut bytes)? {
            self.take(number, value)?;
        }
        Ok(())
    }

    /// The message of these bytes.
    fn read(bytes: &'a [u8]) -> Result<Self, MalformedMessage> {
        let mut message = Self::default();
        message.merge(bytes)?;
        Ok(message)
    }
}

/// Takes a message into a slot.
pub(super) fn merge_into<'a, M: Message<'a>>(
    slot: &mut Option<M>,
    value: Value<'a>,
) -> Result<(), MalformedMessage> {
    slot.get_or_insert_default().merge(value.bytes()?)
}

/// Takes the next field off `bytes`; `None` at their end.
fn next_field<'a>(bytes: &mut &'a [u8]) -> Result<Option<(u32, Value<'a>)>, MalformedMessage> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let key = varint(bytes)?;
    let number = u32::try_from(key).map(|key| key >> 3);
    let number = number.ok().filter(|number| *number > 0);
    let number = number.ok_or(MalformedMessage::Wire("a field without a number"))?;
    let value = match key as u8 & 7 {
        VARINT => Value::Varint(varint(bytes)?),
        DELIMITED => {
            let len = usize::try_from(varint(bytes)?).unwrap_or(usize::MAX);
            Value::Delimited(split_off(bytes, len)?)
        }
        FIXED_64 => split_off(bytes, 8).map(|_| Value::Other)?,
        FIXED_32 => split_off(bytes, 4).map(|_| Value::Other)?,
        // Groups went out of use before the protocol began.
        _ => return Err(MalformedMessage::Wire("a field of no form that is known")),
    };
    Ok(Some((number, value)))
}

fn split_off<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], MalformedMessage> {
    let (front, rest) = bytes.split_at_checked(len).ok_or(MalformedMessage::Wire("it ends too early"))?;
    *bytes = rest;
    Ok(front)
}

/// Takes a number off `bytes`.
pub(super) fn varint(bytes: &mut &[u8]) -> Result<u64, MalformedMessage> {
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(MAX_VARINT_BYTES) {
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            // Of the last byte, only one bit is left.
            if place == MAX_VARINT_BYTES - 1 && *byte > 1 {
                break;
            }
            split_off(bytes, place + 1)?;
            return Ok(number);
        }
    }
    Err(MalformedMessage::Wire("a number that does not end, or is too long"))
}

/// Length of a number, in bytes.
pub(super) fn varint_len(number: u64) -> usize {
    // Seven bits a byte; nought takes a byte, too.
    let bits = (u64::BITS - (number | 1).leading_zeros()) as usize;
    bits.div_ceil(7)
}

/// Appends a number.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7F {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a field that is a number. Numbers of fields are below 16 in all of the protocol.
pub(super) fn put_number(out: &mut Vec<u8>, field: u8, number: u64) {
    out.push(field << 3 | VARINT);
    put_varint(out, number);
}

/// Appends what stands before text, bytes or a message of this length.
pub(super) fn put_delimited_head(out: &mut Vec<u8>, field: u8, len: usize) {
    out.push(field << 3 | DELIMITED);
    put_varint(out, len as u64);
}

/// Appends a field that is text or bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    put_delimited_head(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a field that is a message. It is written where it belongs; its length, known only then, moves in front of it.
pub(super) fn put_message(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    put_varint(out, u64::from(field) << 3 | u64::from(DELIMITED));
    let start = out.len();
    write(out);
    let end = out.len();
    put_varint(out, (end - start) as u64);
    let digits = out.len() - end;
    if let Some(message_and_length) = out.get_mut(start..) {
        message_and_length.rotate_right(digits);
    }
}

/// The same as [`put_number`] and [`put_bytes`] for what is left out when it says nothing.
pub(super) fn put_number_unless_0(out: &mut Vec<u8>, field: u8, number: u64) {
    if number > 0 {
        put_number(out, field, number);
    }
}

/// See [`put_number_unless_0`].
pub(super) fn put_text_unless_empty(out: &mut Vec<u8>, field: u8, text: &str) {
    if !text.is_empty() {
        put_bytes(out, field, text.as_bytes());
    }
}

/// Appends text if there is any, empty or not.
pub(super) fn put_optional_text(out: &mut Vec<u8>, field: u8, text: Option<&str>) {
    if let Some(text) = text {
        put_bytes(out, field, text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::encoding::{decode_varint, encode_varint, encoded_len_varint};

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_and_written_as_a_general_codec_does(number in prop_oneof![any::<u64>(), 0..300_u64], rest in any::<Vec<u8>>()) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            put_varint(&mut ours, number);
            encode_varint(number, &mut theirs);
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(ours.len(), varint_len(number));
            prop_assert_eq!(ours.len(), encoded_len_varint(number));
            let bytes = [ours, rest.clone()].concat();
            let mut bytes = &bytes[..];
            prop_assert_eq!(varint(&mut bytes).unwrap(), number);
            prop_assert_eq!(bytes, rest);
        }

        #[test]
        fn bytes_that_are_no_number_are_refused_as_by_a_general_codec(
            bytes in prop::collection::vec(prop_oneof![Just(0xFF_u8), Just(0x80), Just(1), Just(2), any::<u8>()], 0..12)
        ) {
            let (mut ours, mut theirs) = (&bytes[..], &bytes[..]);
            prop_assert_eq!(varint(&mut ours).ok(), decode_varint(&mut theirs).ok());
        }
    }
}
