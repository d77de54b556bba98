//! Received data of one connection: counts messages and responds to pings.

use anyhow::bail;

use super::{
    frame::{BINARY, CLOSE, CONTINUATION, FrameReader, PING, PONG, Part, TEXT, put_masked},
    protocol::{PAYLOAD_BYTES, Protocol},
    stream::{MqttStream, NatsStream},
};

/// Framing of messages in a protocol.
#[derive(Debug)]
enum Framing {
    /// One message per frame. Frames that are shorter than a payload are control messages.
    Frames,
    /// As `Frames`, with Engine.IO pings (`2`) and pongs (`3`).
    SocketIo,
    /// NATS stream, which is not aligned to frames.
    Nats(NatsStream),
    /// MQTT stream, which is not aligned to frames.
    Mqtt(MqttStream),
}

/// Message counter of one connection.
#[derive(Debug)]
pub struct Inbox {
    frames: FrameReader,
    framing: Framing,
    /// Partial short frame.
    short: Vec<u8>,
    /// Responses to pings.
    pub responses: Vec<u8>,
    /// Number of messages so far.
    pub messages: u64,
}

impl Inbox {
    /// Creates the inbox of a new connection.
    pub fn new(protocol: Protocol) -> Self {
        let framing = match protocol {
            Protocol::Json | Protocol::Simple | Protocol::Protobuf | Protocol::Ws => Framing::Frames,
            Protocol::SocketIo => Framing::SocketIo,
            Protocol::Nats => Framing::Nats(NatsStream::default()),
            Protocol::Mqtt => Framing::Mqtt(MqttStream::default()),
        };
        Self {
            frames: FrameReader::default(),
            framing,
            short: Vec::new(),
            responses: Vec::new(),
            messages: 0,
        }
    }

    /// Handles received bytes.
    ///
    /// # Errors
    /// Fails if the server closes the connection, or reports an error.
    pub fn push(&mut self, mut bytes: &[u8]) -> anyhow::Result<()> {
        while let Some(part) = self.frames.next_part(&mut bytes) {
            match (part.opcode, &mut self.framing) {
                (TEXT | BINARY, Framing::Frames | Framing::SocketIo)
                    if part.frame_len >= PAYLOAD_BYTES as u64 =>
                {
                    self.messages += u64::from(part.is_last);
                }
                (CONTINUATION | TEXT | BINARY, Framing::Nats(stream)) => {
                    self.messages += stream.push(part.bytes, &mut self.responses)?;
                }
                (CONTINUATION | TEXT | BINARY, Framing::Mqtt(stream)) => {
                    self.messages += stream.push(part.bytes)?;
                }
                _ => self.push_short(&part)?,
            }
        }
        Ok(())
    }

    fn push_short(&mut self, part: &Part<'_>) -> anyhow::Result<()> {
        self.short.extend_from_slice(part.bytes);
        if !part.is_last {
            return Ok(());
        }
        match part.opcode {
            PING => put_masked(&mut self.responses, PONG, &self.short),
            CLOSE => bail!("the server closed a connection: {}", String::from_utf8_lossy(&self.short)),
            TEXT if matches!(self.framing, Framing::SocketIo) && self.short == b"2" => {
                put_masked(&mut self.responses, TEXT, b"3");
            }
            _ => {}
        }
        self.short.clear();
        Ok(())
    }
}
