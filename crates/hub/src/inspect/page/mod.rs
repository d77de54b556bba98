//! HTML of the inspector.

use maud::{DOCTYPE, Markup, html};

use super::{
    rates::Rates,
    snapshot::{MAX_LISTED, ServiceSnapshot},
};

mod connection;
mod hub;
mod overview;
mod text;

/// Renders the document; its script keeps the main part up to date. `log_page` is the path that leads to the log.
pub(super) fn document(snapshot: &ServiceSnapshot, log_page: Option<&str>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="color-scheme" content="light dark";
                meta name="theme-color" content="#f5f7f7" media="(prefers-color-scheme: light)";
                meta name="theme-color" content="#15191b" media="(prefers-color-scheme: dark)";
                meta name="referrer" content="no-referrer";
                title { "Inspector · Tailcast" }
                link rel="stylesheet" href="/_hub/style.css";
                script type="module" src="/_hub/live.js" {}
            }
            body {
                (header(log_page))
                main { (main_part(snapshot, &Rates::default())) }
            }
        }
    }
}

fn header(log_page: Option<&str>) -> Markup {
    html! {
        header {
            h1 {
                span .mark aria-hidden="true" {}
                "Tailcast "
                span .page { "Inspector" }
            }
            p #state role="status" {
                span .dot aria-hidden="true" {}
                span .words { "Snapshot at page load" }
            }
            nav aria-label="Pages" {
                @if let Some(path) = log_page { a href=(path) { "Log" } }
                a href="/metrics" { "Metrics" }
            }
        }
    }
}

/// Renders the part that changes.
pub(super) fn main_part(snapshot: &ServiceSnapshot, rates: &Rates) -> Markup {
    let selected = snapshot.selected.as_ref();
    html! {
        @if let Some(selected) = selected { (connection::details(selected)) }
        (overview::figures(&snapshot.hubs, rates.total()))
        @if snapshot.hubs.is_empty() { p .empty { "No connections yet." } }
        @for hub in snapshot.hubs.iter().take(MAX_LISTED) {
            (hub::section(hub, rates.of(&hub.name), selected.map(|selected| selected.id.as_str())))
        }
        (unlisted(snapshot.hubs.len(), "hub"))
    }
}

/// Counts what the list before it leaves out.
fn unlisted(count: usize, noun: &str) -> Markup {
    let left_out = count.saturating_sub(MAX_LISTED);
    html! { @if left_out > 0 { p .more { (text::counted(left_out, &format!("more {noun}"))) } } }
}

#[cfg(test)]
mod tests;
