//! Protocols of the servers.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use webpubsub_protocol::{
    connection_string::AccessKey,
    message::{Metadata, Request},
    name::GroupName,
    payload::Payload,
    protobuf,
    token::{Claims, UnixTime, sign},
};

use super::frame::{BINARY, TEXT, put_masked};

/// Size of a payload.
pub const PAYLOAD_BYTES: usize = 128;
/// `MSG stream 1 128`, the payload, and both line ends.
pub const NATS_DELIVERY_BYTES: usize = 16 + 2 + PAYLOAD_BYTES + 2;
/// Packet type, length in two bytes, topic with its length, payload.
pub const MQTT_DELIVERY_BYTES: usize = 1 + 2 + 2 + GROUP.len() + PAYLOAD_BYTES;

/// Group, subject or topic.
const GROUP: &str = "stream";
/// Lifetime of tokens, longer than any measurement.
const TOKEN_SECONDS: u64 = 3600;

/// Text message, which all servers support.
pub type Message = [u8; PAYLOAD_BYTES];

/// Protocol of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `json.webpubsub.azure.v1`
    Json,
    /// WebSocket client without a subprotocol whose messages go to a group.
    Simple,
    /// `protobuf.webpubsub.azure.v1`
    Protobuf,
    /// NATS inside WebSocket.
    Nats,
    /// MQTT 3.1.1 inside WebSocket, quality of service 0.
    Mqtt,
    /// WebSocket frames without a protocol.
    Ws,
    /// Engine.IO 4 and Socket.IO 5, WebSocket from the start.
    SocketIo,
}

/// Role of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sender.
    Publisher,
    /// Receiver.
    Subscriber,
}

impl Protocol {
    /// Returns the protocol with this name in `cargo xtask bench hub`.
    ///
    /// # Errors
    /// Fails if the name is unknown.
    pub fn by_name(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "json" => Self::Json,
            "simple" => Self::Simple,
            "protobuf" => Self::Protobuf,
            "nats" => Self::Nats,
            "mqtt" => Self::Mqtt,
            "ws" => Self::Ws,
            "socket.io" => Self::SocketIo,
            _ => bail!("unknown protocol `{name}`"),
        })
    }

    /// Returns path and query of the WebSocket at `address`.
    ///
    /// # Errors
    /// Fails if the access key is missing or invalid.
    pub fn path(self, address: &str, role: Role) -> anyhow::Result<String> {
        Ok(match self {
            Self::Json | Self::Protobuf => {
                format!("/client/hubs/stream?access_token={}", token(address, role)?)
            }
            Self::Simple => format!(
                "/client/hubs/stream?webpubsub_mode=sendToGroup&group={GROUP}&access_token={}",
                token(address, role)?
            ),
            Self::Nats | Self::Ws => "/".to_owned(),
            Self::Mqtt => "/mqtt".to_owned(),
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket".to_owned(),
        })
    }

    /// Returns the WebSocket subprotocol.
    pub fn subprotocol(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("json.webpubsub.azure.v1"),
            Self::Protobuf => Some("protobuf.webpubsub.azure.v1"),
            Self::Mqtt => Some("mqtt"),
            Self::Simple | Self::Nats | Self::Ws | Self::SocketIo => None,
        }
    }

    /// Returns the initial frames. Responses are not awaited: a message that reaches all subscribers is the check.
    pub fn initial_frames(self, role: Role) -> Vec<u8> {
        let mut frames = Vec::new();
        match self {
            // The token adds subscribers to the group.
            Self::Json | Self::Simple | Self::Protobuf | Self::Ws => {}
            Self::Nats => {
                let subscribe =
                    if role == Role::Subscriber { format!("SUB {GROUP} 1\r\n") } else { String::new() };
                let connect = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\n{subscribe}");
                put_masked(&mut frames, BINARY, connect.as_bytes());
            }
            Self::Mqtt => {
                // Version 4, a clean session, no keep-alive, and a client id selected by the server.
                put_masked(&mut frames, BINARY, b"\x10\x0C\0\x04MQTT\x04\x02\0\0\0\0");
                if role == Role::Subscriber {
                    let packet = [&b"\x82\x0B\0\x01\0\x06"[..], GROUP.as_bytes(), b"\0"].concat();
                    put_masked(&mut frames, BINARY, &packet);
                }
            }
            Self::SocketIo => put_masked(&mut frames, TEXT, b"40"),
        }
        frames
    }

    /// Appends frames that publish `messages`.
    pub fn put_publications(self, out: &mut Vec<u8>, messages: &[Message]) {
        let text = |message: &Message| String::from_utf8_lossy(message).into_owned();
        match self {
            // A NATS client sends its buffer as one frame.
            Self::Nats => {
                let publish = |message: &Message| [&b"PUB stream 128\r\n"[..], message, b"\r\n"].concat();
                let lines: Vec<u8> = messages.iter().flat_map(publish).collect();
                put_masked(out, BINARY, &lines);
            }
            Self::Mqtt => {
                for message in messages {
                    let packet = [&b"\x30\x88\x01\0\x06"[..], GROUP.as_bytes(), message].concat();
                    put_masked(out, BINARY, &packet);
                }
            }
            Self::Simple | Self::Ws => messages.iter().for_each(|message| put_masked(out, TEXT, message)),
            Self::Json => {
                for message in messages {
                    let data = text(message);
                    let request = format!(
                        r#"{{"type":"sendToGroup","group":"{GROUP}","dataType":"text","data":"{data}"}}"#
                    );
                    put_masked(out, TEXT, request.as_bytes());
                }
            }
            Self::Protobuf => {
                // The name is valid. With an invalid one, the check for delivery would fail.
                let Ok(group) = GroupName::new(GROUP) else { return };
                for message in messages {
                    let request = Request::SendToGroup {
                        group: group.clone().into(),
                        ack_id: None,
                        no_echo: false,
                        ttl_seconds: 0,
                        payload: Payload::Text(text(message).into()),
                        metadata: Metadata::new(),
                    };
                    put_masked(out, BINARY, &protobuf::encode_request(&request));
                }
            }
            Self::SocketIo => {
                for message in messages {
                    put_masked(out, TEXT, format!(r#"42["m","{}"]"#, text(message)).as_bytes());
                }
            }
        }
    }
}

fn token(address: &str, role: Role) -> anyhow::Result<String> {
    let key = std::env::var("TAILCAST_ACCESS_KEY").context("TAILCAST_ACCESS_KEY is not set")?;
    let now = UnixTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let mut claims = Claims::new(format!("http://{address}/client/hubs/stream"), now, TOKEN_SECONDS);
    match role {
        Role::Publisher => claims.roles = vec![format!("webpubsub.sendToGroup.{GROUP}")],
        Role::Subscriber => claims.groups = vec![GROUP.to_owned()],
    }
    Ok(sign(&claims, &AccessKey::new(&key)?)?)
}
