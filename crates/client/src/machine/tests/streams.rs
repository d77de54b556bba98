//! Streams, invocations, and groups at run time.

use webpubsub_protocol::name::EventName;

use super::{
    reliable::{RELIABLE, reliable},
    *,
};
use crate::{InvokeFailure, STREAM_OPEN_TIMEOUT, StartRefused};

fn opened(machine: &mut Machine) -> (u64, String) {
    let stream = machine.open_stream(&group(), StreamOptions::new(), at(1)).unwrap();
    let effects = effects(machine);
    let start = sent(&effects)[0];
    let name =
        start.split("\"streamId\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    (stream, name)
}

fn acknowledge(machine: &mut Machine, name: &str, expected: u64, now: Moment) {
    let ack = format!(r#"{{"type":"streamAck","streamId":"{name}","expectedSequenceId":{expected}}}"#);
    hear(machine, &ack, now);
}

#[test]
fn a_stream_waits_for_the_service_resumes_over_a_recovery_and_ends_when_the_service_has_all() {
    let mut machine = reliable(ClientOptions::new());
    let (stream, name) = opened(&mut machine);
    machine.write_stream(stream, text("a"), at(1)).unwrap();
    assert_eq!(effects(&mut machine), []);
    acknowledge(&mut machine, &name, 1, at(1));
    let told = effects(&mut machine);
    assert_eq!(told[0], Effect::Stream { stream, event: StreamEvent::Opened });
    assert!(sent(&told)[0].contains(r#""streamSequenceId":1"#));
    machine.write_stream(stream, text("b"), at(1)).unwrap();
    acknowledge(&mut machine, &name, 2, at(1));
    lose(&mut machine, 1006, at(2));
    machine.write_stream(stream, text("c"), at(2)).unwrap();
    machine.end_stream(stream, None, at(2));
    effects(&mut machine);
    machine.handle(RELIABLE, at(3));
    hear(&mut machine, r#"{"type":"pong"}"#, at(3));
    let again = effects(&mut machine);
    let frames: Vec<_> = sent(&again).into_iter().filter(|frame| frame.contains("stream")).collect();
    assert!(frames.len() == 3 && frames[0].contains("\"b\"") && frames[1].contains("\"c\""), "{frames:?}");
    assert!(frames[2].contains("streamEnd"));
    hear(&mut machine, &format!(r#"{{"type":"streamClosed","streamId":"{name}"}}"#), at(4));
    assert_eq!(effects(&mut machine), [Effect::Stream { stream, event: StreamEvent::Closed(Ok(())) }]);
}

#[test]
fn a_stream_ends_with_its_connection_and_one_being_opened_with_its_socket() {
    let mut machine = reliable(ClientOptions::new());
    let (open, name) = opened(&mut machine);
    acknowledge(&mut machine, &name, 1, at(1));
    let (opening, _) = opened(&mut machine);
    effects(&mut machine);
    let closed =
        |stream| Effect::Stream { stream, event: StreamEvent::Closed(Err(StreamFailure::ConnectionLost)) };
    lose(&mut machine, 1006, at(2));
    assert_eq!(effects(&mut machine)[0], closed(opening));
    machine.handle(RELIABLE, at(2));
    effects(&mut machine);
    lose(&mut machine, 1008, at(2));
    assert!(effects(&mut machine).contains(&closed(open)));
    assert_eq!(machine.open_stream(&group(), StreamOptions::new(), at(1)), Err(StartRefused::NotConnected));
}

#[test]
fn a_stream_that_the_service_says_nothing_of_is_given_up_in_time() {
    let mut machine = reliable(ClientOptions::new());
    let (stream, name) = opened(&mut machine);
    let (taken, taken_name) = opened(&mut machine);
    acknowledge(&mut machine, &taken_name, 1, at(2));
    effects(&mut machine);
    let due = at(1) + STREAM_OPEN_TIMEOUT;
    assert_eq!(machine.next_deadline(), Some(due));
    machine.handle(Input::DeadlineReached, due);
    let given_up = effects(&mut machine);
    let failure = StreamFailure::Unanswered { seconds: 15 };
    assert_eq!(given_up[0], Effect::Stream { stream, event: StreamEvent::Closed(Err(failure)) });
    // If the service takes it after all, it ends.
    let [end] = sent(&given_up)[..] else { panic!("{given_up:?}") };
    assert!(end.contains("streamEnd") && end.contains(&name), "{end}");
    acknowledge(&mut machine, &name, 1, due);
    assert_eq!(effects(&mut machine), []);
    machine.write_stream(taken, text("a"), due).unwrap();
}

#[test]
fn frames_of_unknown_streams_mean_nothing_and_impossible_ones_end_theirs() {
    let mut machine = reliable(ClientOptions::new());
    acknowledge(&mut machine, "unknown", 7, at(1));
    hear(&mut machine, r#"{"type":"streamClosed","streamId":"unknown"}"#, at(1));
    assert_eq!(effects(&mut machine), []);
    let (stream, name) = opened(&mut machine);
    acknowledge(&mut machine, &name, 9, at(1));
    let effects = effects(&mut machine);
    assert!(sent(&effects)[0].contains("ProtocolViolation"));
    let closed = StreamEvent::Closed(Err(StreamFailure::ProtocolViolation));
    assert_eq!(effects[1], Effect::Stream { stream, event: closed });
}

#[test]
fn an_invocation_gets_its_answer_or_fails_with_its_socket() {
    let mut machine = reliable(ClientOptions::new());
    let event = EventName::new("add").unwrap();
    let [first, second, third] =
        [(); 3].map(|()| machine.invoke(&event, Some(Payload::Json("1".into()))).unwrap());
    effects(&mut machine);
    let answer = r#"{"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":3}"#;
    hear(&mut machine, answer, at(1));
    let outcome = Ok(Some(Payload::Json("3".into())));
    assert_eq!(effects(&mut machine), [Effect::Answer { invocation: first, outcome }]);
    machine.cancel_invocation(third);
    assert_eq!(sent(&effects(&mut machine)), [r#"{"type":"cancelInvocation","invocationId":"3"}"#]);
    lose(&mut machine, 1006, at(2));
    let lost = Effect::Answer { invocation: second, outcome: Err(InvokeFailure::ConnectionLost) };
    assert_eq!(effects(&mut machine)[0], lost);
    assert_eq!(machine.invoke(&event, None), Err(StartRefused::NotConnected));
}

#[test]
fn groups_joined_at_run_time_are_joined_again_and_those_left_are_not() {
    let mut machine = reliable(ClientOptions::new().join(GroupName::new("given").unwrap()));
    let other = GroupName::new("other").unwrap();
    let join = machine.join_group(&other).unwrap();
    let leave = machine.leave_group(&GroupName::new("given").unwrap()).unwrap();
    effects(&mut machine);
    for id in [join, leave] {
        hear(&mut machine, &format!(r#"{{"type":"ack","ackId":{id},"success":true}}"#), at(1));
        let settled = Effect::Settle { ack_id: id, is_duplicate: false, outcome: Ok(()) };
        assert!(effects(&mut machine).contains(&settled));
    }
    lose(&mut machine, 1008, at(2));
    machine.handle(Input::DeadlineReached, at(60));
    super::reliable::greet_reliably(&mut machine, at(60));
    let effects = effects(&mut machine);
    let joins: Vec<_> = sent(&effects).into_iter().filter(|frame| frame.contains("joinGroup")).collect();
    assert!(joins.len() == 1 && joins[0].contains("other"), "{joins:?}");
}

#[test]
fn fire_and_forget_needs_a_connection_and_asks_for_no_ack() {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    let outgoing = crate::Outgoing::to_group(group(), text("x"));
    let refused = machine.send_and_forget(outgoing.clone());
    assert_eq!(refused, Err(crate::SendRefused::NotConnected(outgoing.clone())));
    let mut machine = reliable(ClientOptions::new());
    machine.send_and_forget(outgoing.without_echo()).unwrap();
    let expected = r#"{"type":"sendToGroup","group":"stream","noEcho":true,"dataType":"text","data":"x"}"#;
    assert_eq!(sent(&effects(&mut machine)), [expected]);
}
