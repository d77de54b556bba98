//! Server that costs next to nothing: it sends prepared messages, and waits for no acknowledgements.
//!
//! The processor then belongs to the browser, so that the figures are those of the viewers.

mod response;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Json, Router, routing::get};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request as Handshake, Response as Accepted},
        http::HeaderValue,
    },
};
use tower_http::services::ServeDir;
use webpubsub_protocol::{message::Request, name::GroupName, subprotocol::Subprotocol};

use response::{decode, encode};

/// Interval of messages in a paced load.
const PACE: Duration = Duration::from_millis(10);

type Socket = WebSocketStream<TcpStream>;

/// Pages, negotiate endpoint and WebSocket. The pages are served until it is dropped.
pub struct Feed {
    site: String,
    sockets: TcpListener,
    subprotocol: Subprotocol,
    task: JoinHandle<()>,
}

impl Feed {
    /// Serves the pages in the folder `site`, and negotiates connections with `subprotocol`.
    pub async fn start(site: &str, subprotocol: Subprotocol) -> anyhow::Result<Self> {
        let sockets = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}/client/hubs/stream?access_token=t", sockets.local_addr()?);
        let pages = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", pages.local_addr()?);
        let negotiate = get(move || async move { Json(json!({ "url": url })) });
        let router = Router::new().route("/negotiate", negotiate).fallback_service(ServeDir::new(site));
        let task = tokio::spawn(async move {
            // Runs until the task is aborted.
            axum::serve(pages, router).await.unwrap_or_default();
        });
        Ok(Self { site: address, sockets, subprotocol, task })
    }

    /// Returns the URL of the pages.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// Accepts the next viewer, and waits until it joins the group.
    #[allow(clippy::result_large_err, reason = "the library's signature of a handshake's callback")]
    pub async fn viewer(&self) -> anyhow::Result<Viewer> {
        let (socket, _) = self.sockets.accept().await?;
        socket.set_nodelay(true)?;
        let name = HeaderValue::from_static(self.subprotocol.name());
        let select = |_: &Handshake, mut accepted: Accepted| -> Result<Accepted, ErrorResponse> {
            accepted.headers_mut().insert("sec-websocket-protocol", name);
            Ok(accepted)
        };
        let (mut sink, mut requests) = accept_hdr_async(socket, select).await?.split();
        sink.send(encode(self.subprotocol, &response::connected())).await?;
        let group = loop {
            let request = requests.next().await.context("the viewer has left")??;
            if let Some((group, answer)) = joined(self.subprotocol, &request) {
                if let Some(answer) = answer {
                    sink.send(answer).await?;
                }
                break group;
            }
        };
        let sink = Arc::new(Mutex::new(sink));
        let (answers, subprotocol) = (Arc::clone(&sink), self.subprotocol);
        let reading = tokio::spawn(async move {
            while let Some(Ok(request)) = requests.next().await {
                let is_ping = matches!(decode(subprotocol, &request), Some(Request::Ping));
                let pong = encode(subprotocol, &response::pong());
                if is_ping && answers.lock().await.send(pong).await.is_err() {
                    return;
                }
            }
        });
        Ok(Viewer { group, sink, reading, subprotocol })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns the group that a request joins, and the acknowledgement that it asks for.
fn joined(subprotocol: Subprotocol, request: &Message) -> Option<(GroupName, Option<Message>)> {
    match decode(subprotocol, request)? {
        Request::JoinGroup { group, ack_id } => {
            Some((group, ack_id.map(|id| encode(subprotocol, &response::ack(id)))))
        }
        _ => None,
    }
}

/// Connection of a viewer that has joined.
pub struct Viewer {
    group: GroupName,
    sink: Arc<Mutex<SplitSink<Socket, Message>>>,
    reading: JoinHandle<()>,
    subprotocol: Subprotocol,
}

impl Viewer {
    /// Encodes messages for this viewer.
    pub fn prepare(&self, texts: impl Iterator<Item = String>) -> Vec<Message> {
        texts.map(|text| encode(self.subprotocol, &response::message(&self.group, text))).collect()
    }

    /// Sends messages as fast as the viewer receives them.
    pub async fn flood(&self, messages: Vec<Message>) -> anyhow::Result<()> {
        let mut sink = self.sink.lock().await;
        for message in messages {
            sink.feed(message).await?;
        }
        Ok(sink.flush().await?)
    }

    /// Sends one message every 10 ms.
    pub async fn pace(&self, messages: Vec<Message>) -> anyhow::Result<()> {
        let mut next = Instant::now();
        for message in messages {
            self.sink.lock().await.send(message).await?;
            next += PACE;
            sleep_until(next).await;
        }
        Ok(())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
