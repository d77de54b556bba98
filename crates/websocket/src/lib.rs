//! Server side of WebSocket framing (RFC 6455), without I/O, clock or connections.
//!
//! Bytes of a client are appended to a [`MessageReader`], which returns messages. Frames of the server are encoded into
//! buffers of the caller. Sockets, deadlines and answers to pings are up to the caller; `examples/echo.rs` is a complete
//! server.
//!
//! Implemented here instead of with a library, since fan-out needs access to encoded frames: each broadcast is encoded
//! once, its bytes are shared by all sockets, and all frames queued for a socket are sent in one vectored write.
//!
//! | module | contents |
//! | --- | --- |
//! | [`handshake`] | the key that accepts an opening handshake |
//! | [`frame`] | headers and masks of a client's frames |
//! | [`message_reader`] | messages of a client, joined from fragments, with a limit on their size |
//! | [`utf8`] | validation of text |
//! | [`encode`] | frames of the server, encoded once for any number of clients |
//!
//! Extensions, such as compression, are not supported.
//!
//! ```
//! use webpubsub_websocket::{MessageReader, ReceivedMessage, encode::encode, frame::Opcode};
//!
//! // The masked text "Hello" (RFC 6455, section 5.7), in two reads.
//! let mut reader = MessageReader::new(1024);
//! reader.reserve(64).extend_from_slice(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]);
//! assert_eq!(reader.next_message()?, None);
//! reader.reserve(64).extend_from_slice(&[0x7f, 0x9f, 0x4d, 0x51, 0x58]);
//! assert_eq!(reader.next_message()?, Some(ReceivedMessage::Text));
//! assert_eq!(encode(Opcode::Text, reader.payload()), b"\x81\x05Hello");
//! # Ok::<_, webpubsub_websocket::MessageError>(())
//! ```

pub mod encode;
pub mod frame;
pub mod handshake;
pub mod message_reader;
pub mod utf8;

pub use message_reader::{MessageError, MessageReader, ReceivedMessage};
