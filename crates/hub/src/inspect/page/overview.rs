//! Figures of the whole service.

use std::fmt::Display;

use maud::{Markup, html};

use crate::{hub::HubSnapshot, inspect::rates::Rate};

/// Renders the sums over all hubs. A user who is in two hubs counts twice.
pub(super) fn figures(hubs: &[HubSnapshot], rate: Option<Rate>) -> Markup {
    let sum = |count: fn(&HubSnapshot) -> usize| hubs.iter().map(count).sum::<usize>();
    let messages = |count: fn(&HubSnapshot) -> u64| hubs.iter().map(count).sum::<u64>();
    html! {
        section aria-label="Overview" {
            h2 { "Overview" }
            dl .figures {
                (figure("Hubs", hubs.len(), None))
                (figure("Connections", sum(|hub| hub.connection_count), None))
                (figure("Groups", sum(|hub| hub.group_count), None))
                (figure("Users", sum(|hub| hub.user_count), None))
                (figure("Messages received", messages(|hub| hub.received), rate.map(|rate| rate.received)))
                (figure("Messages delivered", messages(|hub| hub.delivered), rate.map(|rate| rate.delivered)))
            }
        }
    }
}

fn figure(label: &str, value: impl Display, per_second: Option<f64>) -> Markup {
    html! {
        div {
            dt { (label) }
            dd { (value) (rate(per_second)) }
        }
    }
}

/// Renders a rate; nothing while it is unknown.
pub(super) fn rate(per_second: Option<f64>) -> Markup {
    html! { @if let Some(rate) = per_second { " " span .rate { "(" (format!("{rate:.0}")) "/s)" } } }
}
