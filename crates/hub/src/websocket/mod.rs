//! WebSocket connections: sockets, deadlines and pings. [`webpubsub_websocket`] has the framing.

pub mod driver;
pub mod inbox;
