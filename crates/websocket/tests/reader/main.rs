//! Tests of [`MessageReader`](webpubsub_websocket::MessageReader) with frames of a client.

mod cases;
mod client_frames;
mod messages;
mod reading;
