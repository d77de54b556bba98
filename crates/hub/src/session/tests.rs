//! Sessions against a hub in memory: no socket, no task.

use webpubsub_protocol::role::Permissions;

use super::*;
use crate::{
    connection::ConnectionId,
    outbox::{EncodedFrame, NextWrite},
    websocket::frame::payloads,
};

struct Client {
    session: Session,
}

impl Client {
    fn new(hub: &Arc<Hub>, format: WireFormat, roles: &[&str], mode: SimpleMode) -> Self {
        let permissions = Permissions::from_roles(roles.iter().copied());
        let id = ConnectionId::random().unwrap();
        let connection = Arc::new(ClientConnection::new(id, Some("ada".into()), format, permissions));
        hub.add(&connection);
        Self { session: Session::new(Arc::clone(hub), connection, mode) }
    }

    fn json(hub: &Arc<Hub>, roles: &[&str]) -> Self {
        Self::new(hub, WireFormat::Json, roles, SimpleMode::SendEvent)
    }

    /// Sends a frame that is to be answered, and gives what came.
    async fn ask(&mut self, frame: &str) -> Vec<String> {
        let action = match self.session.receive(Incoming::Text(frame), Instant::now()) {
            SessionAction::Dispatch(pending) => {
                self.session.complete_event(pending.reply_to, Err(EventError::NoHandler))
            }
            action => action,
        };
        assert!(matches!(action, SessionAction::Continue), "{frame}");
        self.heard().await
    }

    async fn heard(&mut self) -> Vec<String> {
        // A marker makes the outbox answer at once even when nothing else is in it.
        let outbox = self.session.connection().attach().unwrap();
        outbox.push(&EncodedFrame::from(b"\x81\x06MARKER".to_vec()));
        let NextWrite::Frames(frames) = outbox.next_write().await else { panic!("closed") };
        let text = |payload| String::from_utf8_lossy(payload).into_owned();
        payloads(&frames.concat()).map(text).filter(|text| text != "MARKER").collect()
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
    let malformed = client.session.receive(Incoming::Text("nope"), Instant::now());
    assert!(matches!(malformed, SessionAction::Close(close) if close == Close::INVALID_JSON_MESSAGE));
    let binary = client.session.receive(Incoming::Binary(&[1]), Instant::now());
    assert!(matches!(binary, SessionAction::Close(close) if close == Close::JSON_WANTS_TEXT));
}

#[tokio::test]
async fn a_simple_client_publishes_bare_payloads_when_it_may() {
    let hub = Arc::new(Hub::default());
    let mut member = Client::json(&hub, &BOTH_ROLES);
    member.ask(JOIN).await;
    let mode = || SimpleMode::SendToGroup { group: GroupName::new("g").unwrap(), no_echo: false };
    let mut publisher = Client::new(&hub, WireFormat::Simple, &["webpubsub.sendToGroup"], mode());
    assert!(matches!(
        publisher.session.receive(Incoming::Text("hi"), Instant::now()),
        SessionAction::Continue
    ));
    assert!(member.heard().await[0].ends_with(r#""dataType":"text","data":"hi"}"#));
    let mut stranger = Client::new(&hub, WireFormat::Simple, &[], mode());
    let refused = stranger.session.receive(Incoming::Text("hi"), Instant::now());
    assert!(matches!(refused, SessionAction::Close(close) if close == Close::RAW_SEND_FORBIDDEN));
    let mut raiser = Client::new(&hub, WireFormat::Simple, &[], SimpleMode::SendEvent);
    let asked = raiser.session.receive(Incoming::Text("hi"), Instant::now());
    let SessionAction::Dispatch(PendingEvent { event, reply_to }) = asked else { panic!("{asked:?}") };
    assert_eq!((event.name.as_str(), event.payload), ("message", Payload::Text("hi".into())));
    let failed = raiser.session.complete_event(reply_to, Err(EventError::NoHandler));
    assert!(matches!(failed, SessionAction::Close(close) if close == Close::RAW_EVENT_FAILED));
}

#[tokio::test]
async fn a_publisher_is_told_to_wait_for_a_member_that_falls_behind() {
    let hub = Arc::new(Hub::default());
    let (mut slow, mut publisher) = (Client::json(&hub, &BOTH_ROLES), Client::json(&hub, &BOTH_ROLES));
    slow.ask(JOIN).await;
    let data = "x".repeat(crate::outbox::HIGH_WATER_MARK_BYTES / 2);
    let frame = format!(r#"{{"type":"sendToGroup","group":"g","dataType":"text","data":"{data}"}}"#);
    let actions: Vec<SessionAction> =
        (0..3).map(|_| publisher.session.receive(Incoming::Text(&frame), Instant::now())).collect();
    assert!(matches!(actions[0], SessionAction::Continue));
    let SessionAction::Throttle(waits_for) = &actions[2] else { panic!("{:?}", actions[2]) };
    assert_eq!(waits_for[0].id, slow.session.connection().id);
}

#[tokio::test]
async fn the_application_s_answer_goes_to_the_sender_before_the_ack_and_once() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &[]);
    let event =
        r#"{"type":"event","event":"echo","dataType":"text","data":"hi","ackId":7,"metadata":{"k":"v"}}"#;
    let SessionAction::Dispatch(PendingEvent { event: asked, reply_to }) =
        client.session.receive(Incoming::Text(event), Instant::now())
    else {
        panic!("not asked")
    };
    assert_eq!((asked.name.as_str(), asked.metadata.len()), ("echo", 1));
    let reply = EventReply { payload: asked.payload, metadata: Metadata::new() };
    assert!(matches!(client.session.complete_event(reply_to, Ok(Some(reply))), SessionAction::Continue));
    let message = r#"{"type":"message","from":"server","dataType":"text","data":"hi"}"#;
    assert_eq!(client.heard().await, [message, r#"{"type":"ack","ackId":7,"success":true}"#]);
    // The same ack id again: the application is not asked, and the client hears why.
    let again = client.ask(event).await;
    assert!(again.len() == 1 && again[0].contains("Duplicate"), "{again:?}");
}

#[tokio::test]
async fn an_invocation_is_answered_with_what_the_application_says() {
    let mut client = Client::json(&Arc::new(Hub::default()), &[]);
    let invoke = r#"{"type":"invoke","invocationId":"1","target":"event","event":"add","dataType":"json","data":[1,2]}"#;
    let SessionAction::Dispatch(PendingEvent { reply_to, .. }) =
        client.session.receive(Incoming::Text(invoke), Instant::now())
    else {
        panic!("not asked")
    };
    let reply = EventReply { payload: Payload::Json("3".into()), metadata: Metadata::new() };
    client.session.complete_event(reply_to, Ok(Some(reply)));
    let answer = r#"{"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":3}"#;
    assert_eq!(client.heard().await, [answer]);
    let failed = client.ask(invoke).await;
    assert!(failed[0].contains(r#""success":false,"error":{"name":"InternalServerError""#), "{failed:?}");
    let cancel = r#"{"type":"cancelInvocation","invocationId":"1"}"#;
    assert!(client.ask(cancel).await.is_empty());
}

/// A member of `g` that hears a publisher's stream.
async fn stream_pair(hub: &Arc<Hub>) -> (Client, Client) {
    let (mut member, publisher) = (Client::json(hub, &BOTH_ROLES), Client::json(hub, &BOTH_ROLES));
    member.ask(JOIN).await;
    (member, publisher)
}

const START: &str = r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"s","idleTimeoutMs":1000}}"#;

fn fragment(number: u64) -> String {
    format!(
        r#"{{"type":"streamData","streamId":"s","streamSequenceId":{number},"dataType":"text","data":"{number}"}}"#
    )
}

#[tokio::test]
async fn a_stream_arrives_in_order_and_its_publisher_hears_how_far_it_got() {
    let hub = Arc::new(Hub::default());
    let (mut member, mut publisher) = stream_pair(&hub).await;
    let ack =
        |expected: u64| format!(r#"{{"type":"streamAck","streamId":"s","expectedSequenceId":{expected}}}"#);
    assert_eq!(publisher.ask(START).await, [ack(1)]);
    assert_eq!(publisher.ask(&fragment(1)).await, [ack(2)]);
    assert_eq!(publisher.ask(&fragment(1)).await, [ack(2)]);
    let nack = publisher.ask(&fragment(5)).await;
    assert!(
        nack[0].contains(r#""streamNack","streamId":"s","expectedSequenceId":2,"name":"InvalidSequenceId""#)
    );
    assert!(publisher.ask(r#"{"type":"streamData","streamId":"s"}"#).await.is_empty());
    assert_eq!(publisher.ask(&fragment(2)).await, [ack(3)]);
    let end = r#"{"type":"streamEnd","streamId":"s","error":{"message":"m","userErrorCode":"E42"}}"#;
    assert_eq!(publisher.ask(end).await, [r#"{"type":"streamClosed","streamId":"s"}"#]);
    let heard = member.heard().await;
    let place = |text: &String| text.split_once(r#""stream":"#).unwrap().1.to_owned();
    assert_eq!(heard.len(), 3);
    assert!(
        place(&heard[0]).starts_with(r#"{"streamId":"s","streamSequenceId":1},"dataType":"text","data":"1""#)
    );
    assert!(place(&heard[1]).starts_with(r#"{"streamId":"s","streamSequenceId":2}"#));
    let terminal = r#"{"streamId":"s","streamSequenceId":3,"endOfStream":true,"error":{"name":"UserError","message":"m","userErrorCode":"E42"}},"dataType":"text","data":"""#;
    assert!(place(&heard[2]).starts_with(terminal), "{heard:?}");
    let gone = publisher.ask(&fragment(3)).await;
    assert!(
        gone[0].contains(r#""streamClosed","streamId":"s","error":{"name":"StreamNotFound""#),
        "{gone:?}"
    );
}

#[tokio::test]
async fn a_stream_that_may_not_be_or_is_there_already_is_refused() {
    let hub = Arc::new(Hub::default());
    let mut stranger = Client::json(&hub, &[]);
    assert!(
        stranger.ask(START).await[0].contains(r#""streamClosed","streamId":"s","error":{"name":"Forbidden""#)
    );
    let (_, mut publisher) = stream_pair(&hub).await;
    publisher.ask(START).await;
    assert!(publisher.ask(START).await[0].contains("BadRequest"));
    // A permission that is taken away ends the stream, for its receivers too.
    let group = GroupName::new("g").unwrap();
    publisher.session.connection().set_permission(Permission::SendToGroup, Some(&group), false).unwrap();
    assert!(publisher.ask(&fragment(1)).await[0].contains("Forbidden"));
}

#[tokio::test]
async fn silence_ends_a_stream_and_so_does_the_end_of_its_publisher() {
    let hub = Arc::new(Hub::default());
    let (mut member, mut publisher) = stream_pair(&hub).await;
    publisher.ask(START).await;
    let deadline = publisher.session.next_deadline().unwrap();
    publisher.session.deadline_reached(deadline);
    assert!(
        publisher.heard().await[0].contains(r#""streamClosed","streamId":"s","error":{"name":"IdleTimeout""#)
    );
    assert!(member.heard().await[0].contains(r#""endOfStream":true,"error":{"name":"IdleTimeout""#));
    assert_eq!(publisher.session.next_deadline(), None);
    publisher.ask(START).await;
    assert!(publisher.session.end(Instant::now()));
    assert!(member.heard().await[0].contains(r#""endOfStream":true,"error":{"name":"Cancelled""#));
    assert!(!publisher.session.end(Instant::now()));
}
