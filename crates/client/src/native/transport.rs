//! An open WebSocket: reads and writes at once.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Sink, SinkExt, Stream};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        error::ProtocolError,
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use webpubsub_protocol::{close, subprotocol::Subprotocol};

use super::negotiate::innermost;
use crate::{failure::ConnectFailure, negotiate::ServiceUrl};

/// Longest message that we take from the service: the largest payload (1 MiB), written with six characters for each.
pub const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// How long a farewell may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Transport {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Frames not yet handed to the socket. Bounded by the machine's window, plus joins and pings.
    queue: VecDeque<Message>,
    is_flushed: bool,
}

pub(super) enum TransportEvent {
    Text(String),
    Closed { code: u16, reason: String },
}

impl Transport {
    /// Opens a WebSocket that offers the JSON subprotocol.
    pub(super) async fn open(url: ServiceUrl) -> Result<Self, ConnectFailure> {
        let refused = |error: &Error| ConnectFailure::Refused {
            url: url.without_query().to_owned(),
            detail: describe(error),
            status: if let Error::Http(response) = error { Some(response.status().as_u16()) } else { None },
        };
        let mut request = url.reveal().into_client_request().map_err(|error| refused(&error))?;
        let subprotocol = HeaderValue::from_static(Subprotocol::Json.name());
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        // A line typed alone must not wait for another.
        let without_nagle = true;
        let (socket, _) = connect_async_with_config(request, Some(config), without_nagle)
            .await
            .map_err(|error| refused(&error))?;
        Ok(Self { socket, queue: VecDeque::new(), is_flushed: true })
    }

    pub(super) fn queue(&mut self, frame: String) {
        self.queue.push_back(Message::text(frame));
    }

    /// Writes what is queued and waits for what comes, both at once. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> TransportEvent {
        poll_fn(|context| {
            if let Poll::Ready(Err(error)) = self.poll_write(context) {
                return Poll::Ready(closed_by(&error));
            }
            loop {
                return Poll::Ready(match std::task::ready!(Pin::new(&mut self.socket).poll_next(context)) {
                    Some(Ok(Message::Text(text))) => TransportEvent::Text(text.as_str().to_owned()),
                    Some(Ok(Message::Close(frame))) => {
                        let (code, reason) = frame.map_or((NO_CODE, String::new()), |frame| {
                            (frame.code.into(), frame.reason.to_string())
                        });
                        TransportEvent::Closed { code, reason }
                    }
                    // Pings are answered by the library; the JSON subprotocol has no binary messages.
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => closed_by(&error),
                    None => TransportEvent::Closed { code: close::ABNORMAL, reason: String::new() },
                });
            }
        })
        .await
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.queue.is_empty() {
            std::task::ready!(Pin::new(&mut self.socket).poll_ready(context))?;
            if let Some(message) = self.queue.pop_front() {
                Pin::new(&mut self.socket).start_send(message)?;
                self.is_flushed = false;
            }
        }
        if !self.is_flushed {
            std::task::ready!(Pin::new(&mut self.socket).poll_flush(context))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Says goodbye with code 1000, which tells the service that nobody will come back.
    pub(super) async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // A peer that does not take the farewell in time is gone anyway.
        drop(tokio::time::timeout(CLOSE_TIMEOUT, self.socket.send(Message::Close(Some(frame)))).await);
    }
}

/// RFC 6455, section 7.4.1: the close frame held no code.
const NO_CODE: u16 = 1005;

fn closed_by(error: &Error) -> TransportEvent {
    let reason = match error {
        // Ends without a closing handshake are common and need no words beyond the code.
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::ConnectionClosed => {
            String::new()
        }
        other => describe(other),
    };
    TransportEvent::Closed { code: close::ABNORMAL, reason }
}

/// What went wrong, without URL or headers, which may hold a token.
fn describe(error: &Error) -> String {
    match error {
        Error::Http(response) => format!("HTTP status {}", response.status().as_u16()),
        Error::Url(_) => "the URL is malformed".to_owned(),
        other => innermost(other),
    }
}
