//! A service of the test's own, to see what a client sends and to answer as the test likes.

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

use crate::{answering::Answering, socket::JSON};

/// See the [module](self).
pub struct OwnService {
    negotiate: Answering,
    listener: TcpListener,
}

impl OwnService {
    /// Its negotiate endpoint answers from now on.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}/client/hubs/stream?access_token=t", listener.local_addr()?);
        let answer = serde_json::json!({ "url": url }).to_string();
        let negotiate = Answering::with("200 OK", "application/json", &answer).await?;
        Ok(Self { negotiate, listener })
    }

    /// Where a client gets this service's URL.
    #[must_use]
    pub fn negotiate_url(&self) -> String {
        self.negotiate.url("/negotiate")
    }

    /// The next client, which speaks plain JSON and is told that it is connected.
    ///
    /// # Errors
    /// When the handshake fails.
    #[allow(clippy::result_large_err, reason = "the library's signature of a handshake's callback")]
    pub async fn accept(&self) -> anyhow::Result<WebSocketStream<TcpStream>> {
        let (socket, _) = self.listener.accept().await?;
        let choose = |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(JSON));
            Ok(response)
        };
        let mut socket = accept_hdr_async(socket, choose).await?;
        let connected = r#"{"type":"system","event":"connected","userId":null,"connectionId":"c"}"#;
        socket.send(Message::text(connected)).await?;
        Ok(socket)
    }
}
