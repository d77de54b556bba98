//! A reliable connection that loses its WebSocket.

use super::*;
use crate::{RECOVERY_WINDOW, sequence::ACK_DELAY};

pub(super) const RELIABLE: Input<'static> =
    Input::TransportOpened { subprotocol: Some(Subprotocol::ReliableJson) };
const GREETING: &str =
    r#"{"type":"system","event":"connected","userId":null,"connectionId":"c/1","reconnectionToken":"t+1"}"#;
const PONG: &str = r#"{"type":"pong"}"#;

pub(super) fn greet_reliably(machine: &mut Machine, now: Moment) {
    machine.handle(Input::Negotiated(Ok(service_url())), now);
    machine.handle(RELIABLE, now);
    hear(machine, GREETING, now);
}

/// A connected reliable client whose effects are drained.
pub(super) fn reliable(options: ClientOptions) -> Machine {
    let mut machine = Machine::new(options, 1);
    machine.handle(Input::Start, Moment::START);
    greet_reliably(&mut machine, Moment::START);
    effects(&mut machine);
    machine
}

fn message(id: u64) -> String {
    format!(
        r#"{{"type":"message","from":"group","group":"stream","dataType":"text","data":"m{id}","sequenceId":{id}}}"#
    )
}

fn opened_url(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::OpenTransport { url, .. } => Some(url.reveal()),
        _ => None,
    })
}

fn recover(machine: &mut Machine, now: Moment) {
    machine.handle(RELIABLE, now);
    hear(machine, PONG, now);
}

fn texts(events: &[ClientEvent]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::GroupMessage { payload: Payload::Text(text), .. } => Some(text.to_string()),
            ClientEvent::Gap { messages } => Some(format!("gap {messages:?}")),
            _ => None,
        })
        .collect()
}

#[test]
fn the_reliable_form_is_offered_first_and_the_plain_one_is_good_enough() {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    machine.handle(Input::Start, Moment::START);
    machine.handle(Input::Negotiated(Ok(service_url())), Moment::START);
    let Some(Effect::OpenTransport { subprotocols, .. }) = effects(&mut machine).pop() else { panic!() };
    assert_eq!(subprotocols, [Subprotocol::ReliableJson, Subprotocol::Json]);
    machine.handle(PLAIN_OPENED, at(1));
    hear(&mut machine, CONNECTED, at(1));
    lose(&mut machine, 1006, at(2));
    assert!(events(&mut machine).iter().any(|event| matches!(event, ClientEvent::Disconnected { .. })));
}

#[test]
fn a_service_that_chooses_nothing_is_named_as_none() {
    let mut machine = Machine::new(ClientOptions::new().stop_on_lasting_failure(), 1);
    machine.handle(Input::Start, Moment::START);
    machine.handle(Input::Negotiated(Ok(service_url())), Moment::START);
    machine.handle(Input::TransportOpened { subprotocol: None }, Moment::START);
    let events = events(&mut machine);
    let [_, ClientEvent::ConnectFailed { failure }, ClientEvent::Stopped] = &events[..] else {
        panic!("{events:?}")
    };
    let ConnectFailure::NoSubprotocol { url, offered } = failure else { panic!("{failure:?}") };
    assert!(offered.contains("json.reliable.webpubsub.azure.v1"), "{offered}");
    assert!(!url.contains("access_token"), "{url}");
}

#[test]
fn a_lost_connection_is_taken_up_at_once_under_its_id_and_nothing_is_told_twice() {
    let mut machine = reliable(ClientOptions::new().join(group()));
    hear(&mut machine, r#"{"type":"ack","ackId":1,"success":true}"#, at(1));
    hear(&mut machine, &message(1), at(1));
    machine.send_to_group(&group(), text("x")).unwrap();
    effects(&mut machine);
    lose(&mut machine, 1006, at(2));
    let lost = effects(&mut machine);
    assert_eq!(
        opened_url(&lost),
        Some(
            "ws://h/client/hubs/stream?access_token=t&awps_connection_id=c%2F1&awps_reconnection_token=t%2B1"
        )
    );
    machine.handle(RELIABLE, at(3));
    // An open socket proves nothing.
    let opened = effects(&mut machine);
    assert_eq!(opened, [Effect::SendFrame(Frame::Text(r#"{"type":"ping"}"#.into()))]);
    hear(&mut machine, &message(1), at(3));
    hear(&mut machine, &message(2), at(3));
    let proven = effects(&mut machine);
    assert_eq!(proven[0], Effect::Report(ClientEvent::Recovered));
    // The same id, no second join, no message twice; then what had come is acknowledged.
    let frames = sent(&proven);
    assert!(frames[0].contains(r#""ackId":2"#) && frames[0].contains("sendToGroup"), "{frames:?}");
    assert_eq!(frames[1..], [r#"{"type":"sequenceAck","sequenceId":1}"#]);
    let told: Vec<_> = proven
        .into_iter()
        .filter_map(|effect| if let Effect::Report(event) = effect { Some(event) } else { None })
        .collect();
    assert_eq!(texts(&told), ["m2"]);
}

#[test]
fn other_errors_than_1008_are_tried_again_about_every_second_until_the_window_closes() {
    let mut machine = reliable(ClientOptions::new());
    lose(&mut machine, 1006, at(10));
    let mut attempts = Vec::new();
    let mut now = at(10);
    let disconnected = loop {
        let effects = effects(&mut machine);
        if effects.iter().any(|effect| matches!(effect, Effect::Report(ClientEvent::Disconnected { .. }))) {
            break now;
        }
        if opened_url(&effects).is_some() {
            attempts.push(now);
            let failure =
                ConnectFailure::Refused { url: "ws://h".into(), detail: "502".into(), status: Some(502) };
            machine.handle(Input::TransportRefused(failure), now);
            continue;
        }
        now = machine.next_deadline().unwrap();
        machine.handle(Input::DeadlineReached, now);
    };
    assert_eq!(attempts[0], at(10));
    assert!((24..=40).contains(&attempts.len()), "{}", attempts.len());
    for pair in attempts.windows(2) {
        let pause = pair[1].since(pair[0]).as_millis();
        assert!((750..=1250).contains(&pause), "{pause} ms");
    }
    let given_up = disconnected.since(at(10));
    assert!(given_up <= RECOVERY_WINDOW && given_up > Duration::from_secs(28), "{given_up:?}");
}

#[test]
fn close_code_1008_leads_to_a_new_connection_which_says_that_messages_may_be_missing() {
    let mut machine = reliable(ClientOptions::new().join(group()));
    hear(&mut machine, &message(1), at(1));
    lose(&mut machine, 1006, at(2));
    machine.handle(RELIABLE, at(2));
    effects(&mut machine);
    lose(&mut machine, 1008, at(2));
    let told = events(&mut machine);
    assert!(matches!(told[0], ClientEvent::Disconnected { .. }), "{told:?}");
    machine.handle(Input::DeadlineReached, at(60));
    greet_reliably(&mut machine, at(60));
    // The new connection counts from one again, and its first message is new.
    hear(&mut machine, &message(1), at(61));
    assert_eq!(texts(&events(&mut machine)), ["gap None", "m1"]);
}

#[test]
fn a_service_that_answers_a_recovery_with_a_new_connection_is_believed() {
    let mut machine = reliable(ClientOptions::new().join(group()));
    lose(&mut machine, 1006, at(2));
    machine.handle(RELIABLE, at(2));
    effects(&mut machine);
    hear(&mut machine, CONNECTED, at(2));
    let effects = effects(&mut machine);
    assert!(matches!(effects[0], Effect::Report(ClientEvent::Disconnected { .. })), "{effects:?}");
    assert!(
        matches!(&effects[1], Effect::Report(ClientEvent::Connected { connection_id, .. }) if connection_id == "c1")
    );
    assert!(sent(&effects)[0].contains("joinGroup"));
}

#[test]
fn a_later_greeting_brings_a_fresh_token_and_no_second_event() {
    let mut machine = reliable(ClientOptions::new());
    hear(&mut machine, &GREETING.replace("t+1", "t2"), at(1));
    assert_eq!(effects(&mut machine), []);
    lose(&mut machine, 1006, at(2));
    let effects = effects(&mut machine);
    assert!(opened_url(&effects).is_some_and(|url| url.ends_with("awps_reconnection_token=t2")));
}

#[test]
fn a_jump_of_the_numbers_is_a_gap_in_its_place() {
    let mut machine = reliable(ClientOptions::new());
    for id in [1, 2, 5] {
        hear(&mut machine, &message(id), at(1));
    }
    assert_eq!(texts(&events(&mut machine)), ["m1", "m2", "gap Some(2)", "m5"]);
}

#[test]
fn what_has_come_is_acknowledged_within_the_delay_and_a_flood_at_once() {
    let mut machine = reliable(ClientOptions::new());
    hear(&mut machine, &message(1), at(1));
    assert_eq!(sent(&effects(&mut machine)), [""; 0]);
    assert_eq!(machine.next_deadline(), Some(at(1) + ACK_DELAY));
    machine.handle(Input::DeadlineReached, at(1) + ACK_DELAY);
    assert_eq!(sent(&effects(&mut machine)), [r#"{"type":"sequenceAck","sequenceId":1}"#]);
    for id in 2..=701 {
        hear(&mut machine, &message(id), at(2));
    }
    assert_eq!(sent(&effects(&mut machine)).len(), 7, "one ack for each hundred");
}

#[test]
fn a_duplicate_after_a_recovery_settles_as_done() {
    let mut machine = reliable(ClientOptions::new());
    let id = machine.send_to_group(&group(), text("x")).unwrap();
    lose(&mut machine, 1006, at(1));
    recover(&mut machine, at(2));
    effects(&mut machine);
    let duplicate = r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Duplicate","message":""}}"#;
    hear(&mut machine, duplicate, at(2));
    let settled = Effect::Settle { ack_id: id, is_duplicate: true, outcome: Ok(()) };
    assert_eq!(effects(&mut machine), [settled]);
}

#[test]
fn a_message_taken_during_recovery_is_sent_after_those_before_it() {
    let mut machine = reliable(ClientOptions::new());
    machine.send_to_group(&group(), text("first")).unwrap();
    lose(&mut machine, 1006, at(1));
    machine.send_to_group(&group(), text("second")).unwrap();
    effects(&mut machine);
    recover(&mut machine, at(2));
    let effects = effects(&mut machine);
    let frames = sent(&effects);
    assert!(frames[1].contains("first") && frames[2].contains("second"), "{frames:?}");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Report(ClientEvent::Resending { .. }))));
}

#[test]
fn a_recovery_that_hears_nothing_is_none() {
    let mut machine = reliable(ClientOptions::new());
    lose(&mut machine, 1006, at(1));
    machine.handle(RELIABLE, at(1));
    effects(&mut machine);
    machine.handle(Input::DeadlineReached, at(6));
    let effects = effects(&mut machine);
    assert_eq!(effects[0], Effect::AbandonTransport);
    assert!(matches!(effects[1], Effect::Report(ClientEvent::ConnectFailed { .. })), "{effects:?}");
    assert!(opened_url(&effects).is_none() && machine.next_deadline() == Some(at(6)));
}
