//! Tests of the status after the client's events.

use std::time::Duration;

use webpubsub_client::{ConnectFailure, Disconnect};
use webpubsub_protocol::subprotocol::Subprotocol;

use super::*;

fn group() -> GroupName {
    GroupName::new("stream").unwrap()
}

fn connected(user_id: Option<&str>) -> ClientEvent {
    ClientEvent::Connected {
        connection_id: "3f2b9c".into(),
        user_id: user_id.map(Into::into),
        subprotocol: Subprotocol::ReliableJson,
        history: None,
    }
}

fn joined() -> ClientEvent {
    ClientEvent::Joined { group: group() }
}

fn refused(name: &str) -> ClientEvent {
    let error = AckError { name: name.into(), message: "the role is missing".into() };
    ClientEvent::JoinRefused { group: group(), error }
}

fn dropped() -> ClientEvent {
    ClientEvent::Disconnected { reason: Disconnect::Dropped { code: 1006, reason: String::new() } }
}

fn answered(status: u16, reason: Option<&str>) -> ClientEvent {
    let (url, reason) = ("http://host/negotiate".into(), reason.map(Into::into));
    ClientEvent::ConnectFailed {
        failure: ConnectFailure::NegotiateStatus { url, status, reason, retry_after: None },
    }
}

fn unavailable() -> ClientEvent {
    answered(503, Some("restarting"))
}

fn socket_failed() -> ClientEvent {
    let (url, detail) = ("wss://host/client/hubs/h".into(), "close code 1006".into());
    ClientEvent::ConnectFailed { failure: ConnectFailure::Refused { url, detail, status: None } }
}

fn retry_in(seconds: u64) -> ClientEvent {
    ClientEvent::RetryScheduled { after: Duration::from_secs(seconds) }
}

fn after(events: impl IntoIterator<Item = ClientEvent>) -> Status {
    let mut status = Status::new(group());
    for event in events {
        status.handle_event(&event, 0.0);
    }
    status
}

fn state_and_text(events: impl IntoIterator<Item = ClientEvent>) -> (ConnectionState, String) {
    let line = after(events).line(0.0);
    (line.state, line.text())
}

#[test]
fn an_unusable_page_shows_the_reason() {
    let line = StatusLine::unusable("the group \u{202e} is invalid".to_owned());
    assert_eq!(line.text(), "The log cannot be shown: the group <U+202E> is invalid");
    assert_eq!((line.state, line.can_retry), (ConnectionState::Failed, false));
}

#[test]
fn a_new_source_is_connecting() {
    assert_eq!(state_and_text([]), (ConnectionState::Connecting, "Connecting…".into()));
    assert_eq!(
        state_and_text([ClientEvent::Connecting]),
        (ConnectionState::Connecting, "Connecting…".into())
    );
}

#[test]
fn a_source_is_connected_once_it_has_joined_the_group() {
    let (state, text) = state_and_text([ClientEvent::Connecting, connected(Some("ada"))]);
    assert_eq!((state, text.as_str()), (ConnectionState::Connecting, "Joining group `stream`…"));
    let (state, text) = state_and_text([ClientEvent::Connecting, connected(Some("ada")), joined()]);
    assert_eq!((state, text.as_str()), (ConnectionState::Connected, "Connected as ada"));
    assert_eq!(state_and_text([connected(None), joined()]).1, "Connected");
}

#[test]
fn joining_another_group_does_not_change_the_state() {
    let other = ClientEvent::Joined { group: GroupName::new("other").unwrap() };
    assert_eq!(state_and_text([connected(None), other]).0, ConnectionState::Connecting);
}

#[test]
fn a_refused_join_has_the_reason_that_the_service_gave() {
    let (state, text) = state_and_text([connected(None), refused(AckError::FORBIDDEN)]);
    assert_eq!(state, ConnectionState::Forbidden);
    assert_eq!(text, "Not allowed to join group `stream`: the role is missing");
    let (state, text) = state_and_text([connected(None), refused(AckError::INTERNAL_SERVER_ERROR)]);
    assert_eq!(state, ConnectionState::Failed);
    assert_eq!(text, "Group `stream` could not be joined: InternalServerError: the role is missing");
    assert!(after([connected(None), refused(AckError::FORBIDDEN)]).line(0.0).connection.is_some());
}

#[test]
fn a_lost_connection_shows_its_reason_and_a_countdown() {
    let status = after([connected(None), joined(), dropped(), retry_in(2)]);
    assert!(status.is_counting_down());
    for (now_ms, text) in [
        (0.0, "Reconnecting in 2 s: the connection was lost"),
        (1_200.0, "Reconnecting in 1 s: the connection was lost"),
        (9_000.0, "Reconnecting in 1 s: the connection was lost"),
    ] {
        let line = status.line(now_ms);
        assert_eq!((line.state, line.text().as_str()), (ConnectionState::Disconnected, text));
        assert_eq!((line.announcement.as_str(), line.connection), ("Reconnecting", None));
    }
}

#[test]
fn while_reconnecting_the_reason_stays_until_a_failure_replaces_it() {
    let lost = [connected(None), joined(), dropped(), retry_in(1), ClientEvent::Connecting];
    assert_eq!(state_and_text(lost.clone()).1, "Reconnecting now: the connection was lost");
    let (state, text) = state_and_text(lost.into_iter().chain([unavailable(), retry_in(4)]));
    assert_eq!((state, text.as_str()), (ConnectionState::Disconnected, "Reconnecting in 4 s: restarting"));
    assert_eq!(
        state_and_text([dropped(), retry_in(1), connected(None), joined()]).0,
        ConnectionState::Connected
    );
}

#[test]
fn a_first_connection_that_is_not_established_has_failed() {
    let (state, text) = state_and_text([ClientEvent::Connecting, unavailable(), retry_in(3)]);
    assert_eq!((state, text.as_str()), (ConnectionState::Failed, "Retrying in 3 s: restarting"));
}

#[test]
fn a_refused_client_shows_the_reason_of_the_server_and_can_be_retried() {
    let refused = answered(403, Some("the group `secret` may not be asked for here"));
    let status = after([ClientEvent::Connecting, refused, ClientEvent::Stopped]);
    let line = status.line(0.0);
    assert_eq!((line.state, line.can_retry), (ConnectionState::Failed, true));
    assert_eq!(line.text(), "Not connected: the group `secret` may not be asked for here");
    assert_eq!(line.announcement, "Not connected");
    assert!(!status.is_counting_down());
    assert_eq!(
        state_and_text([connected(None), joined(), dropped(), ClientEvent::Stopped]).0,
        ConnectionState::Failed
    );
}

#[test]
fn a_name_with_invisible_characters_is_made_visible() {
    assert_eq!(state_and_text([connected(Some("\u{202e}ada")), joined()]).1, "Connected as <U+202E>ada");
}

#[test]
fn a_recovered_connection_returns_to_its_state_before() {
    let lost = ClientEvent::Recovering { reason: Disconnect::Dropped { code: 1006, reason: String::new() } };
    let recovering = [connected(Some("ada")), joined(), lost];
    let (state, text) = state_and_text(recovering.clone());
    assert_eq!(state, ConnectionState::Disconnected);
    assert_eq!(text, "Reconnecting now: the connection was lost");
    let status = after(recovering.clone().into_iter().chain([unavailable(), retry_in(1)]));
    assert!(status.is_counting_down() && !status.line(0.0).can_retry);
    let recovered = recovering.into_iter().chain([retry_in(1), ClientEvent::Recovered]);
    assert_eq!(state_and_text(recovered).1, "Connected as ada");
}

#[test]
fn the_last_failure_has_the_address_and_the_close_code_that_the_headline_leaves_out() {
    let reason = Disconnect::Dropped { code: 1001, reason: "going away".into() };
    let dropped_with_reason = ClientEvent::Disconnected { reason };
    for (event, text, failure) in [
        (dropped(), "the connection was lost", "the connection was dropped (close code 1006)"),
        (
            dropped_with_reason,
            "the connection was closed: going away",
            "the connection was dropped (close code 1001, going away)",
        ),
        (
            socket_failed(),
            "the service did not accept the connection",
            "connection refused: wss://host/client/hubs/h did not accept the WebSocket (close code 1006)",
        ),
        (
            answered(404, None),
            "the server answered 404 Not Found; is this the address of a negotiate endpoint?",
            "negotiate failed: http://host/negotiate answered 404 Not Found; is this the address of a negotiate endpoint?",
        ),
    ] {
        let line = after([connected(None), joined(), event, retry_in(2)]).line(0.0);
        assert_eq!(line.text(), format!("Reconnecting in 2 s: {text}"));
        assert_eq!(line.last_failure.as_deref(), Some(failure));
    }
}

#[test]
fn the_last_failure_stays_after_the_connection_is_restored() {
    assert_eq!(after([connected(None), joined()]).line(0.0).last_failure, None);
    let restored = after([connected(None), joined(), dropped(), connected(None), joined()]).line(0.0);
    assert_eq!(restored.last_failure.as_deref(), Some("the connection was dropped (close code 1006)"));
    let refused = after([connected(None), refused(AckError::FORBIDDEN)]).line(0.0);
    assert_eq!(
        refused.last_failure.as_deref(),
        Some("group `stream` could not be joined: Forbidden: the role is missing")
    );
}
