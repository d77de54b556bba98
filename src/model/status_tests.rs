//! What the page says after what happened.

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

fn not_found() -> ClientEvent {
    let failure = ConnectFailure::NegotiateStatus { url: "http://host/negotiate".into(), status: 404 };
    ClientEvent::ConnectFailed { failure }
}

fn retry_in(seconds: u64) -> ClientEvent {
    ClientEvent::RetryScheduled { after: Duration::from_secs(seconds) }
}

fn after(events: impl IntoIterator<Item = ClientEvent>) -> Status {
    let mut status = Status::new(group());
    for event in events {
        status.handle(&event, 0.0);
    }
    status
}

fn says(events: impl IntoIterator<Item = ClientEvent>) -> (ConnectionState, String) {
    let line = after(events).line(0.0);
    (line.state, line.text())
}

#[test]
fn at_first_it_connects() {
    assert_eq!(says([]), (ConnectionState::Connecting, "Connecting…".into()));
    assert_eq!(says([ClientEvent::Connecting]), (ConnectionState::Connecting, "Connecting…".into()));
}

#[test]
fn it_is_connected_once_it_receives_the_group() {
    let (state, text) = says([ClientEvent::Connecting, connected(Some("ada"))]);
    assert_eq!((state, text.as_str()), (ConnectionState::Connecting, "Joining group `stream`…"));
    let (state, text) = says([ClientEvent::Connecting, connected(Some("ada")), joined()]);
    assert_eq!((state, text.as_str()), (ConnectionState::Connected, "Connected as ada · connection 3f2b9c"));
    assert_eq!(says([connected(None), joined()]).1, "Connected · connection 3f2b9c");
}

#[test]
fn another_groups_membership_changes_nothing() {
    let other = ClientEvent::Joined { group: GroupName::new("other").unwrap() };
    assert_eq!(says([connected(None), other]).0, ConnectionState::Connecting);
}

#[test]
fn who_is_not_allowed_is_told_in_the_services_words() {
    let (state, text) = says([connected(None), refused(AckError::FORBIDDEN)]);
    assert_eq!(state, ConnectionState::Forbidden);
    assert_eq!(text, "Not allowed to join group `stream`: the role is missing");
    let (state, text) = says([connected(None), refused(AckError::INTERNAL_SERVER_ERROR)]);
    assert_eq!(state, ConnectionState::Failed);
    assert_eq!(text, "Group `stream` could not be joined: InternalServerError: the role is missing");
    assert!(after([connected(None), refused(AckError::FORBIDDEN)]).line(0.0).connection.is_some());
}

#[test]
fn a_lost_connection_is_counted_down_with_its_reason() {
    let status = after([connected(None), joined(), dropped(), retry_in(2)]);
    assert!(status.is_counting_down());
    for (now_ms, text) in [
        (0.0, "Reconnecting in 2 s: the connection was dropped (close code 1006)"),
        (1_200.0, "Reconnecting in 1 s: the connection was dropped (close code 1006)"),
        (9_000.0, "Reconnecting in 1 s: the connection was dropped (close code 1006)"),
    ] {
        let line = status.line(now_ms);
        assert_eq!((line.state, line.text().as_str()), (ConnectionState::Disconnected, text));
        assert_eq!((line.spoken.as_str(), line.connection), ("Reconnecting", None));
    }
}

#[test]
fn while_it_reconnects_the_reason_stays_and_failures_take_its_place() {
    let lost = [connected(None), joined(), dropped(), retry_in(1), ClientEvent::Connecting];
    assert_eq!(says(lost.clone()).1, "Reconnecting now: the connection was dropped (close code 1006)");
    let (state, text) = says(lost.into_iter().chain([not_found(), retry_in(4)]));
    assert_eq!(state, ConnectionState::Disconnected);
    assert!(
        text.starts_with("Reconnecting in 4 s: negotiate failed: http://host/negotiate answered 404"),
        "{text}"
    );
    assert_eq!(says([dropped(), retry_in(1), connected(None), joined()]).0, ConnectionState::Connected);
}

#[test]
fn a_connection_that_never_was_has_failed() {
    let (state, text) = says([ClientEvent::Connecting, not_found(), retry_in(3)]);
    assert_eq!(state, ConnectionState::Failed);
    assert!(text.starts_with("Trying again in 3 s: negotiate failed"), "{text}");
}

#[test]
fn who_has_given_up_says_why_and_offers_another_try() {
    let status = after([ClientEvent::Connecting, not_found(), ClientEvent::Stopped]);
    let line = status.line(0.0);
    assert_eq!((line.state, line.can_retry), (ConnectionState::Failed, true));
    assert!(line.text().starts_with("Not connected: negotiate failed"), "{}", line.text());
    assert!(!status.is_counting_down());
    assert_eq!(says([connected(None), joined(), dropped(), ClientEvent::Stopped]).0, ConnectionState::Failed);
}

#[test]
fn a_name_that_reorders_text_is_shown_as_what_it_is() {
    assert_eq!(
        says([connected(Some("\u{202e}ada")), joined()]).1,
        "Connected as <U+202E>ada · connection 3f2b9c"
    );
}

#[test]
fn a_connection_that_is_taken_up_again_is_what_it_was_before() {
    let lost = ClientEvent::Recovering { reason: Disconnect::Dropped { code: 1006, reason: String::new() } };
    let recovering = [connected(Some("ada")), joined(), lost];
    let (state, text) = says(recovering.clone());
    assert_eq!(state, ConnectionState::Disconnected);
    assert_eq!(text, "Reconnecting now: the connection was dropped (close code 1006)");
    let status = after(recovering.clone().into_iter().chain([not_found(), retry_in(1)]));
    assert!(status.is_counting_down() && !status.line(0.0).can_retry);
    let recovered = recovering.into_iter().chain([retry_in(1), ClientEvent::Recovered]);
    assert_eq!(says(recovered).1, "Connected as ada · connection 3f2b9c");
}
