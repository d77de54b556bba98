//! The page for people.

use std::{collections::HashMap, time::SystemTime};

use maud::{DOCTYPE, Markup, html};

use super::{
    recorder::{Direction, EXCERPT_BYTES, Record},
    snapshot::{Chosen, MAX_LISTED, Snapshot},
};
use crate::hub::HubSnapshot;

/// How much has gone through each hub since the picture before.
#[derive(Debug, Default)]
pub(super) struct Rates {
    before: HashMap<String, (SystemTime, u64, u64)>,
    per_second: HashMap<String, (f64, f64)>,
}

impl Rates {
    /// Takes a new picture into account.
    pub(super) fn update(&mut self, snapshot: &Snapshot) {
        let now = SystemTime::now();
        for hub in &snapshot.hubs {
            let total = (now, hub.received, hub.delivered);
            if let Some((then, received, delivered)) = self.before.insert(hub.name.clone(), total) {
                let seconds =
                    now.duration_since(then).map_or(1.0, |elapsed| elapsed.as_secs_f64()).max(0.001);
                let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
                let rates = (rate(hub.received, received), rate(hub.delivered, delivered));
                self.per_second.insert(hub.name.clone(), rates);
            }
        }
    }

    fn of(&self, hub: &str) -> (f64, f64) {
        self.per_second.get(hub).copied().unwrap_or_default()
    }
}

/// The whole page; its script keeps the main part live.
pub(super) fn whole(snapshot: &Snapshot, rates: &Rates) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "The service inside" }
                link rel="stylesheet" href="/_hub/style.css";
                script type="module" src="/_hub/live.js" {}
            }
            body {
                header {
                    h1 { a href="/_hub" { "The service inside" } }
                    span #state .quiet role="status" { "as it was when loaded" }
                    a href="/metrics" { "metrics" }
                }
                main { (live_part(snapshot, rates)) }
            }
        }
    }
}

/// The part that changes.
pub(super) fn live_part(snapshot: &Snapshot, rates: &Rates) -> Markup {
    html! {
        @if let Some(chosen) = &snapshot.chosen { (chosen_part(chosen)) }
        @if snapshot.hubs.is_empty() { p .quiet { "Nobody has connected yet." } }
        @for hub in snapshot.hubs.iter().take(MAX_LISTED) { (hub_part(hub, rates.of(&hub.name), snapshot.chosen.as_ref())) }
        (rest(snapshot.hubs.len()))
    }
}

fn chosen_part(chosen: &Chosen) -> Markup {
    html! {
        section aria-label="Chosen connection" {
            h2 { "Connection " code { (chosen.id) } }
            @match &chosen.details {
                None => p { "It is not connected (any more)." },
                Some(details) => {
                    p .quiet {
                        "hub " code { (details.hub) } ", groups: "
                        @if details.groups.is_empty() { "none" }
                        @for (at, group) in details.groups.iter().enumerate() {
                            @if at > 0 { ", " } code { (group) }
                        }
                    }
                    table {
                        thead { tr {
                            th { "time, UTC" } th { "way" } th { "kind" } th .number { "bytes" } th { "beginning" }
                        } }
                        tbody { @for record in details.records.iter().rev() { (record_row(record)) } }
                    }
                }
            }
        }
    }
}

fn record_row(record: &Record) -> Markup {
    let stamp = humantime::format_rfc3339_millis(record.at).to_string();
    let time = stamp.get(11..23).unwrap_or(&stamp);
    let way = match record.direction {
        Direction::In => "← in",
        Direction::Out => "→ out",
    };
    html! {
        tr {
            td { (time) }
            td { (way) }
            td { (format!("{:?}", record.opcode).to_lowercase()) }
            td .number { (record.payload_len) }
            td .frame { (record.excerpt) @if record.payload_len > EXCERPT_BYTES { " …" } }
        }
    }
}

fn hub_part(hub: &HubSnapshot, (received, delivered): (f64, f64), chosen: Option<&Chosen>) -> Markup {
    html! {
        section aria-label={ "Hub " (hub.name) } {
            h2 { "Hub " code { (hub.name) } }
            p .quiet {
                (hub.connection_count) " connections, " (hub.group_count) " groups, "
                (hub.user_count) " users; "
                (hub.received) " messages in (" (format!("{received:.0}")) "/s), "
                (hub.delivered) " delivered (" (format!("{delivered:.0}")) "/s)"
            }
            @if !hub.groups.is_empty() {
                h3 { "Groups" }
                table {
                    thead { tr { th { "name" } th .number { "members" } } }
                    tbody { @for (name, members) in &hub.groups {
                        tr { td { code { (name) } } td .number { (members) } }
                    } }
                }
                (rest(hub.group_count))
            }
            @if !hub.connections.is_empty() {
                h3 { "Connections" }
                table {
                    thead { tr { th { "id" } th { "user" } th { "subprotocol" } th .number { "groups" } th { "socket" } } }
                    tbody { @for connection in &hub.connections {
                        tr .chosen[chosen.is_some_and(|chosen| chosen.id == connection.id)] {
                            td { a href={ "/_hub?connection=" (connection.id) } { code { (connection.id) } } }
                            td { @match &connection.user_id { Some(user) => (user), None => span .quiet { "anonymous" } } }
                            td { (connection.subprotocol.as_deref().unwrap_or("none")) }
                            td .number { (connection.group_count) }
                            td { @if connection.is_away { "lost, kept for recovery" } @else { "open" } }
                        }
                    } }
                }
                (rest(hub.connection_count))
            }
        }
    }
}

fn rest(count: usize) -> Markup {
    html! { @if count > MAX_LISTED { p .quiet { "and " (count - MAX_LISTED) " more" } } }
}
