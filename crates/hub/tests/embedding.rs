//! The example of an application that embeds the service, as a process with a real client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

/// Timeout of each wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// Running example, ended when dropped.
struct Example {
    process: Child,
    address: String,
}

impl Example {
    fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        let name = format!("embed_in_axum{}", std::env::consts::EXE_SUFFIX);
        let program: PathBuf = test.ancestors().nth(2).unwrap().join("examples").join(name);
        let mut command = Command::new(&program);
        let process = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
        let mut process = process.unwrap_or_else(|error| {
            panic!("cannot start {}: {error}; build it with `cargo build --examples`", program.display())
        });
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { process, address }
    }

    async fn connect(&self, query: &str) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
        let url = format!("ws://{}/client/hubs/news{query}", self.address);
        timeout(PATIENCE, connect_async(url)).await.unwrap().map(|(socket, _)| socket)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn text(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> String {
    let message = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    message.into_text().unwrap().to_string()
}

#[tokio::test]
async fn a_client_of_an_embedded_service_receives_what_the_application_publishes() {
    // Fails if another test of this process has installed the provider.
    drop(rustls::crypto::ring::default_provider().install_default());
    let example = Example::start();
    let rejected = example.connect("").await;
    assert!(matches!(&rejected, Err(Error::Http(response)) if response.status() == 403), "{rejected:?}");

    let mut client = example.connect("?name=ada").await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("http://{}/headlines", example.address)).body("It works");
    assert_eq!(request.send().await.unwrap().status(), 202);
    assert_eq!(text(&mut client).await, "It works");

    client.send(Message::text("hello")).await.unwrap();
    assert_eq!(text(&mut client).await, "Thank you, ada");
}
