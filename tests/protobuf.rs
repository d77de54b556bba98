//! Protobuf subprotocols, and messages between JSON and protobuf clients.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use tailcast_tests::{server::Server, socket::Socket};
use tokio_tungstenite::tungstenite::Message;
use webpubsub_protocol::{
    message::{Metadata, Request, Response, Sequence},
    name::GroupName,
    payload::Payload,
    protobuf::{decode_response, encode_request},
};

const PLAIN: &str = "protobuf.webpubsub.azure.v1";
const RELIABLE: &str = "protobuf.reliable.webpubsub.azure.v1";

async fn ask(socket: &mut Socket, request: &Request<'_>) -> anyhow::Result<Response<'static>> {
    socket.send_message(Message::binary(encode_request(request))).await?;
    hear(socket).await
}

async fn hear(socket: &mut Socket) -> anyhow::Result<Response<'static>> {
    match socket.message().await? {
        Message::Binary(bytes) => match decode_response(&bytes)? {
            Some(response) => Ok(response.into_owned()),
            None => anyhow::bail!("a response of no kind that is known: {bytes:x?}"),
        },
        other => anyhow::bail!("not a binary message: {other:?}"),
    }
}

fn stream() -> anyhow::Result<GroupName> {
    Ok(GroupName::new("stream")?)
}

fn join(ack_id: u64) -> anyhow::Result<Request<'static>> {
    Ok(Request::JoinGroup { group: stream()?, ack_id: Some(ack_id) })
}

fn send(ack_id: u64, payload: Payload<'static>) -> anyhow::Result<Request<'static>> {
    let metadata = Metadata::new();
    Ok(Request::SendToGroup {
        group: stream()?.into(),
        ack_id: Some(ack_id),
        no_echo: true,
        ttl_seconds: 0,
        payload,
        metadata,
    })
}

fn succeeded(ack_id: u64) -> Response<'static> {
    Response::Ack { ack_id, outcome: Ok(()) }
}

/// Connects a client and joins the group. Returns the client with its connection id and reconnection token.
async fn subscribe(server: &Server, subprotocol: &str) -> anyhow::Result<(Socket, String, Option<String>)> {
    let mut socket = Socket::open(&server.negotiate("ada").await?, &[subprotocol]).await?;
    anyhow::ensure!(socket.subprotocol() == Some(subprotocol));
    let Response::Connected { connection_id, user_id, reconnection_token, .. } = hear(&mut socket).await?
    else {
        anyhow::bail!("not greeted");
    };
    anyhow::ensure!(user_id.as_deref() == Some("ada"));
    anyhow::ensure!(ask(&mut socket, &join(1)?).await? == succeeded(1));
    Ok((socket, connection_id, reconnection_token))
}

#[tokio::test]
async fn each_data_type_is_delivered_across_subprotocols() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut protobuf, _, _) = subscribe(&server, PLAIN).await?;
    let mut json = server.subscribe().await?;
    // An `Any` with type_url "a.b/c" and value 08 01.
    let any = vec![0x0A, 0x05, b'a', b'.', b'b', b'/', b'c', 0x12, 0x02, 0x08, 0x01];
    for (ack_id, payload, data_type, data) in [
        (2, Payload::Text("héllo".into()), "text", serde_json::json!("héllo")),
        (3, Payload::Binary(vec![1, 2, 3].into()), "binary", serde_json::json!("AQID")),
        (4, Payload::Json("{\"n\":1}".into()), "json", serde_json::json!({"n": 1})),
        (5, Payload::Protobuf(any.into()), "protobuf", serde_json::json!("CgVhLmIvYxICCAE=")),
    ] {
        assert_eq!(ask(&mut protobuf, &send(ack_id, payload)?).await?, succeeded(ack_id));
        let heard = json.json().await?;
        assert_eq!((&heard["dataType"], &heard["data"]), (&data_type.into(), &data));
        assert_eq!(heard["fromUserId"], "ada");
    }
    // Protobuf clients receive JSON as JSON data, as the published schema has it.
    for (frame, expected) in [
        (
            r#"{"type":"sendToGroup","group":"stream","noEcho":true,"data":{"n": 1.0}}"#,
            Payload::Json("{\"n\": 1.0}".into()),
        ),
        (
            r#"{"type":"sendToGroup","group":"stream","noEcho":true,"dataType":"binary","data":"AQID"}"#,
            Payload::Binary(vec![1, 2, 3].into()),
        ),
    ] {
        json.send(frame).await?;
        let Response::GroupMessage { group, payload, .. } = hear(&mut protobuf).await? else {
            anyhow::bail!("not a group message");
        };
        assert_eq!((&*group, payload), ("stream", expected));
    }
    assert_eq!(ask(&mut protobuf, &Request::Ping).await?, Response::Pong);
    Ok(())
}

#[tokio::test]
async fn a_reliable_client_recovers_with_its_subprotocol() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut client, id, token) = subscribe(&server, RELIABLE).await?;
    let mut json = server.subscribe().await?;
    let url = format!(
        "ws://{}/client/hubs/stream?awps_connection_id={id}&awps_reconnection_token={}",
        server.address(),
        token.unwrap_or_default()
    );
    let publish = async |json: &mut Socket, ack_id: u64| {
        let frame = format!(
            r#"{{"type":"sendToGroup","group":"stream","noEcho":true,"dataType":"text","data":"{ack_id}","ackId":{ack_id}}}"#
        );
        json.ask(&frame).await
    };
    let message = |count: u64, text: &str| Response::GroupMessage {
        group: "stream".into(),
        from_user_id: None,
        payload: Payload::Text(text.to_owned().into()),
        sequence: Some(Sequence { id: count, count: Some(count) }),
        metadata: Metadata::new(),
        stream: None,
    };
    publish(&mut json, 10).await?;
    publish(&mut json, 11).await?;
    assert_eq!(hear(&mut client).await?, message(1, "10"));
    let acknowledge = encode_request(&Request::SequenceAck { sequence_id: 1 });
    client.send_message(Message::binary(acknowledge)).await?;
    assert_eq!(hear(&mut client).await?, message(2, "11"));
    assert_eq!(ask(&mut client, &Request::Ping).await?, Response::Pong);
    drop(client);
    publish(&mut json, 12).await?;
    // The subprotocol offered for the recovery does not change that of the connection.
    let mut client = Socket::open(&url, &[RELIABLE]).await?;
    assert!(
        matches!(hear(&mut client).await?, Response::Connected { connection_id, .. } if connection_id == id)
    );
    assert_eq!(hear(&mut client).await?, message(2, "11"));
    assert_eq!(hear(&mut client).await?, message(3, "12"));
    Ok(())
}

#[tokio::test]
async fn malformed_frames_close_the_connection_with_the_subprotocols_name() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for subprotocol in [PLAIN, RELIABLE] {
        let (mut client, _, _) = subscribe(&server, subprotocol).await?;
        client.send("text").await?;
        let expected = format!("The {subprotocol} subprotocol requires binary messages.");
        assert_eq!(client.closed().await?, (1003, expected));
        let (mut client, _, _) = subscribe(&server, subprotocol).await?;
        client.send_message(Message::binary(vec![0xFF, 0xFF])).await?;
        let expected = format!("The client message is not a valid {subprotocol} protocol message.");
        assert_eq!(client.closed().await?, (1007, expected));
    }
    Ok(())
}
