//! Failures that stop the client, and those that it retries.

use super::*;

fn answered(status: u16) -> ConnectFailure {
    let reason = Some("the group is closed".to_owned());
    ConnectFailure::NegotiateStatus { url: "http://h/negotiate".into(), status, reason, retry_after: None }
}

fn handshake_answered(status: u16) -> ConnectFailure {
    ConnectFailure::Refused { url: "ws://h/client".into(), detail: String::new(), status: Some(status) }
}

fn started() -> Machine {
    let mut machine = Machine::new(ClientOptions::new(), 1);
    machine.handle(Input::Start, Moment::START);
    effects(&mut machine);
    machine
}

/// A client that lost its connection and negotiates for another.
fn reconnecting() -> Machine {
    let mut machine = connected(ClientOptions::new());
    lose(&mut machine, 1006, at(10));
    machine.handle(Input::DeadlineReached, at(60));
    effects(&mut machine);
    machine
}

/// The last event after the negotiation failed.
fn last_event(mut machine: Machine, failure: ConnectFailure) -> ClientEvent {
    machine.handle(Input::Negotiated(Err(failure.clone())), at(60));
    let events = events(&mut machine);
    assert_eq!(events[0], ClientEvent::ConnectFailed { failure });
    assert_eq!(events.len(), 2, "{events:?}");
    events[1].clone()
}

#[test]
fn a_refusal_stops_the_client_and_no_retry_is_announced() {
    for status in [400, 401, 403, 405, 410, 451] {
        assert_eq!(last_event(started(), answered(status)), ClientEvent::Stopped, "{status} at first");
        assert_eq!(last_event(reconnecting(), answered(status)), ClientEvent::Stopped, "{status} later");
    }
}

#[test]
fn an_answer_about_the_state_of_the_server_is_retried() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        for machine in [started(), reconnecting()] {
            let last = last_event(machine, answered(status));
            assert!(matches!(last, ClientEvent::RetryScheduled { .. }), "{status}: {last:?}");
        }
    }
}

#[test]
fn the_next_attempt_waits_as_long_as_the_server_asks() {
    let busy = |seconds| ConnectFailure::NegotiateStatus {
        url: "http://h/negotiate".into(),
        status: 429,
        reason: None,
        retry_after: Some(Duration::from_secs(seconds)),
    };
    let after = |seconds| match last_event(started(), busy(seconds)) {
        ClientEvent::RetryScheduled { after } => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(after(6), Duration::from_secs(6));
    assert_eq!(after(86_400), MAX_RETRY_AFTER);
    assert!(after(0) <= FIRST_PAUSE);
}

#[test]
fn a_missing_endpoint_is_retried_only_by_a_client_that_was_connected() {
    assert_eq!(last_event(started(), answered(404)), ClientEvent::Stopped);
    let last = last_event(reconnecting(), answered(404));
    assert!(matches!(last, ClientEvent::RetryScheduled { .. }), "{last:?}");
}

#[test]
fn a_refused_handshake_stops_the_client() {
    for (status, stops) in [(401, true), (403, true), (404, false), (503, false)] {
        for mut machine in [started(), reconnecting()] {
            machine.handle(Input::Negotiated(Ok(service_url())), at(60));
            machine.handle(Input::TransportRefused(handshake_answered(status)), at(60));
            let events = events(&mut machine);
            assert_eq!(events.contains(&ClientEvent::Stopped), stops, "{status}: {events:?}");
        }
    }
}

#[test]
fn a_refused_recovery_goes_on_to_a_new_connection() {
    let mut machine = reliable::reliable(ClientOptions::new());
    lose(&mut machine, 1006, at(10));
    machine.handle(Input::TransportRefused(handshake_answered(403)), at(10));
    assert!(!events(&mut machine).contains(&ClientEvent::Stopped));
    machine.handle(Input::DeadlineReached, at(10) + crate::RECOVERY_WINDOW);
    assert!(!events(&mut machine).contains(&ClientEvent::Stopped));
    machine.handle(Input::DeadlineReached, at(60));
    assert!(effects(&mut machine).contains(&Effect::Negotiate));
}

#[test]
fn a_client_that_is_refused_settles_every_message() {
    let mut machine = reconnecting();
    machine.send_to_group(&group(), text("a")).unwrap();
    machine.handle(Input::Negotiated(Err(answered(403))), at(60));
    let effects = effects(&mut machine);
    let settled =
        |effect: &Effect| matches!(effect, Effect::Settle { outcome: Err(SendFailure::Stopped), .. });
    assert!(effects.iter().any(settled), "{effects:?}");
    assert_eq!(
        (effects.last(), machine.next_deadline()),
        (Some(&Effect::Report(ClientEvent::Stopped)), None)
    );
}

#[test]
fn an_answer_without_a_url_stops_a_client_with_that_option_alone() {
    for (options, stops) in
        [(ClientOptions::new().stop_on_lasting_failure(), true), (ClientOptions::new(), false)]
    {
        let mut machine = Machine::new(options, 1);
        machine.handle(Input::Start, Moment::START);
        let failure = ConnectFailure::NegotiateAnswer { url: "http://h".into(), found: "nothing".into() };
        machine.handle(Input::Negotiated(Err(failure)), Moment::START);
        assert_eq!(events(&mut machine).contains(&ClientEvent::Stopped), stops);
    }
}
