//! Frames: one WebSocket message each, in the form of the subprotocol that was chosen.

use webpubsub_protocol::{
    json,
    message::{Request, Response},
    subprotocol::Subprotocol,
};

/// A WebSocket message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

impl Frame {
    /// Length in bytes, without WebSocket framing.
    #[must_use]
    pub fn len(&self) -> usize {
        self.borrowed().len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> FrameRef<'_> {
        match self {
            Self::Text(text) => FrameRef::Text(text),
            Self::Binary(bytes) => FrameRef::Binary(bytes),
        }
    }
}

/// A WebSocket message that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameRef<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

impl FrameRef<'_> {
    /// Length in bytes, without WebSocket framing.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether this build can speak `subprotocol`: the binary ones need the feature `protobuf`.
#[must_use]
pub const fn is_supported(subprotocol: Subprotocol) -> bool {
    !is_binary(subprotocol) || cfg!(feature = "protobuf")
}

/// Whether `subprotocol` travels in binary messages.
pub(crate) const fn is_binary(subprotocol: Subprotocol) -> bool {
    matches!(subprotocol, Subprotocol::Protobuf | Subprotocol::ReliableProtobuf)
}

/// Writes a request. Without the feature `protobuf` nothing but JSON is offered, so nothing else is asked for here.
pub(crate) fn encode(subprotocol: Subprotocol, request: &Request<'_>) -> Frame {
    #[cfg(feature = "protobuf")]
    if is_binary(subprotocol) {
        return Frame::Binary(webpubsub_protocol::protobuf::encode_request(request));
    }
    #[cfg(not(feature = "protobuf"))]
    let _ = subprotocol;
    Frame::Text(json::encode_request(request))
}

/// Reads a response; `None` for one that this version does not know. The error is a sentence.
pub(crate) fn decode(subprotocol: Subprotocol, frame: FrameRef<'_>) -> Result<Option<Response<'_>>, String> {
    match frame {
        FrameRef::Text(text) if !is_binary(subprotocol) => {
            json::decode_response(text).map_err(|error| error.to_string())
        }
        #[cfg(feature = "protobuf")]
        FrameRef::Binary(bytes) if is_binary(subprotocol) => {
            webpubsub_protocol::protobuf::decode_response(bytes).map_err(|error| error.to_string())
        }
        FrameRef::Text(_) => Err(format!("a text message, while {} is binary", subprotocol.name())),
        FrameRef::Binary(_) => Err(format!("a binary message, while {} is text", subprotocol.name())),
    }
}
