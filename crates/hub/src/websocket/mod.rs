//! WebSocket connections: sockets, deadlines and pings. [`webpubsub_websocket`] has the framing.

pub(crate) mod driver;
pub(crate) mod inbox;
