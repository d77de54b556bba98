//! Protocols with a byte stream inside WebSocket frames, whose messages are not aligned to frames.

use anyhow::ensure;

use super::{
    frame::{BINARY, put_masked},
    protocol::{MQTT_DELIVERY_BYTES, NATS_DELIVERY_BYTES},
};

/// Removes up to `skip` bytes from `bytes`. Returns whether all were removed.
fn skip(bytes: &mut &[u8], skip: &mut usize) -> bool {
    let here = (*skip).min(bytes.len());
    *bytes = bytes.get(here..).unwrap_or_default();
    *skip -= here;
    *skip == 0
}

/// NATS stream: lines, with a payload after `MSG`. All messages have the same length.
#[derive(Debug, Default)]
pub struct NatsStream {
    message_left: usize,
    /// Partial line other than `MSG`.
    line: Vec<u8>,
}

impl NatsStream {
    /// Handles received bytes. Returns the number of messages that end in them.
    ///
    /// # Errors
    /// Fails if the server reports an error.
    pub fn push(&mut self, mut bytes: &[u8], responses: &mut Vec<u8>) -> anyhow::Result<u64> {
        let mut messages = 0;
        loop {
            if self.message_left > 0 && skip(&mut bytes, &mut self.message_left) {
                messages += 1;
            }
            match bytes.split_first() {
                None => return Ok(messages),
                Some((b'M', _)) if self.line.is_empty() => self.message_left = NATS_DELIVERY_BYTES,
                Some((byte, rest)) => {
                    self.line.push(*byte);
                    bytes = rest;
                    if *byte == b'\n' {
                        let line = String::from_utf8_lossy(&self.line);
                        ensure!(!line.starts_with("-ERR"), "nats-server reported {}", line.trim());
                        if self.line == b"PING\r\n" {
                            put_masked(responses, BINARY, b"PONG\r\n");
                        }
                        self.line.clear();
                    }
                }
            }
        }
    }
}

/// MQTT stream of packets. All messages have the same length.
#[derive(Debug, Default)]
pub struct MqttStream {
    packet_left: usize,
    is_message: bool,
    /// First byte of a packet whose length is not received yet.
    other: Option<u8>,
}

impl MqttStream {
    /// Handles received bytes. Returns the number of messages that end in them.
    ///
    /// # Errors
    /// Fails if the server refuses the connection.
    pub fn push(&mut self, mut bytes: &[u8]) -> anyhow::Result<u64> {
        const CONNACK: u8 = 0x20;
        const PUBLISH: u8 = 0x30;
        let mut messages = 0;
        loop {
            if self.packet_left > 0 && skip(&mut bytes, &mut self.packet_left) && self.is_message {
                messages += 1;
            }
            let Some((byte, rest)) = bytes.split_first() else { return Ok(messages) };
            match self.other.take() {
                None if *byte & 0xF0 == PUBLISH => {
                    (self.packet_left, self.is_message) = (MQTT_DELIVERY_BYTES, true);
                }
                None => {
                    self.other = Some(*byte);
                    bytes = rest;
                }
                Some(kind) => {
                    // A refusal is a CONNACK whose last byte is not zero.
                    let refused = kind == CONNACK && rest.get(1).is_some_and(|code| *code != 0);
                    ensure!(!refused, "the MQTT server refused the connection");
                    (self.packet_left, self.is_message) = (usize::from(*byte), false);
                    bytes = rest;
                }
            }
        }
    }
}
