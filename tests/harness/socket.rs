//! WebSocket client that is independent of the client of this project.

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
    },
};

use crate::with_timeout;

/// Name of the JSON subprotocol.
pub const JSON: &str = "json.webpubsub.azure.v1";

/// Open WebSocket.
pub struct Socket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    subprotocol: Option<String>,
}

impl Socket {
    /// Opens a WebSocket with the given subprotocols.
    ///
    /// # Errors
    /// Fails if the handshake fails.
    pub async fn open(url: &str, subprotocols: &[&str]) -> anyhow::Result<Self> {
        Self::open_with(url, subprotocols, &[]).await
    }

    /// Opens a WebSocket with the given subprotocols and headers.
    ///
    /// # Errors
    /// Fails if the handshake fails.
    pub async fn open_with(
        url: &str,
        subprotocols: &[&str],
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut request = url.into_client_request()?;
        let offer = subprotocols.join(", ");
        let offered = [("sec-websocket-protocol", offer.as_str())];
        let offered = offered.iter().filter(|(_, offer)| !offer.is_empty());
        for (name, value) in headers.iter().chain(offered) {
            request.headers_mut().insert(name.parse::<HeaderName>()?, HeaderValue::from_str(value)?);
        }
        let (socket, response) =
            with_timeout("WebSocket handshake", async { Ok(connect_async(request).await?) }).await?;
        let subprotocol =
            response.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
        Ok(Self { socket, subprotocol: subprotocol.map(str::to_owned) })
    }

    /// Returns the HTTP status of a refused handshake.
    ///
    /// # Errors
    /// Fails if the handshake succeeds, or fails without an HTTP status.
    pub async fn refusal(url: &str, subprotocols: &[&str], headers: &[(&str, &str)]) -> anyhow::Result<u16> {
        let Err(error) = Self::open_with(url, subprotocols, headers).await else {
            anyhow::bail!("the handshake was accepted");
        };
        match error.downcast_ref::<Error>() {
            Some(Error::Http(response)) => Ok(response.status().as_u16()),
            _ => Err(error),
        }
    }

    /// Returns the subprotocol that the service selected.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// Fails if the connection is closed.
    pub async fn send(&mut self, text: &str) -> anyhow::Result<()> {
        self.send_message(Message::text(text)).await
    }

    /// Sends any message.
    ///
    /// # Errors
    /// Fails if the connection is closed.
    pub async fn send_message(&mut self, message: Message) -> anyhow::Result<()> {
        with_timeout("sending a message", async { Ok(self.socket.send(message).await?) }).await
    }

    /// Waits for the next message other than ping and pong.
    ///
    /// # Errors
    /// Fails if the connection is closed.
    pub async fn message(&mut self) -> anyhow::Result<Message> {
        with_timeout("a message", async {
            loop {
                match self.socket.next().await.context("the connection was closed")?? {
                    Message::Ping(_) | Message::Pong(_) => {}
                    message => return Ok(message),
                }
            }
        })
        .await
    }

    /// Waits for the next text message.
    ///
    /// # Errors
    /// Fails if the next message is of another type.
    pub async fn text(&mut self) -> anyhow::Result<String> {
        match self.message().await? {
            Message::Text(text) => Ok(text.to_string()),
            other => anyhow::bail!("not a text message: {other:?}"),
        }
    }

    /// Waits for the next text message, and parses it as JSON.
    ///
    /// # Errors
    /// Fails if the next message is not JSON text.
    pub async fn json(&mut self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.text().await?)?)
    }

    /// Sends a request. Returns the next frame.
    ///
    /// # Errors
    /// Fails if the connection is closed.
    pub async fn ask(&mut self, request: &str) -> anyhow::Result<Value> {
        self.send(request).await?;
        self.json().await
    }

    /// Receives group messages until they have `count` complete lines. Returns the texts of these lines in order.
    ///
    /// # Errors
    /// Fails if the connection is closed before.
    pub async fn lines(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        Ok(self.marked_lines(count).await?.into_iter().map(|line| line.text).collect())
    }

    /// Waits for the close frame of the service. Returns its code and reason.
    ///
    /// # Errors
    /// Fails if the connection is closed without a close frame.
    pub async fn closed(&mut self) -> anyhow::Result<(u16, String)> {
        loop {
            if let Message::Close(frame) = self.message().await? {
                let frame = frame.context("a close frame without a code")?;
                return Ok((frame.code.into(), frame.reason.to_string()));
            }
        }
    }
}
