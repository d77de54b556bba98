//! An open WebSocket: reads and writes at once.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Sink, SinkExt, Stream};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        Bytes, Error, Message, Utf8Bytes,
        client::IntoClientRequest,
        error::{ProtocolError, SubProtocolError},
        http::{
            HeaderValue, Response,
            header::{CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL},
        },
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use webpubsub_protocol::{close, subprotocol::Subprotocol};

use super::{negotiate::innermost, network::Network, proxy, trust::is_certificate_error};
use crate::{
    codec::Frame,
    failure::{ConnectFailure, status_text},
    negotiate::ServiceUrl,
    outgoing::MAX_FRAME_BYTES,
    refusal,
};

/// Bytes asked for in one read. The library fills as many with noughts before each.
const READ_BYTES: usize = 16 * 1024;

pub(super) struct Transport {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    subprotocol: Option<Subprotocol>,
    /// Frames that were not passed to the socket yet. Bounded by `max_queued_bytes` and the windows of the machine, plus joins, acks
    /// and pings.
    queue: VecDeque<Message>,
    queued_bytes: usize,
    /// Limit above which no request of the application is taken.
    max_queued_bytes: usize,
    is_flushed: bool,
}

pub(super) enum TransportEvent {
    Text(Utf8Bytes),
    Binary(Bytes),
    Closed { code: u16, reason: String },
}

impl Transport {
    /// Opens a WebSocket that offers `subprotocols`, in this order.
    pub(super) async fn open(
        url: ServiceUrl,
        subprotocols: Vec<Subprotocol>,
        network: &Network,
    ) -> Result<Self, ConnectFailure> {
        let offered: Vec<&str> = subprotocols.iter().map(|subprotocol| subprotocol.name()).collect();
        let offered = offered.join(", ");
        let refused = |error: &Error| refusal(&url, &offered, error);
        let mut request = url.reveal().into_client_request().map_err(|error| refused(&error))?;
        if let Ok(offer) = HeaderValue::from_str(&offered) {
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offer);
        }
        let max_message_bytes = network.limits.received_bytes;
        let config = WebSocketConfig::default()
            .max_write_buffer_size(max_write_buffer_bytes(max_message_bytes))
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes))
            .read_buffer_size(READ_BYTES);
        let io_failed = |error| refused(&Error::Io(error));
        let connector = if request.uri().scheme_str() == Some("wss") {
            Connector::Rustls(network.tls().map_err(|error| io_failed(io::Error::other(error)))?)
        } else {
            Connector::Plain
        };
        let socket = proxy::connect(request.uri(), network).await.map_err(io_failed)?;
        let (socket, response) = client_async_tls_with_config(request, socket, Some(config), Some(connector))
            .await
            .map_err(|error| refused(&error))?;
        let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL).and_then(|name| name.to_str().ok());
        let subprotocol = chosen.and_then(Subprotocol::from_name);
        let max_queued_bytes = network.limits.socket_bytes;
        let queue = VecDeque::new();
        Ok(Self { socket, subprotocol, queue, queued_bytes: 0, max_queued_bytes, is_flushed: true })
    }

    /// What the service chose.
    pub(super) fn subprotocol(&self) -> Option<Subprotocol> {
        self.subprotocol
    }

    /// Whether the socket keeps up with what is queued.
    pub(super) fn has_room(&self) -> bool {
        self.queued_bytes < self.max_queued_bytes
    }

    pub(super) fn queue(&mut self, frame: Frame) {
        self.queued_bytes += frame.len();
        self.queue.push_back(match frame {
            Frame::Text(text) => Message::text(text),
            Frame::Binary(bytes) => Message::binary(bytes),
        });
    }

    /// Writes what is queued and waits for what comes, both at once; does not read unless `may_read`. May be dropped
    /// and called again without loss.
    pub(super) async fn next(&mut self, may_read: bool) -> TransportEvent {
        poll_fn(|context| {
            let had_room = self.has_room();
            if let Poll::Ready(Err(error)) = self.poll_write(context) {
                return Poll::Ready(closed_by(&error));
            }
            if !had_room && self.has_room() {
                // Who waits for room is asked again in the next round.
                context.waker().wake_by_ref();
            }
            if !may_read {
                return Poll::Pending;
            }
            loop {
                return Poll::Ready(match std::task::ready!(Pin::new(&mut self.socket).poll_next(context)) {
                    Some(Ok(Message::Text(text))) => TransportEvent::Text(text),
                    Some(Ok(Message::Binary(bytes))) => TransportEvent::Binary(bytes),
                    Some(Ok(Message::Close(frame))) => {
                        let (code, reason) = frame.map_or((NO_CODE, String::new()), |frame| {
                            (frame.code.into(), frame.reason.to_string())
                        });
                        TransportEvent::Closed { code, reason }
                    }
                    // Pings are answered by the library.
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
                self.queued_bytes -= message.len();
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

    /// Closes the connection with code 1000, after which the service does not retain it.
    pub(super) async fn close(mut self, timeout: Duration) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // A peer that does not take the farewell in time is gone anyway.
        drop(tokio::time::timeout(timeout, self.socket.send(Message::Close(Some(frame)))).await);
    }
}

/// Returns the bytes that the library may hold for the socket, the pongs to a service that does not read them included: more than
/// the longest message that is sent takes.
fn max_write_buffer_bytes(max_message_bytes: usize) -> usize {
    max_message_bytes.max(MAX_FRAME_BYTES).saturating_mul(2)
}

/// RFC 6455, section 7.4.1: the close frame held no code.
const NO_CODE: u16 = 1005;

fn refusal(url: &ServiceUrl, offered: &str, error: &Error) -> ConnectFailure {
    let url = url.shown();
    match error {
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol | SubProtocolError::InvalidSubProtocol,
        )) => ConnectFailure::NoSubprotocol { url, offered: offered.to_owned() },
        Error::Http(response) => {
            ConnectFailure::Refused { url, detail: describe(error), status: Some(response.status().as_u16()) }
        }
        _ if is_certificate_error(error) => {
            ConnectFailure::UntrustedCertificate { url, detail: describe(error) }
        }
        _ => ConnectFailure::Refused { url, detail: describe(error), status: None },
    }
}

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
        Error::Http(response) => describe_response(response),
        Error::Url(_) => "the URL is malformed".to_owned(),
        other => innermost(other),
    }
}

/// Describes a response in place of the WebSocket: status and reason. Its body is what came along with the headers.
fn describe_response(response: &Response<Option<Vec<u8>>>) -> String {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let body = response.body().as_deref().unwrap_or_default();
    // With chunks, or cut off, it would not be the reason alone.
    let is_whole = header(CONTENT_LENGTH).is_some_and(|length| length == body.len().to_string());
    let reason = header(CONTENT_TYPE)
        .filter(|_| is_whole)
        .and_then(|content_type| refusal::reason(status, content_type, &String::from_utf8_lossy(body)));
    let status = status_text(status);
    reason.map_or_else(|| format!("HTTP status {status}"), |reason| format!("HTTP status {status}: {reason}"))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::{io::AsyncWriteExt, net::TcpListener};
    use tokio_tungstenite::{
        accept_hdr_async,
        tungstenite::handshake::server::{ErrorResponse, Request, Response as Accepted},
    };

    use super::*;
    use crate::{native::network::NetworkOptions, options::ClientOptions};

    #[allow(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the type of the library")]
    fn accept_json(_: &Request, mut response: Accepted) -> Result<Accepted, ErrorResponse> {
        let chosen = HeaderValue::from_static(Subprotocol::Json.name());
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, chosen);
        Ok(response)
    }

    #[tokio::test]
    async fn pongs_to_a_service_that_does_not_read_them_are_bounded() {
        let network = Network::new(NetworkOptions::default(), &ClientOptions::new());
        let max_held_bytes = max_write_buffer_bytes(network.limits.received_bytes);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = ServiceUrl::new(format!("ws://{}/", listener.local_addr().unwrap())).unwrap();
        let service = async {
            let (socket, _) = listener.accept().await.unwrap();
            let mut socket = accept_hdr_async(socket, accept_json).await.unwrap();
            let ping = [&[0x89, 125][..], &[0; 125]].concat();
            let pings = ping.repeat(READ_BYTES / ping.len());
            // Far more than the socket and the client may hold.
            for _ in 0..4 * max_held_bytes / pings.len() {
                socket.get_mut().write_all(&pings).await.unwrap();
            }
            socket.send(Message::text("end")).await.unwrap();
            let mut pong_bytes = 0;
            while let Message::Pong(pong) = socket.next().await.unwrap().unwrap() {
                pong_bytes += pong.len();
            }
            pong_bytes
        };
        let client = async {
            let mut transport = Transport::open(url, vec![Subprotocol::Json], &network).await.unwrap();
            assert!(matches!(transport.next(true).await, TransportEvent::Text(text) if text == "end"));
            transport.queue(Frame::Text("end".to_owned()));
            transport.next(true).await
        };
        let (pong_bytes, _) = tokio::join!(service, client);
        assert!(pong_bytes < 2 * max_held_bytes, "{pong_bytes} bytes of pongs waited");
    }
}
