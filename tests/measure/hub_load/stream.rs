//! Protocols that are a stream of their own inside WebSocket frames: nothing says that a frame holds one message.

use anyhow::ensure;

use super::{
    frame::{BINARY, put_masked},
    protocol::{MQTT_DELIVERY_BYTES, NATS_DELIVERY_BYTES},
};

/// Splits up to `skip` bytes off `bytes`, and tells whether that was all.
fn skip(bytes: &mut &[u8], skip: &mut usize) -> bool {
    let here = (*skip).min(bytes.len());
    *bytes = bytes.get(here..).unwrap_or_default();
    *skip -= here;
    *skip == 0
}

/// NATS: lines, of which `MSG` is followed by a payload. All messages here are equally long.
#[derive(Debug, Default)]
pub struct NatsStream {
    message_left: usize,
    /// A line that is no message, as far as it has come.
    line: Vec<u8>,
}

impl NatsStream {
    /// Takes bytes, and gives how many messages ended in them.
    ///
    /// # Errors
    /// When the server complains.
    pub fn take(&mut self, mut bytes: &[u8], answers: &mut Vec<u8>) -> anyhow::Result<u64> {
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
                        let complaint = String::from_utf8_lossy(&self.line);
                        ensure!(!complaint.starts_with("-ERR"), "nats-server said {}", complaint.trim());
                        if self.line == b"PING\r\n" {
                            put_masked(answers, BINARY, b"PONG\r\n");
                        }
                        self.line.clear();
                    }
                }
            }
        }
    }
}

/// MQTT: packets. All messages here are equally long.
#[derive(Debug, Default)]
pub struct MqttStream {
    packet_left: usize,
    is_message: bool,
    /// First byte of a packet whose length has not come yet.
    other: Option<u8>,
}

impl MqttStream {
    /// Takes bytes, and gives how many messages ended in them.
    ///
    /// # Errors
    /// When the server refuses a connection or a subscription.
    pub fn take(&mut self, mut bytes: &[u8]) -> anyhow::Result<u64> {
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
