//! Parser of client messages: decodes frames, joins fragments (RFC 6455, section 5.4).

use bytes::{Buf, BytesMut};

use crate::{
    frame::{ClientFrameHeader, FrameError, Opcode, parse_client_header, unmask},
    utf8::{InvalidUtf8, TextProgress},
};

/// Close codes of RFC 6455, section 7.4.1.
const PROTOCOL_ERROR: u16 = 1002;
const INVALID_PAYLOAD: u16 = 1007;
const MESSAGE_TOO_BIG: u16 = 1009;

/// Message or control frame of a client. [`MessageReader::payload`] returns its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedMessage {
    /// Text message, to be validated by [`from_utf8`](crate::utf8::from_utf8).
    Text,
    /// Binary message.
    Binary,
    /// Ping, to be answered with a pong of the same payload.
    Ping,
    /// Pong.
    Pong,
    /// Close frame. All further bytes are to be ignored.
    Close {
        /// Close code, if there is one.
        code: Option<u16>,
        /// Close reason, often empty.
        reason: String,
    },
}

/// Violation of RFC 6455 or of the size limit. No further message can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The header of a frame is invalid.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A continuation frame has no message to continue.
    #[error("a continuation frame has no message to continue")]
    UnexpectedContinuation,
    /// A message began before the last fragment of another one.
    #[error("a message began before the last fragment of another one")]
    UnfinishedMessage,
    /// The message exceeds the limit, over all fragments.
    #[error("the message has more than {limit} bytes")]
    TooLarge {
        /// Limit, in bytes.
        limit: usize,
    },
    /// The payload of a close frame is neither empty nor a valid code with a reason in UTF-8.
    #[error("the code or the reason of a close frame is invalid")]
    InvalidClose,
    /// A text message, or its beginning, is not UTF-8.
    #[error(transparent)]
    Utf8(#[from] InvalidUtf8),
}

impl MessageError {
    /// Returns the close code to answer with.
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::Frame(_) | Self::UnexpectedContinuation | Self::UnfinishedMessage | Self::InvalidClose => {
                PROTOCOL_ERROR
            }
            Self::TooLarge { .. } => MESSAGE_TOO_BIG,
            Self::Utf8(_) => INVALID_PAYLOAD,
        }
    }
}

/// Incremental parser of client messages. Payloads are read in place; only fragments are copied.
///
/// A text message is validated as UTF-8 while it is incomplete, so that an invalid one fails early. A complete one is
/// validated by [`from_utf8`](crate::utf8::from_utf8), once.
#[derive(Debug)]
pub struct MessageReader {
    /// Maximum payload of a message, in bytes.
    limit: usize,
    buffer: BytesMut,
    /// Length of the frame at the start of the buffer that was returned last.
    consumed: usize,
    /// Offset of its payload in the buffer; `None` if the payload is in `message`.
    payload_start: Option<usize>,
    /// Number of bytes of the incomplete frame's payload that are unmasked, and validated if they are text.
    read_ahead: usize,
    /// Validation of the incomplete text message.
    text: TextProgress,
    /// Opcode and payload so far of a fragmented message.
    fragments: Option<(Opcode, BytesMut)>,
    /// Payload of the last fragmented message.
    message: BytesMut,
    /// Number of whole frames in the buffer after the returned one; `None` until counted.
    whole_frames: Option<usize>,
}

impl MessageReader {
    /// Creates a reader of messages with at most `limit` bytes of payload, over all fragments.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: BytesMut::new(),
            consumed: 0,
            payload_start: None,
            read_ahead: 0,
            text: TextProgress::default(),
            fragments: None,
            message: BytesMut::new(),
            whole_frames: None,
        }
    }

    /// Sets the maximum payload of a message, in bytes.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Returns whether a message has begun, and is incomplete.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.fragments.is_some() || self.buffer.len() > self.consumed
    }

    /// Returns the memory of the buffers, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let fragments = self.fragments.as_ref().map_or(0, |(_, parts)| parts.capacity());
        self.buffer.capacity() + fragments + self.message.capacity()
    }

    /// Returns the buffer to append received bytes to, with space for at least `bytes`. Invalidates the last payload.
    pub fn reserve(&mut self, bytes: usize) -> &mut BytesMut {
        self.release();
        self.whole_frames = None;
        if self.buffer.is_empty() && self.buffer.capacity() > bytes {
            // Frees the memory of a large message, and that of an idle client.
            self.buffer = BytesMut::with_capacity(bytes);
        } else {
            self.buffer.reserve(bytes);
        }
        &mut self.buffer
    }

    /// Returns the payload of the last message.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self.payload_start {
            Some(start) => self.buffer.get(start..self.consumed).unwrap_or_default(),
            None => &self.message,
        }
    }

    /// Returns the number of whole frames in the buffer behind the last message.
    #[must_use]
    pub fn frames_behind(&self) -> usize {
        self.whole_frames.unwrap_or_default()
    }

    /// Returns the next message; `None` if its bytes are incomplete. Invalidates the last payload.
    ///
    /// # Errors
    /// [`MessageError`], as early as it can be detected.
    pub fn next_message(&mut self) -> Result<Option<ReceivedMessage>, MessageError> {
        loop {
            self.release();
            let Some(header) = parse_client_header(&self.buffer)? else { return Ok(None) };
            let kind = self.message_kind(header.opcode)?;
            let frame_len = self.frame_len(&header)?;
            let is_whole = self.buffer.len() >= frame_len;
            let unread = header.header_len + self.read_ahead;
            let available = frame_len.min(self.buffer.len());
            let Some(payload) = self.buffer.get_mut(unread..available) else { return Ok(None) };
            unmask(payload, rotated(header.mask, self.read_ahead));
            if kind == Opcode::Text && !(is_whole && header.is_final) {
                self.text.push(payload)?;
            }
            if !is_whole {
                self.read_ahead += payload.len();
                return Ok(None);
            }
            self.read_ahead = 0;
            self.consumed = frame_len;
            let whole_frames = self.whole_frames.unwrap_or_else(|| count_frames(&self.buffer));
            self.whole_frames = Some(whole_frames.saturating_sub(1));
            self.payload_start = Some(header.header_len);
            if let Some(received) = self.accept_frame(kind, header.is_final)? {
                return Ok(Some(received));
            }
        }
    }

    /// Removes the last frame from the buffer.
    fn release(&mut self) {
        self.buffer.advance(std::mem::take(&mut self.consumed));
        if self.payload_start.take().is_none() {
            self.message = BytesMut::new();
        }
    }

    /// Returns the type of the message that a frame begins or continues; that of a control frame is its own.
    fn message_kind(&self, opcode: Opcode) -> Result<Opcode, MessageError> {
        match (opcode, &self.fragments) {
            (Opcode::Continuation, Some((kind, _))) => Ok(*kind),
            (Opcode::Continuation, None) => Err(MessageError::UnexpectedContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(MessageError::UnfinishedMessage),
            _ => Ok(opcode),
        }
    }

    /// Returns the length of a frame, in bytes, if its message does not exceed the limit.
    fn frame_len(&self, header: &ClientFrameHeader) -> Result<usize, MessageError> {
        let collected = match &self.fragments {
            Some((_, parts)) if !header.opcode.is_control() => parts.len(),
            _ => 0,
        };
        let too_large = MessageError::TooLarge { limit: self.limit };
        let payload_len = usize::try_from(header.payload_len).map_err(|_| too_large)?;
        if payload_len > self.limit.saturating_sub(collected) {
            return Err(too_large);
        }
        header.header_len.checked_add(payload_len).ok_or(too_large)
    }

    /// Accepts the whole frame at the start of the buffer; `None` if further fragments follow.
    fn accept_frame(
        &mut self,
        kind: Opcode,
        is_final: bool,
    ) -> Result<Option<ReceivedMessage>, MessageError> {
        match kind {
            Opcode::Ping => return Ok(Some(ReceivedMessage::Ping)),
            Opcode::Pong => return Ok(Some(ReceivedMessage::Pong)),
            Opcode::Close => return read_close(self.payload()).map(Some),
            _ => {}
        }
        let parts = match self.fragments.take() {
            Some((_, mut parts)) => {
                parts.extend_from_slice(self.payload());
                Some(parts)
            }
            None if is_final => None,
            None => Some(self.payload().into()),
        };
        if !is_final {
            self.fragments = parts.map(|parts| (kind, parts));
            return Ok(None);
        }
        self.text = TextProgress::default();
        if let Some(parts) = parts {
            self.message = parts;
            self.payload_start = None;
        }
        let is_text = kind == Opcode::Text;
        Ok(Some(if is_text { ReceivedMessage::Text } else { ReceivedMessage::Binary }))
    }
}

/// Returns the mask of a payload without its first `offset` bytes.
fn rotated(mut mask: [u8; 4], offset: usize) -> [u8; 4] {
    mask.rotate_left(offset % 4);
    mask
}

/// Counts the whole, valid frames at the start of `bytes`.
fn count_frames(mut bytes: &[u8]) -> usize {
    let mut frames = 0;
    while let Ok(Some(header)) = parse_client_header(bytes)
        && let Ok(payload_len) = usize::try_from(header.payload_len)
        && let Some(rest) = bytes.get(header.header_len.saturating_add(payload_len)..)
    {
        frames += 1;
        bytes = rest;
    }
    frames
}

/// Parses the payload of a close frame (RFC 6455, sections 5.5.1 and 7.4).
fn read_close(payload: &[u8]) -> Result<ReceivedMessage, MessageError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        let is_bare = payload.is_empty();
        return is_bare
            .then(|| ReceivedMessage::Close { code: None, reason: String::new() })
            .ok_or(MessageError::InvalidClose);
    };
    let code = u16::from_be_bytes(*code);
    let is_allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    match std::str::from_utf8(reason) {
        Ok(reason) if is_allowed => {
            Ok(ReceivedMessage::Close { code: Some(code), reason: reason.to_owned() })
        }
        _ => Err(MessageError::InvalidClose),
    }
}
