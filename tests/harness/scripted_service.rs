//! Scripted service: a test receives the frames of a client and sends the responses itself.

use futures_util::SinkExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::HeaderValue,
    },
};

use crate::{fixed_response::FixedResponse, socket::JSON};

/// Service that a test controls.
pub struct ScriptedService {
    negotiate: FixedResponse,
    listener: TcpListener,
}

impl ScriptedService {
    /// Starts the negotiate endpoint and the WebSocket listener.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}/client/hubs/stream?access_token=t", listener.local_addr()?);
        let answer = serde_json::json!({ "url": url }).to_string();
        let negotiate = FixedResponse::with("200 OK", "application/json", &answer).await?;
        Ok(Self { negotiate, listener })
    }

    /// Returns the URL of the negotiate endpoint.
    #[must_use]
    pub fn negotiate_url(&self) -> String {
        self.negotiate.url("/negotiate")
    }

    /// Accepts the next client with the JSON subprotocol, and sends it the `connected` event.
    ///
    /// # Errors
    /// Fails if the handshake fails.
    #[allow(clippy::result_large_err, reason = "the library's signature of a handshake's callback")]
    pub async fn accept(&self) -> anyhow::Result<WebSocketStream<TcpStream>> {
        let (socket, _) = self.listener.accept().await?;
        let select = |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(JSON));
            Ok(response)
        };
        let mut socket = accept_hdr_async(socket, select).await?;
        let connected = r#"{"type":"system","event":"connected","userId":null,"connectionId":"c"}"#;
        socket.send(Message::text(connected)).await?;
        Ok(socket)
    }
}
