//! `json.reliable.webpubsub.azure.v1`: recovery without loss, duplicates or reordering.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{server::Server, socket::Socket};

const RELIABLE: &str = "json.reliable.webpubsub.azure.v1";

/// Minimal reliable client.
struct Client {
    socket: Socket,
    recovery_url: String,
}

impl Client {
    /// Connects, and joins the group `stream`.
    async fn subscribe(server: &Server) -> anyhow::Result<Self> {
        let mut socket = Socket::open(&server.negotiate("ada").await?, &[RELIABLE]).await?;
        anyhow::ensure!(socket.subprotocol() == Some(RELIABLE));
        let connected = socket.json().await?;
        let member = |name: &str| connected[name].as_str().with_context(|| format!("no {name}: {connected}"));
        let recovery_url = format!(
            "ws://{}/client/hubs/stream?awps_connection_id={}&awps_reconnection_token={}",
            server.address(),
            member("connectionId")?,
            member("reconnectionToken")?
        );
        let joined = socket.ask(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
        anyhow::ensure!(joined["success"] == true, "{joined}");
        Ok(Self { socket, recovery_url })
    }

    /// Drops the socket without a close frame, and recovers the connection on a new one.
    async fn drop_and_recover(&mut self) -> anyhow::Result<()> {
        self.socket = recover(&self.recovery_url).await?;
        Ok(())
    }

    /// Waits for the next message. Returns its sequence id and text.
    async fn message(&mut self) -> anyhow::Result<(u64, String)> {
        let frame = self.socket.json().await?;
        anyhow::ensure!(frame["type"] == "message", "{frame}");
        let id = frame["sequenceId"].as_u64().context("no sequence id")?;
        Ok((id, frame["data"].as_str().context("no text")?.to_owned()))
    }

    async fn acknowledge(&mut self, id: u64) -> anyhow::Result<()> {
        self.socket.send(&format!(r#"{{"type":"sequenceAck","sequenceId":{id}}}"#)).await
    }
}

/// Recovers a connection on a new socket.
async fn recover(url: &str) -> anyhow::Result<Socket> {
    let mut socket = Socket::open(url, &[RELIABLE]).await?;
    let greeting = socket.json().await?;
    anyhow::ensure!(
        greeting["event"] == "connected" && greeting["reconnectionToken"].is_string(),
        "{greeting}"
    );
    Ok(socket)
}

/// Publishes a text, and waits for its acknowledgement.
async fn publish(publisher: &mut Socket, ack_id: u64, text: &str) -> anyhow::Result<()> {
    let frame = serde_json::json!({
        "type": "sendToGroup", "group": "stream", "dataType": "text", "data": text, "ackId": ack_id
    });
    let ack = publisher.ask(&frame.to_string()).await?;
    anyhow::ensure!(ack["ackId"] == ack_id && ack["success"] == true, "{ack}");
    Ok(())
}

#[tokio::test]
async fn a_recovered_client_receives_unacknowledged_messages_in_order_and_then_new_ones() -> anyhow::Result<()>
{
    let server = Server::start(&[]).await?;
    let (mut client, mut publisher) = (Client::subscribe(&server).await?, server.connect("bob").await?);
    for (ack_id, text) in [(1, "one"), (2, "two")] {
        publish(&mut publisher, ack_id, text).await?;
    }
    assert_eq!(client.message().await?, (1, "one".to_owned()));
    assert_eq!(client.message().await?, (2, "two".to_owned()));
    client.acknowledge(1).await?;
    // After the pong, the service has processed the preceding ack.
    assert_eq!(client.socket.ask(r#"{"type":"ping"}"#).await?["type"], "pong");
    client.drop_and_recover().await?;
    publish(&mut publisher, 3, "three").await?;
    // No `connected` event, no acknowledged messages, and the group is still joined.
    assert_eq!(client.message().await?, (2, "two".to_owned()));
    assert_eq!(client.message().await?, (3, "three".to_owned()));
    // The service still knows requests from before the recovery.
    let again = client.socket.ask(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
    assert_eq!(again["error"]["name"], "Duplicate");
    Ok(())
}

#[tokio::test]
async fn messages_are_queued_while_the_socket_is_closed() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (client, mut publisher) = (Client::subscribe(&server).await?, server.connect("bob").await?);
    let recovery_url = client.recovery_url.clone();
    drop(client);
    for ack_id in 1..=100 {
        publish(&mut publisher, ack_id, &format!("message {ack_id}")).await?;
    }
    let socket = recover(&recovery_url).await?;
    let mut client = Client { socket, recovery_url };
    for id in 1..=100 {
        assert_eq!(client.message().await?, (id, format!("message {id}")));
    }
    Ok(())
}

#[tokio::test]
async fn an_old_socket_is_closed_after_recovery() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut client, mut publisher) = (Client::subscribe(&server).await?, server.connect("bob").await?);
    let new = recover(&client.recovery_url).await?;
    let mut old = std::mem::replace(&mut client.socket, new);
    // The old socket is closed without a close frame, and its messages are ignored.
    assert!(old.json().await.is_err());
    publish(&mut publisher, 1, "to the new socket").await?;
    assert_eq!(client.message().await?, (1, "to the new socket".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_failed_recovery_is_closed_with_1008() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let refused = async |url: &str| {
        let mut socket = Socket::open(url, &[RELIABLE]).await?;
        anyhow::Ok(socket.closed().await?)
    };
    let client = Client::subscribe(&server).await?;
    let wrong_token = format!("{}x", client.recovery_url);
    let wrong_hub = client.recovery_url.replace("/stream?", "/other?");
    let unknown = client.recovery_url.replace("awps_connection_id=", "awps_connection_id=0");
    for url in [&wrong_token, &wrong_hub, &unknown] {
        assert_eq!(refused(url).await?, (1008, "The connection could not be recovered.".to_owned()), "{url}");
    }
    // A normal closure (1000) ends the connection permanently.
    let Client { mut socket, recovery_url } = client;
    let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() };
    socket.send_message(tokio_tungstenite::tungstenite::Message::Close(Some(frame))).await?;
    assert_eq!(socket.closed().await?.0, 1000);
    drop(socket);
    assert_eq!(refused(&recovery_url).await?.0, 1008);
    // A protocol violation ends the connection permanently, too.
    let Client { mut socket, recovery_url } = Client::subscribe(&server).await?;
    socket.send("nonsense").await?;
    assert_eq!(socket.closed().await?.0, 1007);
    assert_eq!(refused(&recovery_url).await?.0, 1008);
    Ok(())
}

#[tokio::test]
async fn a_client_that_never_acknowledges_is_closed_at_the_limit() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (client, mut publisher) = (Client::subscribe(&server).await?, server.connect("bob").await?);
    let recovery_url = client.recovery_url.clone();
    // Publishers do not wait for a client without a socket.
    drop(client);
    for ack_id in 1..=1001 {
        publish(&mut publisher, ack_id, "x").await?;
    }
    let mut socket = Socket::open(&recovery_url, &[RELIABLE]).await?;
    assert_eq!(socket.closed().await?.0, 1008);
    Ok(())
}

/// Seeded random number generator, so that failures are reproducible.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[tokio::test]
async fn messages_arrive_once_and_in_order_despite_random_disconnects() -> anyhow::Result<()> {
    const MESSAGES: u64 = 100_000;
    const BURST: u64 = 100;
    let server = Server::start(&[]).await?;
    let (mut client, mut publisher) = (Client::subscribe(&server).await?, server.connect("bob").await?);
    let publishing = async {
        for burst in 0..MESSAGES / BURST {
            for at in 0..BURST {
                let number = burst * BURST + at;
                let frame = format!(
                    r#"{{"type":"sendToGroup","group":"stream","dataType":"text","data":"{number}","ackId":{number}}}"#
                );
                publisher.send(&frame).await?;
            }
            for _ in 0..BURST {
                let ack: Value = publisher.json().await?;
                anyhow::ensure!(ack["success"] == true, "{ack}");
            }
        }
        anyhow::Ok(())
    };
    let receiving = async {
        let (mut random, mut largest, mut cuts) = (Random(42), 0, 0);
        while largest < MESSAGES {
            let until_cut = 1 + random.below(400);
            for _ in 0..until_cut {
                let (id, text) = client.message().await?;
                if id > largest {
                    anyhow::ensure!(id == largest + 1, "{id} after {largest}");
                    anyhow::ensure!(text == (id - 1).to_string(), "{id} is {text}");
                    largest = id;
                    if id.is_multiple_of(50) {
                        client.acknowledge(id).await?;
                    }
                }
                if largest == MESSAGES {
                    return anyhow::Ok(cuts);
                }
            }
            client.drop_and_recover().await?;
            cuts += 1;
        }
        Ok(cuts)
    };
    let (published, cuts) = tokio::join!(publishing, receiving);
    published?;
    let cuts = cuts?;
    assert!(cuts > 200, "only {cuts} cuts");
    Ok(())
}

#[tokio::test]
async fn a_stream_resumes_after_its_publisher_reconnects() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut publisher, mut subscriber) = (Client::subscribe(&server).await?, server.subscribe().await?);
    let start = r#"{"type":"sendToGroup","group":"stream","noEcho":true,"stream":{"streamId":"s"}}"#;
    assert_eq!(publisher.socket.ask(start).await?["expectedSequenceId"], 1);
    let fragment = |number: u64| {
        serde_json::json!({
            "type": "streamData", "streamId": "s", "streamSequenceId": number, "dataType": "text", "data": "x"
        })
        .to_string()
    };
    assert_eq!(publisher.socket.ask(&fragment(1)).await?["expectedSequenceId"], 2);
    publisher.drop_and_recover().await?;
    // The publisher resends messages without an ack; the service removes duplicates.
    assert_eq!(publisher.socket.ask(&fragment(1)).await?["expectedSequenceId"], 2);
    assert_eq!(publisher.socket.ask(&fragment(2)).await?["expectedSequenceId"], 3);
    let ended = publisher.socket.ask(r#"{"type":"streamEnd","streamId":"s"}"#).await?;
    assert_eq!((&ended["type"], &ended["error"]), (&"streamClosed".into(), &Value::Null));
    for number in 1..=3 {
        let stream = subscriber.json().await?["stream"].clone();
        assert_eq!(stream["streamSequenceId"], number);
        assert_eq!(stream["endOfStream"] == true, number == 3, "{stream}");
    }
    Ok(())
}
