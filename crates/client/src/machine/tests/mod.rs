//! The machine against a made-up service and a made-up clock.

use webpubsub_protocol::message::AckError;

use super::*;
use crate::{FIRST_PAUSE, MAX_IN_FLIGHT_MESSAGES, MAX_RETRY_AFTER};

mod faults_of_others;
mod refusals;
mod reliable;
mod simulated_service;
mod simulation;
mod streams;

fn group() -> GroupName {
    GroupName::new("stream").unwrap()
}

fn service_url() -> ServiceUrl {
    ServiceUrl::given("ws://h/client/hubs/stream?access_token=t").unwrap()
}

fn at(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds))
}

fn text(text: &str) -> Payload<'static> {
    Payload::Text(text.to_owned().into())
}

fn effects(machine: &mut Machine) -> Vec<Effect> {
    std::iter::from_fn(|| machine.poll_effect()).collect()
}

fn events(machine: &mut Machine) -> Vec<ClientEvent> {
    effects(machine)
        .into_iter()
        .filter_map(|effect| if let Effect::Report(event) = effect { Some(event) } else { None })
        .collect()
}

fn sent(effects: &[Effect]) -> Vec<&str> {
    effects
        .iter()
        .filter_map(|effect| {
            if let Effect::SendFrame(Frame::Text(frame)) = effect { Some(frame.as_str()) } else { None }
        })
        .collect()
}

const PLAIN_OPENED: Input<'static> = Input::TransportOpened { subprotocol: Some(Subprotocol::Json) };

fn hear(machine: &mut Machine, frame: &str, now: Moment) {
    machine.handle(Input::FrameReceived(FrameRef::Text(frame)), now);
}

fn lose(machine: &mut Machine, code: u16, now: Moment) {
    machine.handle(Input::TransportClosed { code, reason: String::new() }, now);
}

const CONNECTED: &str = r#"{"type":"system","event":"connected","userId":"ada","connectionId":"c1"}"#;

/// Brings a client that was started, or whose pause is over, to `Connected`.
fn connect(machine: &mut Machine, now: Moment) {
    machine.handle(Input::Negotiated(Ok(service_url())), now);
    machine.handle(PLAIN_OPENED, now);
    hear(machine, CONNECTED, now);
}

fn connected(options: ClientOptions) -> Machine {
    let mut machine = Machine::new(options, 1);
    machine.handle(Input::Start, Moment::START);
    connect(&mut machine, Moment::START);
    machine
}

#[test]
fn an_open_socket_is_not_yet_a_connection() {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    machine.handle(Input::Start, Moment::START);
    machine.handle(Input::Negotiated(Ok(service_url())), Moment::START);
    machine.handle(PLAIN_OPENED, Moment::START);
    assert_eq!(events(&mut machine), [ClientEvent::Connecting]);
    hear(&mut machine, CONNECTED, Moment::START);
    let connected = ClientEvent::Connected {
        connection_id: "c1".into(),
        user_id: Some("ada".into()),
        subprotocol: Subprotocol::Json,
        history: None,
    };
    assert_eq!(events(&mut machine), [connected]);
}

#[test]
fn a_negotiation_that_times_out_is_cancelled() {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    machine.handle(Input::Start, Moment::START);
    effects(&mut machine);
    machine.handle(Input::DeadlineReached, Moment::START + CONNECT_STEP_TIMEOUT);
    let effects = effects(&mut machine);
    assert_eq!(effects[0], Effect::AbandonTransport);
    let timed_out = |effect: &Effect| {
        matches!(
            effect,
            Effect::Report(ClientEvent::ConnectFailed { failure: ConnectFailure::TimedOut { .. } })
        )
    };
    assert!(timed_out(&effects[1]), "{effects:?}");
}

#[test]
fn groups_are_joined_on_every_new_connection() {
    let mut machine = connected(ClientOptions::new().join(group()));
    assert_eq!(sent(&effects(&mut machine)), [r#"{"type":"joinGroup","group":"stream","ackId":1}"#]);
    hear(&mut machine, r#"{"type":"ack","ackId":1,"success":true}"#, at(1));
    assert_eq!(events(&mut machine), [ClientEvent::Joined { group: group() }]);
    lose(&mut machine, 1006, at(2));
    machine.handle(Input::DeadlineReached, at(60));
    connect(&mut machine, at(60));
    assert_eq!(sent(&effects(&mut machine)), [r#"{"type":"joinGroup","group":"stream","ackId":2}"#]);
}

#[test]
fn without_rejoining_only_the_groups_of_the_options_are_joined_again() {
    let mut machine = connected(ClientOptions::new().join(group()).without_rejoining());
    machine.join_group(&GroupName::new("other").unwrap()).unwrap();
    effects(&mut machine);
    lose(&mut machine, 1008, at(2));
    machine.handle(Input::DeadlineReached, at(60));
    connect(&mut machine, at(60));
    let effects = effects(&mut machine);
    let joins: Vec<_> = sent(&effects).into_iter().filter(|frame| frame.contains(r#""ackId":3"#)).collect();
    assert_eq!(joins, [r#"{"type":"joinGroup","group":"stream","ackId":3}"#]);
}

#[test]
fn a_forbidden_join_is_told_and_not_repeated() {
    let mut machine = connected(ClientOptions::new().join(group()));
    effects(&mut machine);
    let refusal = r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"no"}}"#;
    hear(&mut machine, refusal, at(1));
    let effects = effects(&mut machine);
    let error = AckError { name: "Forbidden".into(), message: "no".into() };
    assert_eq!(effects, [Effect::Report(ClientEvent::JoinRefused { group: group(), error })]);
}

#[test]
fn a_message_sent_while_disconnected_goes_out_on_connecting() {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    machine.send_to_group(&group(), text("early")).unwrap();
    assert_eq!(machine.poll_effect(), None);
    machine.handle(Input::Start, Moment::START);
    connect(&mut machine, Moment::START);
    let effects = effects(&mut machine);
    let resends = |effect: &Effect| matches!(effect, Effect::Report(ClientEvent::Resending { .. }));
    assert!(!effects.iter().any(resends));
    assert_eq!(
        sent(&effects),
        [r#"{"type":"sendToGroup","group":"stream","ackId":1,"dataType":"text","data":"early"}"#]
    );
}

#[test]
fn unacknowledged_messages_are_sent_again_in_order_and_settled_once() {
    let mut machine = connected(ClientOptions::new());
    for line in ["a", "b", "c"] {
        machine.send_to_group(&group(), text(line)).unwrap();
    }
    hear(&mut machine, r#"{"type":"ack","ackId":2,"success":true}"#, at(1));
    lose(&mut machine, 1006, at(2));
    effects(&mut machine);
    machine.handle(Input::DeadlineReached, at(60));
    connect(&mut machine, at(60));
    let effects = effects(&mut machine);
    assert!(effects.contains(&Effect::Report(ClientEvent::Resending { messages: 2 })));
    let again = sent(&effects);
    assert!(again.len() == 2 && again[0].contains("\"a\"") && again[1].contains("\"c\""), "{again:?}");
}

#[test]
fn a_withdrawn_request_is_not_sent_and_has_no_outcome() {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    let withdrawn = machine.send_to_group(&group(), text("withdrawn")).unwrap();
    machine.send_to_group(&group(), text("sent")).unwrap();
    let join = machine.join_group(&group()).unwrap();
    machine.withdraw(withdrawn);
    machine.withdraw(join);
    machine.handle(Input::Start, Moment::START);
    connect(&mut machine, Moment::START);
    let effects_of_start = effects(&mut machine);
    let sent = sent(&effects_of_start).join("");
    assert!(sent.contains(r#""data":"sent""#), "{sent}");
    assert!(!sent.contains("withdrawn") && !sent.contains("joinGroup"), "{sent}");
    hear(&mut machine, &format!(r#"{{"type":"ack","ackId":{withdrawn},"success":true}}"#), at(1));
    assert_eq!(effects(&mut machine), []);
}

#[test]
fn a_duplicate_ack_is_a_success_and_a_forbidden_one_is_not() {
    let mut machine = connected(ClientOptions::new());
    let (first, second) = (
        machine.send_to_group(&group(), text("a")).unwrap(),
        machine.send_to_group(&group(), text("b")).unwrap(),
    );
    effects(&mut machine);
    hear(
        &mut machine,
        r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Duplicate","message":""}}"#,
        at(1),
    );
    hear(
        &mut machine,
        r#"{"type":"ack","ackId":2,"success":false,"error":{"name":"Forbidden","message":"no"}}"#,
        at(1),
    );
    let refused = SendFailure::Refused(AckError { name: "Forbidden".into(), message: "no".into() });
    assert_eq!(
        effects(&mut machine),
        [
            Effect::Settle { ack_id: first, is_duplicate: true, outcome: Ok(()) },
            Effect::Settle { ack_id: second, is_duplicate: false, outcome: Err(refused) }
        ]
    );
}

#[test]
fn a_silent_connection_is_pinged_and_then_given_up() {
    let mut machine = connected(ClientOptions::new());
    effects(&mut machine);
    machine.handle(Input::DeadlineReached, at(20));
    assert_eq!(sent(&effects(&mut machine)), [r#"{"type":"ping"}"#]);
    hear(&mut machine, r#"{"type":"pong"}"#, at(21));
    machine.handle(Input::DeadlineReached, at(41));
    assert_eq!(sent(&effects(&mut machine)).len(), 1);
    machine.handle(Input::DeadlineReached, at(51));
    let effects = effects(&mut machine);
    // Without a farewell: the service is to keep the connection.
    assert_eq!(effects[0], Effect::AbandonTransport);
    let silent = ClientEvent::Disconnected { reason: Disconnect::Silent { seconds: 30 } };
    assert_eq!(effects[1], Effect::Report(silent));
}

#[test]
fn a_client_that_gives_up_names_every_message_it_could_not_deliver() {
    let mut machine = connected(ClientOptions::new().give_up_after(Duration::from_secs(10)));
    machine.send_to_group(&group(), text("a")).unwrap();
    machine.send_to_group(&group(), text("b")).unwrap();
    lose(&mut machine, 1006, at(1));
    effects(&mut machine);
    machine.handle(Input::DeadlineReached, at(20));
    let unreachable = ConnectFailure::NegotiateUnreachable { url: "http://h".into(), detail: String::new() };
    machine.handle(Input::Negotiated(Err(unreachable)), at(20));
    let effects = effects(&mut machine);
    let abandoned = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Settle { outcome: Err(SendFailure::Stopped), .. }))
        .count();
    assert_eq!(abandoned, 2);
    assert_eq!(effects.last(), Some(&Effect::Report(ClientEvent::Stopped)));
    assert_eq!(machine.next_deadline(), None);
}

#[test]
fn an_endpoint_that_answers_slowly_does_not_extend_the_limit_of_the_application() {
    let mut machine = Machine::new(ClientOptions::new().give_up_after(Duration::from_secs(3)), 1);
    machine.handle(Input::Start, at(0));
    effects(&mut machine);
    assert_eq!(machine.next_deadline(), Some(at(3)), "before the timeout of the step");
    machine.handle(Input::DeadlineReached, at(3));
    let effects = effects(&mut machine);
    let failure = ConnectFailure::TimedOut { url: "the negotiate endpoint".into(), seconds: 3 };
    assert!(effects.contains(&Effect::Report(ClientEvent::ConnectFailed { failure })), "{effects:?}");
    assert_eq!(effects.last(), Some(&Effect::Report(ClientEvent::Stopped)));
}

#[test]
fn the_services_own_words_explain_a_disconnect() {
    let mut machine = connected(ClientOptions::new());
    hear(&mut machine, r#"{"type":"system","event":"disconnected","message":"bye"}"#, at(1));
    lose(&mut machine, 1000, at(1));
    let reason = Disconnect::ByService { message: "bye".into() };
    assert!(events(&mut machine).contains(&ClientEvent::Disconnected { reason }));
}

#[test]
fn a_frame_that_makes_no_sense_ends_the_connection_instead_of_being_passed_over() {
    let mut machine = connected(ClientOptions::new());
    effects(&mut machine);
    hear(&mut machine, r#"{"type":"message","from":"group","group":"g","dataType":"text","data":5}"#, at(1));
    let effects = effects(&mut machine);
    assert_eq!(effects[0], Effect::CloseTransport);
    assert!(matches!(
        &effects[1],
        Effect::Report(ClientEvent::Disconnected { reason: Disconnect::MalformedFrame { .. } })
    ));
}
