//! What one connection receives: messages are counted, the little else is answered.

use anyhow::bail;

use super::{
    frame::{BINARY, CLOSE, CONTINUATION, FrameReader, PING, PONG, Part, TEXT, put_masked},
    protocol::{PAYLOAD_BYTES, Protocol},
    stream::{MqttStream, NatsStream},
};

/// How messages lie in the frames of a protocol.
#[derive(Debug)]
enum Form {
    /// One a frame. Whatever is shorter than a payload is something else.
    Frames,
    /// The same; a frame `2` wants a `3`.
    SocketIo,
    /// A stream that frames cut anywhere.
    Nats(NatsStream),
    /// The same.
    Mqtt(MqttStream),
}

/// Counts messages from the bytes of one connection.
#[derive(Debug)]
pub struct Inbox {
    frames: FrameReader,
    form: Form,
    /// A short frame, as far as it has come.
    short: Vec<u8>,
    /// Frames to send, in answer to pings.
    pub answers: Vec<u8>,
    /// Messages so far.
    pub messages: u64,
}

impl Inbox {
    /// Of a fresh connection.
    pub fn new(protocol: Protocol) -> Self {
        let form = match protocol {
            Protocol::Json | Protocol::Simple | Protocol::Protobuf | Protocol::Ws => Form::Frames,
            Protocol::SocketIo => Form::SocketIo,
            Protocol::Nats => Form::Nats(NatsStream::default()),
            Protocol::Mqtt => Form::Mqtt(MqttStream::default()),
        };
        Self { frames: FrameReader::default(), form, short: Vec::new(), answers: Vec::new(), messages: 0 }
    }

    /// Takes what a read brought.
    ///
    /// # Errors
    /// When the server closes the connection, or complains.
    pub fn take(&mut self, mut bytes: &[u8]) -> anyhow::Result<()> {
        while let Some(part) = self.frames.next_part(&mut bytes) {
            match (part.opcode, &mut self.form) {
                (TEXT | BINARY, Form::Frames | Form::SocketIo) if part.frame_len >= PAYLOAD_BYTES as u64 => {
                    self.messages += u64::from(part.is_last);
                }
                (CONTINUATION | TEXT | BINARY, Form::Nats(stream)) => {
                    self.messages += stream.take(part.bytes, &mut self.answers)?;
                }
                (CONTINUATION | TEXT | BINARY, Form::Mqtt(stream)) => {
                    self.messages += stream.take(part.bytes)?;
                }
                _ => self.take_short(&part)?,
            }
        }
        Ok(())
    }

    fn take_short(&mut self, part: &Part<'_>) -> anyhow::Result<()> {
        self.short.extend_from_slice(part.bytes);
        if !part.is_last {
            return Ok(());
        }
        match part.opcode {
            PING => put_masked(&mut self.answers, PONG, &self.short),
            CLOSE => bail!("the server closed a connection: {}", String::from_utf8_lossy(&self.short)),
            TEXT if matches!(self.form, Form::SocketIo) && self.short == b"2" => {
                put_masked(&mut self.answers, TEXT, b"3");
            }
            _ => {}
        }
        self.short.clear();
        Ok(())
    }
}
