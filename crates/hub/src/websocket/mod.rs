//! Server side of WebSockets (RFC 6455).
//!
//! Implemented here instead of with a library, since fan-out needs access to encoded frames: each broadcast is encoded
//! once, its bytes are shared by all sockets, and all frames queued for a socket are sent in one vectored write.

pub mod driver;
pub mod frame;
pub mod inbox;
pub mod message_reader;
