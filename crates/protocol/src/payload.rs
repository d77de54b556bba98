//! What a message carries.

use std::borrow::Cow;

/// The data of a message, with its type.
///
/// Borrows from the frame it was decoded from where it can; [`Payload::into_owned`] cuts that tie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload<'a> {
    /// UTF-8 text (`dataType: "text"`).
    Text(Cow<'a, str>),
    /// One JSON value, kept as the sender wrote it: number spellings survive (`dataType: "json"`).
    Json(Cow<'a, str>),
    /// Bytes (`dataType: "binary"`, base64 in JSON frames).
    Binary(Cow<'a, [u8]>),
    /// An encoded `google.protobuf.Any` (`dataType: "protobuf"`, base64 in JSON frames).
    Protobuf(Cow<'a, [u8]>),
}

impl Payload<'_> {
    /// The same payload, owning its data. Copies only what was borrowed.
    #[must_use]
    pub fn into_owned(self) -> Payload<'static> {
        match self {
            Self::Text(text) => Payload::Text(Cow::Owned(text.into_owned())),
            Self::Json(json) => Payload::Json(Cow::Owned(json.into_owned())),
            Self::Binary(bytes) => Payload::Binary(Cow::Owned(bytes.into_owned())),
            Self::Protobuf(bytes) => Payload::Protobuf(Cow::Owned(bytes.into_owned())),
        }
    }

    /// The same payload, borrowing its data from this one.
    #[must_use]
    pub fn borrowed(&self) -> Payload<'_> {
        match self {
            Self::Text(text) => Payload::Text(Cow::Borrowed(text)),
            Self::Json(json) => Payload::Json(Cow::Borrowed(json)),
            Self::Binary(bytes) => Payload::Binary(Cow::Borrowed(bytes)),
            Self::Protobuf(bytes) => Payload::Protobuf(Cow::Borrowed(bytes)),
        }
    }

    /// Length of the data in bytes, before any encoding.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            Self::Binary(bytes) | Self::Protobuf(bytes) => bytes.len(),
        }
    }

    /// Whether there is no data.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> From<&'a str> for Payload<'a> {
    /// Creates a text.
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Payload<'_> {
    /// Creates a text.
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    /// Creates binary data.
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Payload<'_> {
    /// Creates binary data.
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(Cow::Owned(bytes))
    }
}
