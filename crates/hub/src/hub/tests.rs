use tokio::time::Instant;
use webpubsub_protocol::{
    message::{Metadata, Response},
    payload::Payload,
    role::Permissions,
};
use webpubsub_websocket::encode::payloads;

use super::*;
use crate::{
    connection::WireFormat,
    outbox::{EncodedFrame, NextWrite},
};

fn connect(hub: &Hub, user: Option<&str>) -> Arc<ClientConnection> {
    let connection = Arc::new(ClientConnection::new(
        ConnectionId::random().unwrap(),
        user.map(str::to_owned),
        WireFormat::Simple,
        Permissions::default(),
    ));
    hub.add(&connection);
    connection
}

fn send(hub: &Hub, audience: Audience<'_>, excluded: &[&str], text: &str) {
    let message = Response::ServerMessage {
        payload: Payload::Text(text.into()),
        sequence: None,
        metadata: Metadata::new(),
    };
    assert!(
        hub.fan_out(
            audience,
            None,
            |c| excluded.contains(&c.id.as_str()),
            &mut Broadcast::new(&message, Instant::now())
        )
        .is_empty()
    );
}

/// Returns the payloads queued for the connection since the last call.
async fn received(connection: &ClientConnection) -> Vec<String> {
    // A marker frame makes the outbox answer at once, even if it is empty otherwise.
    let outbox = connection.attach(Instant::now()).unwrap();
    outbox.push(&EncodedFrame::from(b"\x81\x00".to_vec()));
    let NextWrite::Frames(frames) = outbox.next_write(Instant::now).await else { panic!("closed") };
    let text = |payload| String::from_utf8_lossy(payload).into_owned();
    payloads(&frames.concat()).map(text).filter(|text| !text.is_empty()).collect()
}

#[tokio::test]
async fn each_audience_receives_only_its_own_messages() {
    let hub = Hub::default();
    let group = GroupName::new("g").unwrap();
    let (ada, ada_too, bob) = (connect(&hub, Some("ada")), connect(&hub, Some("ada")), connect(&hub, None));
    hub.join(&bob.id, &group).unwrap();
    send(&hub, Audience::Everyone, &[], "all");
    send(&hub, Audience::Everyone, &[ada_too.id.as_str()], "all but one");
    send(&hub, Audience::Group(group.as_str()), &[], "group");
    send(&hub, Audience::User("ada"), &[], "user");
    send(&hub, Audience::Connection(bob.id.as_str()), &[], "connection");
    send(&hub, Audience::Connection("nobody"), &[], "lost");
    assert_eq!(received(&ada).await, ["all", "all but one", "user"]);
    assert_eq!(received(&ada_too).await, ["all", "user"]);
    assert_eq!(received(&bob).await, ["all", "all but one", "group", "connection"]);
}

#[tokio::test]
async fn publishers_wait_only_if_most_receivers_are_slow() {
    let hub = Hub::default();
    let (slow, quick) = (connect(&hub, None), connect(&hub, None));
    let text = "x".repeat(crate::outbox::HIGH_WATER_MARK_BYTES + 1);
    let publish = || {
        let message = Response::ServerMessage {
            payload: Payload::Text(text.as_str().into()),
            sequence: None,
            metadata: Metadata::new(),
        };
        hub.fan_out(Audience::Everyone, None, |_| false, &mut Broadcast::new(&message, Instant::now())).len()
    };
    assert_eq!(publish(), 2);
    let outbox = quick.attach(Instant::now()).unwrap();
    outbox.write_all().await;
    // The slow receiver alone is left, with the first message still queued.
    hub.remove(&quick);
    let short = |audience| {
        let message = Response::ServerMessage {
            payload: Payload::Text("x".into()),
            sequence: None,
            metadata: Metadata::new(),
        };
        hub.fan_out(audience, None, |_| false, &mut Broadcast::new(&message, Instant::now())).len()
    };
    assert_eq!(short(Audience::Everyone), 1);
    hub.add(&quick);
    assert_eq!(short(Audience::Everyone), 0);
    assert_eq!(short(Audience::Connection(slow.id.as_str())), 1);
}

#[tokio::test]
async fn connections_that_left_or_ended_receive_nothing_and_free_their_state() {
    let hub = Hub::default();
    let group = GroupName::new("g").unwrap();
    let (stays, leaves, goes) = (connect(&hub, None), connect(&hub, None), connect(&hub, Some("ada")));
    for connection in [&stays, &leaves, &goes] {
        hub.join(&connection.id, &group).unwrap();
        hub.join(&connection.id, &group).unwrap();
    }
    hub.leave(&leaves.id, &group);
    hub.remove(&goes);
    send(&hub, Audience::Group(group.as_str()), &[], "still here");
    assert_eq!(received(&stays).await, ["still here"]);
    assert!(received(&leaves).await.is_empty() && received(&goes).await.is_empty());
    hub.remove(&stays);
    hub.remove(&leaves);
    assert!(hub.read().groups.is_empty() && hub.read().users.is_empty() && hub.read().connections.is_empty());
    assert_eq!(hub.join(&stays.id, &group), Err(JoinError::NotConnected));
}
