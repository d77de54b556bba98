use webpubsub_protocol::role::Permissions;
use webpubsub_websocket::encode::payloads;

use super::*;
use crate::{
    connection::ConnectionId,
    outbox::{EncodedFrame, NextWrite},
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

    /// Sends a frame that needs an answer, and returns the responses.
    async fn request(&mut self, frame: &str) -> Vec<String> {
        let action = match self.session.receive(Incoming::Text(frame), Instant::now()) {
            SessionAction::Dispatch(pending) => {
                self.session.complete_event(pending.reply_to, Err(EventError::NoHandler), Instant::now())
            }
            action => action,
        };
        assert!(matches!(action, SessionAction::Continue), "{frame}");
        self.received().await
    }

    async fn received(&mut self) -> Vec<String> {
        // A marker frame makes the outbox answer at once, even if it is empty otherwise.
        let outbox = self.session.connection().attach(Instant::now()).unwrap();
        outbox.push(&EncodedFrame::from(b"\x81\x06MARKER".to_vec()));
        let NextWrite::Frames(frames) = outbox.next_write(Instant::now).await else { panic!("closed") };
        let text = |payload| String::from_utf8_lossy(payload).into_owned();
        payloads(&frames.concat()).map(text).filter(|text| text != "MARKER").collect()
    }
}

const BOTH_ROLES: [&str; 2] = ["webpubsub.joinLeaveGroup.g", "webpubsub.sendToGroup.g"];
const JOIN: &str = r#"{"type":"joinGroup","group":"g","ackId":1}"#;
const JOINED: &str = r#"{"type":"ack","ackId":1,"success":true}"#;

#[tokio::test]
async fn a_member_receives_its_own_message_before_the_ack_unless_no_echo_is_set() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &BOTH_ROLES);
    assert_eq!(client.request(JOIN).await, [JOINED]);
    let answer =
        client.request(r#"{"type":"sendToGroup","group":"g","ackId":2,"dataType":"text","data":"hi"}"#).await;
    let message =
        r#"{"type":"message","from":"group","group":"g","fromUserId":"ada","dataType":"text","data":"hi"}"#;
    assert_eq!(answer, [message, r#"{"type":"ack","ackId":2,"success":true}"#]);
    let quiet = r#"{"type":"sendToGroup","group":"g","ackId":3,"noEcho":true,"data":1}"#;
    assert_eq!(client.request(quiet).await, [r#"{"type":"ack","ackId":3,"success":true}"#]);
    assert_eq!(client.request(r#"{"type":"leaveGroup","group":"g","ackId":4}"#).await.len(), 1);
    assert!(client.request(r#"{"type":"sendToGroup","group":"g","data":1}"#).await.is_empty());
}

#[tokio::test]
async fn data_types_are_preserved() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &BOTH_ROLES);
    client.request(JOIN).await;
    for data in [
        r#""dataType":"text","data":"a\nb""#,
        r#""dataType":"json","data":{"n": 1.0}"#,
        r#""dataType":"binary","data":"AQID""#,
    ] {
        let answer = client.request(&format!(r#"{{"type":"sendToGroup","group":"g",{data}}}"#)).await;
        assert!(answer.len() == 1 && answer[0].ends_with(&format!("{data}}}")), "{answer:?}");
    }
}

#[tokio::test]
async fn requests_without_the_role_are_forbidden_and_deliver_nothing() {
    let hub = Arc::new(Hub::default());
    let (mut member, mut stranger) = (Client::json(&hub, &BOTH_ROLES), Client::json(&hub, &[]));
    member.request(JOIN).await;
    let rejection = stranger.request(JOIN).await;
    assert!(rejection[0].contains(
        r#""name":"Forbidden","message":"The client does not have permission to join group 'g'.""#
    ));
    let rejection = stranger.request(r#"{"type":"sendToGroup","group":"g","ackId":2,"data":1}"#).await;
    assert!(rejection.len() == 1 && rejection[0].contains("Forbidden"), "{rejection:?}");
    assert!(member.received().await.is_empty());
}

#[tokio::test]
async fn a_repeated_ack_id_runs_once_and_a_failed_request_may_be_retried() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &BOTH_ROLES);
    client.request(JOIN).await;
    let send = r#"{"type":"sendToGroup","group":"g","ackId":7,"data":1}"#;
    assert_eq!(client.request(send).await.len(), 2);
    let again = client.request(send).await;
    assert!(again.len() == 1 && again[0].contains(r#""name":"Duplicate""#), "{again:?}");
    let forbidden = r#"{"type":"joinGroup","group":"other","ackId":8}"#;
    for _ in 0..2 {
        assert!(client.request(forbidden).await[0].contains("Forbidden"));
    }
}

#[tokio::test]
async fn an_event_without_a_handler_fails_and_the_connection_stays_open() {
    let mut client = Client::json(&Arc::new(Hub::default()), &[]);
    let answer = client.request(r#"{"type":"event","event":"e","data":1,"ackId":7}"#).await;
    assert!(
        answer[0].contains(r#""ackId":7,"success":false,"error":{"name":"InternalServerError""#),
        "{answer:?}"
    );
    assert_eq!(client.request(r#"{"type":"ping"}"#).await, [r#"{"type":"pong"}"#]);
    assert!(client.request(r#"{"type":"sequenceAck","sequenceId":1}"#).await.is_empty());
}

#[tokio::test]
async fn malformed_and_binary_messages_close_a_json_connection() {
    let mut client = Client::json(&Arc::new(Hub::default()), &[]);
    let malformed = client.session.receive(Incoming::Text("nope"), Instant::now());
    assert!(matches!(malformed, SessionAction::Close(close) if close == Close::INVALID_JSON_MESSAGE));
    let binary = client.session.receive(Incoming::Binary(&[1]), Instant::now());
    assert!(matches!(binary, SessionAction::Close(close) if close == Close::JSON_WANTS_TEXT));
}

#[tokio::test]
async fn a_simple_client_with_permission_publishes_bare_payloads() {
    let hub = Arc::new(Hub::default());
    let mut member = Client::json(&hub, &BOTH_ROLES);
    member.request(JOIN).await;
    let mode = || SimpleMode::SendToGroup { group: GroupName::new("g").unwrap(), no_echo: false };
    let mut publisher = Client::new(&hub, WireFormat::Simple, &["webpubsub.sendToGroup"], mode());
    assert!(matches!(
        publisher.session.receive(Incoming::Text("hi"), Instant::now()),
        SessionAction::Continue
    ));
    assert!(member.received().await[0].ends_with(r#""dataType":"text","data":"hi"}"#));
    let mut stranger = Client::new(&hub, WireFormat::Simple, &[], mode());
    let refused = stranger.session.receive(Incoming::Text("hi"), Instant::now());
    assert!(matches!(refused, SessionAction::Close(close) if close == Close::RAW_SEND_FORBIDDEN));
    let mut raiser = Client::new(&hub, WireFormat::Simple, &[], SimpleMode::SendEvent);
    let dispatched = raiser.session.receive(Incoming::Text("hi"), Instant::now());
    let SessionAction::Dispatch(PendingEvent { event, reply_to }) = dispatched else {
        panic!("{dispatched:?}")
    };
    assert_eq!((event.name.as_str(), event.payload), ("message", Payload::Text("hi".into())));
    let failed = raiser.session.complete_event(reply_to, Err(EventError::NoHandler), Instant::now());
    assert!(matches!(failed, SessionAction::Close(close) if close == Close::RAW_EVENT_FAILED));
}

#[tokio::test]
async fn a_publisher_is_throttled_for_a_member_above_the_high_water_mark() {
    let hub = Arc::new(Hub::default());
    let (mut slow, mut publisher) = (Client::json(&hub, &BOTH_ROLES), Client::json(&hub, &BOTH_ROLES));
    slow.request(JOIN).await;
    let data = "x".repeat(crate::outbox::HIGH_WATER_MARK_BYTES / 2);
    let frame = format!(r#"{{"type":"sendToGroup","group":"g","dataType":"text","data":"{data}"}}"#);
    let actions: Vec<SessionAction> =
        (0..3).map(|_| publisher.session.receive(Incoming::Text(&frame), Instant::now())).collect();
    assert!(matches!(actions[0], SessionAction::Continue));
    let SessionAction::Throttle(slow_receivers) = &actions[2] else { panic!("{:?}", actions[2]) };
    assert_eq!(slow_receivers[0].id, slow.session.connection().id);
}

#[tokio::test]
async fn an_event_reply_reaches_the_sender_once_and_before_the_ack() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &[]);
    let event =
        r#"{"type":"event","event":"echo","dataType":"text","data":"hi","ackId":7,"metadata":{"k":"v"}}"#;
    let SessionAction::Dispatch(PendingEvent { event: dispatched, reply_to }) =
        client.session.receive(Incoming::Text(event), Instant::now())
    else {
        panic!("not dispatched")
    };
    assert_eq!((dispatched.name.as_str(), dispatched.metadata.len()), ("echo", 1));
    let reply = EventReply { payload: dispatched.payload, metadata: Metadata::new() };
    assert!(matches!(
        client.session.complete_event(reply_to, Ok(Some(reply)), Instant::now()),
        SessionAction::Continue
    ));
    let message = r#"{"type":"message","from":"server","dataType":"text","data":"hi"}"#;
    assert_eq!(client.received().await, [message, r#"{"type":"ack","ackId":7,"success":true}"#]);
    // A repeated ack id is not dispatched again.
    let again = client.request(event).await;
    assert!(again.len() == 1 && again[0].contains("Duplicate"), "{again:?}");
}

#[tokio::test]
async fn an_invocation_returns_the_reply_of_the_event_handler() {
    let mut client = Client::json(&Arc::new(Hub::default()), &[]);
    let invoke = r#"{"type":"invoke","invocationId":"1","target":"event","event":"add","dataType":"json","data":[1,2]}"#;
    let SessionAction::Dispatch(PendingEvent { reply_to, .. }) =
        client.session.receive(Incoming::Text(invoke), Instant::now())
    else {
        panic!("not dispatched")
    };
    let reply = EventReply { payload: Payload::Json("3".into()), metadata: Metadata::new() };
    client.session.complete_event(reply_to, Ok(Some(reply)), Instant::now());
    let answer = r#"{"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":3}"#;
    assert_eq!(client.received().await, [answer]);
    let invalid = EventReply::from(Payload::Json("3},".into()));
    client.session.complete_event(ReplyTarget::Invocation("2".to_owned()), Ok(Some(invalid)), Instant::now());
    assert!(client.received().await[0].contains(r#""invocationId":"2","success":false"#));
    let failed = client.request(invoke).await;
    assert!(failed[0].contains(r#""success":false,"error":{"name":"InternalServerError""#), "{failed:?}");
    let cancel = r#"{"type":"cancelInvocation","invocationId":"1"}"#;
    assert!(client.request(cancel).await.is_empty());
}

/// Returns a member of `g`, and a publisher.
async fn stream_pair(hub: &Arc<Hub>) -> (Client, Client) {
    let (mut member, publisher) = (Client::json(hub, &BOTH_ROLES), Client::json(hub, &BOTH_ROLES));
    member.request(JOIN).await;
    (member, publisher)
}

const START: &str = r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"s","idleTimeoutMs":1000}}"#;

fn fragment(number: u64) -> String {
    format!(
        r#"{{"type":"streamData","streamId":"s","streamSequenceId":{number},"dataType":"text","data":"{number}"}}"#
    )
}

#[tokio::test]
async fn a_stream_arrives_in_order_and_each_fragment_is_acknowledged() {
    let hub = Arc::new(Hub::default());
    let (mut member, mut publisher) = stream_pair(&hub).await;
    let ack =
        |expected: u64| format!(r#"{{"type":"streamAck","streamId":"s","expectedSequenceId":{expected}}}"#);
    assert_eq!(publisher.request(START).await, [ack(1)]);
    assert_eq!(publisher.request(&fragment(1)).await, [ack(2)]);
    assert_eq!(publisher.request(&fragment(1)).await, [ack(2)]);
    let nack = publisher.request(&fragment(5)).await;
    assert!(
        nack[0].contains(r#""streamNack","streamId":"s","expectedSequenceId":2,"name":"InvalidSequenceId""#)
    );
    assert!(publisher.request(r#"{"type":"streamData","streamId":"s"}"#).await.is_empty());
    assert_eq!(publisher.request(&fragment(2)).await, [ack(3)]);
    let end = r#"{"type":"streamEnd","streamId":"s","error":{"message":"m","userErrorCode":"E42"}}"#;
    assert_eq!(publisher.request(end).await, [r#"{"type":"streamClosed","streamId":"s"}"#]);
    let received = member.received().await;
    let after_stream_key = |text: &String| text.split_once(r#""stream":"#).unwrap().1.to_owned();
    assert_eq!(received.len(), 3);
    assert!(
        after_stream_key(&received[0])
            .starts_with(r#"{"streamId":"s","streamSequenceId":1},"dataType":"text","data":"1""#)
    );
    assert!(after_stream_key(&received[1]).starts_with(r#"{"streamId":"s","streamSequenceId":2}"#));
    let terminal = r#"{"streamId":"s","streamSequenceId":3,"endOfStream":true,"error":{"name":"UserError","message":"m","userErrorCode":"E42"}},"dataType":"text","data":"""#;
    assert!(after_stream_key(&received[2]).starts_with(terminal), "{received:?}");
    let gone = publisher.request(&fragment(3)).await;
    assert!(
        gone[0].contains(r#""streamClosed","streamId":"s","error":{"name":"StreamNotFound""#),
        "{gone:?}"
    );
}

#[tokio::test]
async fn a_stream_without_permission_or_with_an_open_id_is_rejected() {
    let hub = Arc::new(Hub::default());
    let mut stranger = Client::json(&hub, &[]);
    assert!(
        stranger.request(START).await[0]
            .contains(r#""streamClosed","streamId":"s","error":{"name":"Forbidden""#)
    );
    let (_, mut publisher) = stream_pair(&hub).await;
    publisher.request(START).await;
    assert!(publisher.request(START).await[0].contains("BadRequest"));
    // A revoked permission ends the stream for its receivers, too.
    let group = GroupName::new("g").unwrap();
    publisher.session.connection().set_permission(Permission::SendToGroup, &group, false).unwrap();
    assert!(publisher.request(&fragment(1)).await[0].contains("Forbidden"));
}

#[tokio::test]
async fn a_stream_ends_on_its_idle_timeout_and_with_its_publisher() {
    let hub = Arc::new(Hub::default());
    let (mut member, mut publisher) = stream_pair(&hub).await;
    publisher.request(START).await;
    let deadline = publisher.session.next_deadline().unwrap();
    publisher.session.deadline_reached(deadline);
    assert!(
        publisher.received().await[0]
            .contains(r#""streamClosed","streamId":"s","error":{"name":"IdleTimeout""#)
    );
    assert!(member.received().await[0].contains(r#""endOfStream":true,"error":{"name":"IdleTimeout""#));
    assert_eq!(publisher.session.next_deadline(), None);
    publisher.request(START).await;
    assert!(publisher.session.end(Instant::now()));
    assert!(member.received().await[0].contains(r#""endOfStream":true,"error":{"name":"Cancelled""#));
    assert!(!publisher.session.end(Instant::now()));
}

/// Returns the items of a message with states: user, state, and whether it is a snapshot.
fn states(frame: &str) -> Vec<(String, String, bool)> {
    let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
    assert_eq!(frame["group"], "g");
    let items = frame["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            assert!(item["updatedAt"].is_u64() && item["connectionId"].is_string(), "{item}");
            let state = item.get("state").map_or("cleared".to_owned(), ToString::to_string);
            (item["userId"].to_string(), state, frame["type"] == "groupStateSnapshot")
        })
        .collect()
}

#[tokio::test]
async fn a_subscriber_receives_the_states_of_a_group_and_each_change() {
    let hub = Arc::new(Hub::default());
    let (mut one, mut other) = (Client::json(&hub, &BOTH_ROLES), Client::json(&hub, &BOTH_ROLES));
    let mut stranger = Client::json(&hub, &[]);
    assert_eq!(one.request(JOIN).await, [JOINED]);
    let set = |state: &str| format!(r#"{{"type":"setGroupState","group":"g","ackId":2,"state":{state}}}"#);
    assert_eq!(one.request(&set(r#"{"at":"1,2"}"#)).await, [r#"{"type":"ack","ackId":2,"success":true}"#]);
    const SUBSCRIBE: &str = r#"{"type":"subscribeGroupState","group":"g","ackId":3}"#;
    let answer = other.request(SUBSCRIBE).await;
    assert_eq!(answer[0], r#"{"type":"ack","ackId":3,"success":true}"#);
    let ada = |state: &str, is_snapshot| vec![("\"ada\"".to_owned(), state.to_owned(), is_snapshot)];
    assert_eq!(states(&answer[1]), ada(r#"{"at":"1,2"}"#, true));
    one.request(r#"{"type":"setGroupState","group":"g","state":{"at":"3"}}"#).await;
    assert_eq!(states(&other.received().await[0]), ada(r#"{"at":"3"}"#, false));
    one.request(r#"{"type":"leaveGroup","group":"g"}"#).await;
    assert_eq!(states(&other.received().await[0]), ada("cleared", false));
    one.request(r#"{"type":"setGroupState","group":"g","state":{}}"#).await;
    assert_eq!(states(&other.received().await[0]), ada("{}", false));
    one.session.end(Instant::now());
    assert_eq!(states(&other.received().await[0]), ada("cleared", false));
    other.session.resend_group_states();
    assert_eq!(states(&other.received().await[0]), []);
    other.request(r#"{"type":"unsubscribeGroupState","group":"g"}"#).await;
    other.request(r#"{"type":"setGroupState","group":"g","state":{"a":"b"}}"#).await;
    assert_eq!(other.received().await, [""; 0]);
    let refused = stranger.request(SUBSCRIBE).await;
    assert!(refused.len() == 1 && refused[0].contains("Forbidden"), "{refused:?}");
    let mut listener = Client::json(&hub, &["webpubsub.getGroupState"]);
    assert!(listener.request(SUBSCRIBE).await[0].contains(r#""success":true"#));
    assert!(listener.request(&set("{}")).await[0].contains("Forbidden"));
    let mut setter = Client::json(&hub, &["webpubsub.setGroupState"]);
    assert!(setter.request(&set("{}")).await[0].contains(r#""success":true"#));
    assert!(setter.request(SUBSCRIBE).await[0].contains("Forbidden"));
    let long =
        format!(r#"{{"type":"setGroupState","group":"g","ackId":9,"state":{{"a":"{}"}}}}"#, "x".repeat(5000));
    let refused = other.request(&long).await;
    assert!(refused.len() == 1 && refused[0].contains("BadRequest"), "{refused:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_memory_limit_fails_its_event() {
    let hub = Arc::new(Hub::default());
    let mut client = Client::json(&hub, &[]);
    let mut answer = async |bytes: usize| {
        let reply = EventReply::from(Payload::Text("x".repeat(bytes).into()));
        let reply_to = ReplyTarget::Invocation("1".to_owned());
        client.session.complete_event(reply_to, Ok(Some(reply)), Instant::now());
        client.received().await.concat()
    };
    let memory = hub.memory();
    let _others = memory.charge(memory.limit() - 10_000);
    assert!(answer(4_000).await.contains(r#""success":true"#));
    assert!(answer(6_000).await.contains(r#""success":false"#));
    assert_eq!((memory.used(), memory.refusals()), (memory.limit() - 10_000, 1));
}
