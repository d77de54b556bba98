//! Sessions against a hub in memory: no socket, no task.

use webpubsub_protocol::role::Permissions;

use super::*;
use crate::{connection::ConnectionId, outbox::Departure};

struct Client {
    session: Session,
}

impl Client {
    fn new(hub: &Arc<Hub>, format: WireFormat, roles: &[&str], mode: SimpleMode) -> Self {
        let permissions = Permissions::from_roles(roles.iter().copied());
        let id = ConnectionId::random().unwrap();
        let connection = Arc::new(Connection::new(id, Some("ada".into()), format, permissions));
        hub.add(&connection);
        Self { session: Session::new(Arc::clone(hub), connection, mode) }
    }

    fn json(hub: &Arc<Hub>, roles: &[&str]) -> Self {
        Self::new(hub, WireFormat::Json, roles, SimpleMode::SendEvent)
    }

    /// Sends a frame that is to be answered, and gives what came.
    async fn ask(&mut self, frame: &str) -> Vec<String> {
        assert!(matches!(self.session.receive(Incoming::Text(frame)), Step::Continue), "{frame}");
        self.heard().await
    }

    async fn heard(&mut self) -> Vec<String> {
        // A marker makes the outbox answer at once even when nothing else is in it.
        let outbox = self.session.connection().attach().unwrap();
        outbox.push(bytes::Bytes::from_static(b"\x81\x06MARKER"));
        let Departure::Frames(frames) = outbox.next_departure().await else { panic!("closed") };
        let text = |frame: &bytes::Bytes| {
            let header = if frame[1] == 126 { 4 } else { 2 };
            String::from_utf8_lossy(&frame[header..]).into_owned()
        };
        frames.iter().map(text).filter(|text| text != "MARKER").collect()
    }
}

const BOTH_ROLES: [&str; 2] = ["webpubsub.joinLeaveGroup.g", "webpubsub.sendToGroup.g"];
const JOIN: &str = r#"{"type":"joinGroup","group":"g","ackId":1}"#;
const JOINED: &str = r#"{"type":"ack","ackId":1,"success":true}"#;

#[tokio::test]
async fn a_member_gets_its_own_message_before_the_ack_unless_it_wants_no_echo() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &BOTH_ROLES);
    assert_eq!(client.ask(JOIN).await, [JOINED]);
    let answer =
        client.ask(r#"{"type":"sendToGroup","group":"g","ackId":2,"dataType":"text","data":"hi"}"#).await;
    let message =
        r#"{"type":"message","from":"group","group":"g","fromUserId":"ada","dataType":"text","data":"hi"}"#;
    assert_eq!(answer, [message, r#"{"type":"ack","ackId":2,"success":true}"#]);
    let quiet = r#"{"type":"sendToGroup","group":"g","ackId":3,"noEcho":true,"data":1}"#;
    assert_eq!(client.ask(quiet).await, [r#"{"type":"ack","ackId":3,"success":true}"#]);
    assert_eq!(client.ask(r#"{"type":"leaveGroup","group":"g","ackId":4}"#).await.len(), 1);
    assert!(client.ask(r#"{"type":"sendToGroup","group":"g","data":1}"#).await.is_empty());
}

#[tokio::test]
async fn each_data_type_arrives_as_it_was_sent() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &BOTH_ROLES);
    client.ask(JOIN).await;
    for data in [
        r#""dataType":"text","data":"a\nb""#,
        r#""dataType":"json","data":{"n": 1.0}"#,
        r#""dataType":"binary","data":"AQID""#,
    ] {
        let answer = client.ask(&format!(r#"{{"type":"sendToGroup","group":"g",{data}}}"#)).await;
        assert!(answer.len() == 1 && answer[0].ends_with(&format!("{data}}}")), "{answer:?}");
    }
}

#[tokio::test]
async fn without_the_role_the_answer_is_forbidden_and_nothing_is_delivered() {
    let hub = Arc::new(Hub::default());
    let (mut member, mut stranger) = (Client::json(&hub, &BOTH_ROLES), Client::json(&hub, &[]));
    member.ask(JOIN).await;
    let refusal = stranger.ask(JOIN).await;
    assert!(refusal[0].contains(
        r#""name":"Forbidden","message":"The client does not have permission to join group 'g'.""#
    ));
    let refusal = stranger.ask(r#"{"type":"sendToGroup","group":"g","ackId":2,"data":1}"#).await;
    assert!(refusal.len() == 1 && refusal[0].contains("Forbidden"), "{refusal:?}");
    assert!(member.heard().await.is_empty());
}

#[tokio::test]
async fn a_repeated_ack_id_is_carried_out_once_and_a_failed_one_may_be_tried_again() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &BOTH_ROLES);
    client.ask(JOIN).await;
    let send = r#"{"type":"sendToGroup","group":"g","ackId":7,"data":1}"#;
    assert_eq!(client.ask(send).await.len(), 2);
    let again = client.ask(send).await;
    assert!(again.len() == 1 && again[0].contains(r#""name":"Duplicate""#), "{again:?}");
    let forbidden = r#"{"type":"joinGroup","group":"other","ackId":8}"#;
    for _ in 0..2 {
        assert!(client.ask(forbidden).await[0].contains("Forbidden"));
    }
}

#[tokio::test]
async fn an_event_without_a_handler_fails_and_the_connection_stays() {
    let mut client = Client::json(&Arc::new(Hub::default()), &[]);
    let answer = client.ask(r#"{"type":"event","event":"e","data":1,"ackId":7}"#).await;
    assert!(
        answer[0].contains(r#""ackId":7,"success":false,"error":{"name":"InternalServerError""#),
        "{answer:?}"
    );
    assert_eq!(client.ask(r#"{"type":"ping"}"#).await, [r#"{"type":"pong"}"#]);
    assert!(client.ask(r#"{"type":"sequenceAck","sequenceId":1}"#).await.is_empty());
}

#[tokio::test]
async fn malformed_frames_and_binary_ones_close_the_connection() {
    let mut client = Client::json(&Arc::new(Hub::default()), &[]);
    let malformed = client.session.receive(Incoming::Text("nope"));
    assert!(matches!(malformed, Step::Close(close) if close == Close::INVALID_JSON_MESSAGE));
    let binary = client.session.receive(Incoming::Binary(&[1]));
    assert!(matches!(binary, Step::Close(close) if close == Close::JSON_WANTS_TEXT));
}

#[tokio::test]
async fn a_simple_client_publishes_bare_payloads_when_it_may() {
    let hub = Arc::new(Hub::default());
    let mut member = Client::json(&hub, &BOTH_ROLES);
    member.ask(JOIN).await;
    let mode = || SimpleMode::SendToGroup { group: GroupName::new("g").unwrap(), no_echo: false };
    let mut publisher = Client::new(&hub, WireFormat::Simple, &["webpubsub.sendToGroup"], mode());
    assert!(matches!(publisher.session.receive(Incoming::Text("hi")), Step::Continue));
    assert!(member.heard().await[0].ends_with(r#""dataType":"text","data":"hi"}"#));
    let mut stranger = Client::new(&hub, WireFormat::Simple, &[], mode());
    let refused = stranger.session.receive(Incoming::Text("hi"));
    assert!(matches!(refused, Step::Close(close) if close == Close::RAW_SEND_FORBIDDEN));
    let mut raiser = Client::new(&hub, WireFormat::Simple, &[], SimpleMode::SendEvent);
    let failed = raiser.session.receive(Incoming::Text("hi"));
    assert!(matches!(failed, Step::Close(close) if close == Close::RAW_EVENT_FAILED));
}

#[tokio::test]
async fn a_publisher_is_told_to_wait_for_a_member_that_falls_behind() {
    let hub = Arc::new(Hub::default());
    let (mut slow, mut publisher) = (Client::json(&hub, &BOTH_ROLES), Client::json(&hub, &BOTH_ROLES));
    slow.ask(JOIN).await;
    let data = "x".repeat(crate::outbox::PACE_MARK_BYTES / 2);
    let frame = format!(r#"{{"type":"sendToGroup","group":"g","dataType":"text","data":"{data}"}}"#);
    let steps: Vec<Step> = (0..3).map(|_| publisher.session.receive(Incoming::Text(&frame))).collect();
    assert!(matches!(steps[0], Step::Continue));
    let Step::Pace(waits_for) = &steps[2] else { panic!("{:?}", steps[2]) };
    assert_eq!(waits_for[0].id, slow.session.connection().id);
}
