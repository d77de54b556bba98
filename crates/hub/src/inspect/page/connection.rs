//! Details of the selected connection.

use maud::{Markup, html};
use webpubsub_websocket::frame::Opcode;

use super::text::{name, payload};
use crate::{
    inspect::snapshot::{Details, Selected},
    recorder::{EXCERPT_BYTES, FrameDirection, RecordedFrame},
};

/// Time of day within an RFC 3339 timestamp with milliseconds.
const TIME_OF_DAY: std::ops::Range<usize> = 11..23;

/// Renders the selected connection, or that it does not exist.
pub(super) fn details(selected: &Selected) -> Markup {
    html! {
        section .details data-key="details" aria-label="Connection details" {
            div .title {
                h2 { "Connection details" }
                a href="/_hub" { "Close details" }
            }
            dl .facts {
                div { dt { "ID" } dd { (name(&selected.id)) } }
                @if let Some(details) = &selected.details {
                    div { dt { "Hub" } dd { (name(&details.hub)) } }
                    div { dt { "Groups" } dd { (groups(&details.groups)) } }
                }
            }
            @match &selected.details {
                Some(details) => (frames(details)),
                None => p .empty { "No connection with this ID: it has ended, or never existed." },
            }
        }
    }
}

fn groups(groups: &[String]) -> Markup {
    html! {
        @if groups.is_empty() { span .quiet { "None" } }
        @else { ul { @for group in groups { li { (name(group)) } } } }
    }
}

fn frames(details: &Details) -> Markup {
    html! {
        @if details.records.is_empty() { h3 { "Recent frames" } p .empty { "No frames" } }
        @else {
            h3 { "Recent frames" }
            table .frames role="table" aria-label="Recent frames" {
                thead role="rowgroup" { tr role="row" {
                    th .time scope="col" role="columnheader" { "Time (UTC)" }
                    th .direction scope="col" role="columnheader" { "Direction" }
                    th .type scope="col" role="columnheader" { "Type" }
                    th .number scope="col" role="columnheader" { "Bytes" }
                    th scope="col" role="columnheader" { "Payload" }
                } }
                tbody role="rowgroup" { @for record in details.records.iter().rev() { (frame_row(record)) } }
            }
        }
    }
}

fn frame_row(record: &RecordedFrame) -> Markup {
    let timestamp = humantime::format_rfc3339_millis(record.at).to_string();
    let (arrow, direction) = match record.direction {
        FrameDirection::In => ("←", "Received"),
        FrameDirection::Out => ("→", "Sent"),
    };
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { (timestamp.get(TIME_OF_DAY).unwrap_or(&timestamp)) }
            td role="cell" { span aria-hidden="true" { (arrow) " " } (direction) }
            td role="cell" { (opcode(record.opcode)) }
            td .number role="cell" data-label="Bytes" { (record.payload_len) }
            td .payload role="cell" { (payload(&record.excerpt)) @if record.payload_len > EXCERPT_BYTES { " …" } }
        }
    }
}

fn opcode(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::Continuation => "Continuation",
        Opcode::Text => "Text",
        Opcode::Binary => "Binary",
        Opcode::Close => "Close",
        Opcode::Ping => "Ping",
        Opcode::Pong => "Pong",
    }
}
