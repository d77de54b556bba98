//! One hub: its figures, groups and connections.

use maud::{Markup, html};

use super::{
    overview::rate,
    text::{counted, name},
    unlisted,
};
use crate::{
    hub::{ConnectionSummary, HubSnapshot},
    inspect::rates::Rate,
};

/// Renders a hub. `selected` is the id of the connection whose details are shown.
///
/// Tables have explicit roles: narrow windows show their rows as cards, and browsers drop the roles of tables that are
/// laid out otherwise.
pub(super) fn section(hub: &HubSnapshot, per_second: Option<Rate>, selected: Option<&str>) -> Markup {
    html! {
        section data-key={ "hub " (hub.name) } aria-label={ "Hub " (hub.name) } {
            h2 { "Hub " (name(&hub.name)) }
            p .quiet {
                (counted(hub.connection_count, "connection")) ", " (counted(hub.group_count, "group")) ", "
                (counted(hub.user_count, "user")) "; "
                (counted(hub.received, "message")) " received" (rate(per_second.map(|rate| rate.received))) ", "
                (counted(hub.delivered, "message")) " delivered" (rate(per_second.map(|rate| rate.delivered)))
            }
            (connections(hub, selected))
            (groups(hub))
        }
    }
}

fn connections(hub: &HubSnapshot, selected: Option<&str>) -> Markup {
    html! {
        @if hub.connections.is_empty() { h3 { "Connections" } p .empty { "No connections" } }
        @else {
            h3 { "Connections" }
            table .connections role="table" aria-label="Connections" {
                thead role="rowgroup" { tr role="row" {
                    th .id scope="col" role="columnheader" { "ID" }
                    th scope="col" role="columnheader" { "User" }
                    th scope="col" role="columnheader" { "Subprotocol" }
                    th .number scope="col" role="columnheader" { "Groups" }
                    th .state scope="col" role="columnheader" { "State" }
                } }
                tbody role="rowgroup" { @for connection in &hub.connections {
                    (connection_row(connection, selected == Some(connection.id.as_str())))
                } }
            }
            (unlisted(hub.connection_count, "connection"))
        }
    }
}

fn connection_row(connection: &ConnectionSummary, is_selected: bool) -> Markup {
    let state = if connection.is_detached { "Disconnected, kept for recovery" } else { "Open" };
    html! {
        tr .selected[is_selected] role="row" data-key={ "connection " (connection.id) } {
            th scope="row" role="rowheader" {
                a href={ "/_hub?connection=" (connection.id) } aria-current=[is_selected.then_some("true")] {
                    (name(&connection.id))
                }
            }
            td role="cell" data-label="User" {
                @match &connection.user_id { Some(user) => (name(user)), None => span .quiet { "Anonymous" } }
            }
            td role="cell" data-label="Subprotocol" {
                @match &connection.subprotocol { Some(subprotocol) => (name(subprotocol)), None => span .quiet { "None" } }
            }
            td .number role="cell" data-label="Groups" { (connection.group_count) }
            td role="cell" data-label="State" { (state) }
        }
    }
}

fn groups(hub: &HubSnapshot) -> Markup {
    html! {
        @if hub.groups.is_empty() { h3 { "Groups" } p .empty { "No groups" } }
        @else {
            h3 { "Groups" }
            table .groups role="table" aria-label="Groups" {
                thead role="rowgroup" { tr role="row" {
                    th scope="col" role="columnheader" { "Name" }
                    th .number scope="col" role="columnheader" { "Members" }
                } }
                tbody role="rowgroup" { @for (group, members) in &hub.groups {
                    tr role="row" data-key={ "group " (group.escape_default()) } {
                        th scope="row" role="rowheader" { (name(group)) }
                        td .number role="cell" data-label="Members" { (members) }
                    }
                } }
            }
            (unlisted(hub.group_count, "group"))
        }
    }
}
