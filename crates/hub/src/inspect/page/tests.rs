use std::time::{Duration, SystemTime};

use webpubsub_websocket::frame::Opcode;

use super::*;
use crate::{
    hub::{ConnectionSummary, HubSnapshot},
    inspect::snapshot::{Details, Selected},
    recorder::{EXCERPT_BYTES, FrameDirection, RecordedFrame},
};

const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&";
const ESCAPED: &str = "&lt;img src=x onerror=alert(1)&gt;&quot;'&amp;";

fn connection(id: &str) -> ConnectionSummary {
    ConnectionSummary {
        id: id.to_owned(),
        user_id: None,
        subprotocol: None,
        group_count: 0,
        is_detached: false,
    }
}

fn hub_with(connections: Vec<ConnectionSummary>, groups: Vec<(String, usize)>) -> HubSnapshot {
    HubSnapshot {
        name: "stream".to_owned(),
        connection_count: connections.len(),
        connections,
        group_count: groups.len(),
        groups,
        ..HubSnapshot::default()
    }
}

fn selected(records: Vec<RecordedFrame>) -> Selected {
    let details = Details { hub: "stream".to_owned(), groups: Vec::new(), records };
    Selected { id: "c1".to_owned(), details: Some(details) }
}

fn record(excerpt: &str, payload_len: usize) -> RecordedFrame {
    RecordedFrame {
        at: SystemTime::UNIX_EPOCH + Duration::from_millis(3_723_004),
        direction: FrameDirection::Out,
        opcode: Opcode::Text,
        payload_len,
        excerpt: excerpt.to_owned(),
    }
}

fn main_html(hubs: Vec<HubSnapshot>, selected: Option<Selected>) -> String {
    main_part(&ServiceSnapshot { hubs, selected }, &Rates::default()).into_string()
}

/// The text between the tags.
fn text(html: &str) -> String {
    html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect()
}

fn assert_contains(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
}

#[test]
fn counts_have_the_singular_for_one_alone() {
    let hub = |count: usize| HubSnapshot {
        connection_count: count,
        group_count: count,
        user_count: count,
        received: count as u64,
        delivered: count as u64,
        ..hub_with(Vec::new(), Vec::new())
    };
    let words = |count| text(&main_html(vec![hub(count)], None));
    assert_contains(&words(1), &["1 connection, 1 group, 1 user; 1 message received, 1 message delivered"]);
    assert_contains(
        &words(0),
        &["0 connections, 0 groups, 0 users; 0 messages received, 0 messages delivered"],
    );
    assert_contains(
        &words(2),
        &["2 connections, 2 groups, 2 users; 2 messages received, 2 messages delivered"],
    );
    let listed = |count| HubSnapshot {
        connection_count: count,
        group_count: count,
        ..hub_with(vec![connection("c1")], vec![("g".to_owned(), 1)])
    };
    let words = |count| text(&main_html(vec![listed(count)], None));
    assert_contains(&words(MAX_LISTED + 1), &["1 more connection", "1 more group"]);
    assert_contains(&words(MAX_LISTED + 2), &["2 more connections", "2 more groups"]);
    assert!(!words(MAX_LISTED).contains("more"));
    let hubs = |count| vec![hub(0); count];
    assert_contains(&text(&main_html(hubs(MAX_LISTED + 1), None)), &["1 more hub"]);
}

#[test]
fn the_overview_adds_all_hubs_up_and_has_rates_from_the_second_snapshot_on() {
    let at = |received| {
        let hub = HubSnapshot { received, ..hub_with(vec![connection("c1")], Vec::new()) };
        let other = HubSnapshot { name: "other".to_owned(), ..hub.clone() };
        ServiceSnapshot { hubs: vec![hub, other], selected: None }
    };
    let (mut rates, start) = (Rates::default(), SystemTime::UNIX_EPOCH);
    rates.update(&at(10), start);
    let html = main_part(&at(10), &rates).into_string();
    assert_contains(&html, &["<dt>Hubs</dt><dd>2</dd>", "<dt>Connections</dt><dd>2</dd>"]);
    assert_contains(&html, &["<dt>Messages received</dt><dd>20</dd>"]);
    rates.update(&at(13), start + Duration::from_secs(1));
    let words = text(&main_part(&at(13), &rates).into_string());
    assert_contains(&words, &["Messages received26 (6/s)", "13 messages received (3/s)"]);
}

#[test]
fn names_and_payloads_of_clients_are_escaped() {
    let client = ConnectionSummary {
        user_id: Some(HOSTILE.to_owned()),
        subprotocol: Some(HOSTILE.to_owned()),
        ..connection("c1")
    };
    let mut selected = selected(vec![record(HOSTILE, 1)]);
    selected.id = HOSTILE.to_owned();
    if let Some(details) = &mut selected.details {
        details.groups.push(HOSTILE.to_owned());
    }
    let html = main_html(vec![hub_with(vec![client], vec![(HOSTILE.to_owned(), 1)])], Some(selected));
    assert!(!html.contains("<img"), "{html}");
    // User, subprotocol, both lists of groups, the id of the request, the payload.
    assert_eq!(text(&html).matches(ESCAPED).count(), 6, "{html}");
}

#[test]
fn empty_lists_have_a_message() {
    assert_contains(&text(&main_html(Vec::new(), None)), &["No connections yet."]);
    let words = text(&main_html(vec![hub_with(Vec::new(), Vec::new())], None));
    assert_contains(&words, &["ConnectionsNo connections", "GroupsNo groups"]);
    let html = main_html(Vec::new(), Some(selected(Vec::new())));
    assert_contains(&text(&html), &["GroupsNone", "No frames"]);
    let unknown = Selected { id: "c9".to_owned(), details: None };
    assert_contains(&text(&main_html(Vec::new(), Some(unknown))), &["IDc9", "No connection with this ID"]);
}

#[test]
fn a_connection_has_its_user_its_subprotocol_and_its_state() {
    let named = ConnectionSummary {
        user_id: Some("ada".to_owned()),
        subprotocol: Some("json.webpubsub.azure.v1".to_owned()),
        group_count: 3,
        is_detached: true,
        ..connection("c2")
    };
    let html =
        main_html(vec![hub_with(vec![connection("c1"), named], Vec::new())], Some(selected(Vec::new())));
    let words = text(&html);
    assert_contains(&words, &["c1AnonymousNone0Open"]);
    assert_contains(&words, &["c2adajson.webpubsub.azure.v13Disconnected, kept for recovery"]);
    assert_contains(&html, &[r#"href="/_hub?connection=c1" aria-current="true""#]);
    assert_eq!(html.matches("aria-current").count(), 1);
}

#[test]
fn frames_are_listed_from_the_newest_on_with_time_direction_type_and_size() {
    let records = vec![record("older", 5), record("newer", EXCERPT_BYTES + 1)];
    let words = text(&main_html(Vec::new(), Some(selected(records))));
    assert_contains(&words, &["01:02:03.004→ SentText241newer …01:02:03.004→ SentText5older"]);
}

#[test]
fn tables_have_names_and_headers_with_a_scope() {
    let hub = hub_with(vec![connection("c1")], vec![("g".to_owned(), 1)]);
    let html = main_html(vec![hub], Some(selected(vec![record("x", 1)])));
    for name in ["Recent frames", "Connections", "Groups"] {
        assert_contains(&html, &[&format!("<h3>{name}</h3>"), &format!("aria-label=\"{name}\"")]);
    }
    let headers = html.matches("<th").count() - html.matches("<thead").count();
    let scopes = [r#"scope="col""#, r#"scope="row""#].map(|scope| html.matches(scope).count());
    assert_eq!((headers, scopes), (15, [12, 3]));
}

#[test]
fn the_log_is_linked_if_the_server_has_a_log_page() {
    let snapshot = ServiceSnapshot { hubs: Vec::new(), selected: None };
    let with = document(&snapshot, Some("/")).into_string();
    assert_contains(&with, &[r#"<a href="/">Log</a>"#, r#"<a href="/metrics">Metrics</a>"#]);
    assert!(!document(&snapshot, None).into_string().contains("Log</a>"));
}

#[test]
fn nothing_is_inline_that_the_content_security_policy_blocks() {
    let hub = hub_with(vec![connection("c1")], vec![("g".to_owned(), 1)]);
    let snapshot = ServiceSnapshot { hubs: vec![hub], selected: Some(selected(vec![record("x", 1)])) };
    let html = document(&snapshot, Some("/")).into_string();
    for inline in ["<style", " style=", " onclick=", " src=\"data:", " src=\"http"] {
        assert!(!html.contains(inline), "{inline}");
    }
    assert_eq!(html.matches("<script").count(), html.matches("></script>").count());
}
