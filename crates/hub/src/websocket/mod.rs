//! WebSockets (RFC 6455), the service's side.
//!
//! Written here rather than taken from a library for one reason: a broadcast's frame is encoded once and its bytes go
//! to every socket, and everything that waits for a socket leaves in one vectored write. That needs the frames
//! themselves.

pub mod driver;
pub mod frame;
pub mod inbox;
pub mod message_reader;
