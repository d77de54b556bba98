//! Faults that other clients are known for, and this one is not to share.

use super::{
    reliable::{RELIABLE, greet_reliably, reliable},
    *,
};

/// Python SDK: an ack that comes before its waiter is registered is lost, and the operation times out.
#[test]
fn an_ack_that_comes_at_once_finds_its_message() {
    let mut machine = reliable(ClientOptions::new());
    let id = machine.send_to_group(&group(), text("x")).unwrap();
    // Before the driver has even sent it.
    hear(&mut machine, r#"{"type":"ack","ackId":1,"success":true}"#, at(0));
    let settled = Effect::Settle { ack_id: id, is_duplicate: false, outcome: Ok(()) };
    assert_eq!(effects(&mut machine).last(), Some(&settled));
}

/// JavaScript SDK: a sequence id of 0 counts as none, and is never acknowledged.
#[test]
fn sequence_id_zero_is_reported_and_acknowledged() {
    let mut machine = reliable(ClientOptions::new());
    let message = r#"{"type":"message","from":"server","dataType":"text","data":"x","sequenceId":0}"#;
    hear(&mut machine, message, at(1));
    machine.handle(Input::DeadlineReached, at(3));
    let effects = effects(&mut machine);
    assert!(matches!(effects[0], Effect::Report(ClientEvent::ServerMessage { .. })));
    assert_eq!(sent(&effects), [r#"{"type":"sequenceAck","sequenceId":0}"#]);
}

/// JavaScript SDK: a stop while it recovers or waits is forgotten, and the client comes back.
#[test]
fn a_stop_ends_every_phase_for_good() {
    let phases: [fn(&mut Machine); 7] = [
        |_| {},
        |machine| machine.handle(Input::Start, at(0)),
        |machine| {
            machine.handle(Input::Start, at(0));
            machine.handle(Input::Negotiated(Ok(service_url())), at(0));
        },
        |machine| {
            machine.handle(Input::Start, at(0));
            greet_reliably(machine, at(0));
        },
        |machine| {
            machine.handle(Input::Start, at(0));
            greet_reliably(machine, at(0));
            lose(machine, 1006, at(1));
        },
        |machine| {
            machine.handle(Input::Start, at(0));
            greet_reliably(machine, at(0));
            lose(machine, 1006, at(1));
            machine.handle(RELIABLE, at(1));
        },
        |machine| {
            machine.handle(Input::Start, at(0));
            greet_reliably(machine, at(0));
            lose(machine, 1008, at(1));
        },
    ];
    for (at_phase, reach) in phases.into_iter().enumerate() {
        let mut machine = Machine::new(ClientOptions::new(), 1);
        reach(&mut machine);
        machine.handle(Input::Stop, at(2));
        let last = effects(&mut machine).pop();
        assert_eq!(last, Some(Effect::Report(ClientEvent::Stopped)), "phase {at_phase}");
        for seconds in 3..100 {
            machine.handle(Input::DeadlineReached, at(seconds));
            machine.handle(Input::Nudged, at(seconds));
            machine.handle(Input::TransportClosed { code: 1006, reason: String::new() }, at(seconds));
            machine.handle(RELIABLE, at(seconds));
        }
        assert_eq!((machine.poll_effect(), machine.next_deadline()), (None, None), "phase {at_phase}");
    }
}

fn pause_after_loss(machine: &mut Machine) -> Duration {
    let events = events(machine);
    let pause = events.iter().find_map(|event| match event {
        ClientEvent::RetryScheduled { after } => Some(*after),
        _ => None,
    });
    pause.unwrap_or_else(|| panic!("{events:?}"))
}

/// JavaScript clients of others: the count of attempts is not reset after success, and one day there are none left.
#[test]
fn the_back_off_is_reset_by_a_connection_that_lasted_and_not_by_one_that_did_not() {
    let mut machine = connected(ClientOptions::new());
    let mut now = at(0);
    for _ in 0..8 {
        lose(&mut machine, 1006, now);
        pause_after_loss(&mut machine);
        now = machine.next_deadline().unwrap();
        machine.handle(Input::DeadlineReached, now);
        connect(&mut machine, now);
    }
    lose(&mut machine, 1006, now);
    assert!(
        pause_after_loss(&mut machine) > crate::FIRST_PAUSE,
        "a service that hangs up at once is not stormed"
    );
    now = machine.next_deadline().unwrap();
    machine.handle(Input::DeadlineReached, now);
    connect(&mut machine, now);
    lose(&mut machine, 1006, now + STABLE_AFTER);
    assert!(pause_after_loss(&mut machine) <= crate::FIRST_PAUSE);
}

/// JavaScript SDK: a callback that fails to get a token ends the reconnecting, or is retried without a pause.
#[test]
fn a_negotiation_that_fails_is_told_and_tried_again_after_a_growing_pause() {
    let mut machine = connected(ClientOptions::new());
    lose(&mut machine, 1006, at(10));
    let mut last = pause_after_loss(&mut machine);
    for _ in 0..20 {
        let now = machine.next_deadline().unwrap();
        machine.handle(Input::DeadlineReached, now);
        let failure = ConnectFailure::NegotiateFunction { detail: "no token".into() };
        machine.handle(Input::Negotiated(Err(failure)), now);
        let pause = pause_after_loss(&mut machine);
        assert!(pause >= last / 2 && pause <= crate::LONGEST_PAUSE);
        last = pause;
    }
    assert!(last >= crate::LONGEST_PAUSE / 2);
}

/// JavaScript SDK: a retry takes a new ack id, and a message whose ack was lost is published twice.
#[test]
fn a_message_keeps_its_ack_id_however_often_it_is_sent() {
    let mut machine = reliable(ClientOptions::new());
    machine.send_to_group(&group(), text("x")).unwrap();
    let mut frames = Vec::new();
    for seconds in 1..5 {
        frames.extend(
            sent(&effects(&mut machine)).into_iter().filter(|f| f.contains("sendToGroup")).map(str::to_owned),
        );
        lose(&mut machine, 1006, at(seconds));
        machine.handle(Input::DeadlineReached, at(seconds) + Duration::from_millis(900));
        machine.handle(RELIABLE, at(seconds) + Duration::from_millis(900));
        hear(&mut machine, r#"{"type":"pong"}"#, at(seconds) + Duration::from_millis(900));
    }
    assert!(frames.len() >= 4 && frames.iter().all(|frame| *frame == frames[0]), "{frames:?}");
}

/// Both SDKs: every failure is tried again, one for want of permission included.
#[test]
fn what_is_forbidden_is_told_and_never_tried_again() {
    let mut machine = reliable(ClientOptions::new());
    machine.send_to_group(&group(), text("x")).unwrap();
    let join = machine.join_group(&group()).unwrap();
    effects(&mut machine);
    for id in [1, 2] {
        let refusal = format!(
            r#"{{"type":"ack","ackId":{id},"success":false,"error":{{"name":"Forbidden","message":"no"}}}}"#
        );
        hear(&mut machine, &refusal, at(1));
    }
    let told = effects(&mut machine);
    assert_eq!(sent(&told), [""; 0]);
    let refused =
        |effect: &&Effect| matches!(effect, Effect::Settle { outcome: Err(SendFailure::Refused(_)), .. });
    assert_eq!(told.iter().filter(refused).count(), 2);
    assert!(told.iter().any(|effect| matches!(effect, Effect::Settle { ack_id, .. } if *ack_id == join)));
    lose(&mut machine, 1008, at(2));
    machine.handle(Input::DeadlineReached, at(60));
    greet_reliably(&mut machine, at(60));
    assert_eq!(sent(&effects(&mut machine)), [""; 0], "neither the message nor the join comes again");
}

/// JavaScript SDK: after a phone was locked for long, a recovery "succeeds" and the client is dead.
#[test]
fn who_slept_longer_than_the_service_remembers_makes_a_new_connection() {
    let mut machine = reliable(ClientOptions::new());
    machine.handle(Input::DeadlineReached, at(10));
    lose(&mut machine, 1006, at(3_600));
    let told = events(&mut machine);
    assert!(matches!(told[0], ClientEvent::Disconnected { .. }), "{told:?}");
}

/// A laptop that wakes up hears nothing and sees no close: it has to ask.
#[test]
fn who_wakes_up_asks_at_once_and_believes_only_an_answer() {
    for nudge in [Input::Nudged, Input::DeadlineReached] {
        let mut machine = reliable(ClientOptions::new());
        machine.handle(Input::DeadlineReached, at(10));
        machine.handle(nudge, at(3_600));
        assert_eq!(sent(&effects(&mut machine)), [r#"{"type":"ping"}"#]);
        machine.handle(Input::DeadlineReached, at(3_600) + crate::PONG_TIMEOUT);
        let effects = effects(&mut machine);
        assert_eq!(effects[0], Effect::AbandonTransport);
        assert!(matches!(effects[1], Effect::Report(ClientEvent::Disconnected { .. })), "{effects:?}");
    }
}

/// JavaScript SDK: "connected" is told when the socket opens, and who is refused then has been told so.
#[test]
fn a_service_that_hangs_up_before_its_greeting_was_never_connected() {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    machine.handle(Input::Start, at(0));
    machine.handle(Input::Negotiated(Ok(service_url())), at(0));
    machine.handle(RELIABLE, at(0));
    lose(&mut machine, 1008, at(0));
    let told = events(&mut machine);
    assert!(matches!(told[1], ClientEvent::ConnectFailed { .. }), "{told:?}");
}

/// A message that the service ends connections over would, sent again on each new one, end all of them.
#[test]
fn a_message_that_no_service_takes_is_refused_before_it_is_sent() {
    let mut machine = reliable(ClientOptions::new());
    let long = text(&"x".repeat(crate::MAX_FRAME_BYTES));
    assert!(matches!(machine.send_to_group(&group(), long), Err(crate::SendRefused::TooLarge { .. })));
    for json in ["null", "{", ""] {
        let refused = machine.send_to_group(&group(), Payload::Json(json.into()));
        assert!(matches!(refused, Err(crate::SendRefused::NotJson(_))), "{json}");
    }
    assert_eq!(machine.poll_effect(), None);
    for _ in 0..MAX_IN_FLIGHT_MESSAGES {
        machine.send_to_group(&group(), text("x")).unwrap();
    }
    let refused = machine.send_to_group(&group(), text("comes back"));
    let Err(crate::SendRefused::WindowFull(outgoing)) = refused else { panic!("{refused:?}") };
    assert_eq!(outgoing.into_payload(), text("comes back"));
}
