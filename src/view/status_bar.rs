//! The header: whose lines these are, how the connection is, how many lines there are.

use super::screen::{Show, Shown, attribute, text, there, when};
use crate::model::{
    grouped_number::{counted, grouped},
    line_store::LineCounts,
    status::Connection,
};

/// More about the connection.
pub const DETAILS_ID: &str = "details";

/// What is shown in it.
pub const SHOWS: &[Show] = &[
    text(".brand .group", |shown, _| Some((&shown.about.groups).into())),
    attribute("#status", "data-state", |shown, _| Some(shown.now.status.state.as_str().into())),
    attribute("#status", "data-connection-id", |shown, _| Some((&connection(shown)?.id).into())),
    attribute("#status", "data-user-id", |shown, _| Some(connection(shown)?.user_id.as_ref()?.into())),
    attribute("#status", "title", |shown, _| Some(shown.now.status.text().into())),
    text("#status .headline", |shown, _| Some((&shown.now.status.headline).into())),
    text("#status .detail", |shown, _| {
        let (between, detail) = shown.now.status.detail.as_ref()?;
        Some([between, detail.as_str()].concat().into())
    }),
    there("#retry", |shown, _| when(shown.now.status.can_retry)),
    attribute("#line-count", "data-received", |shown, _| Some(shown.now.counts.received.to_string().into())),
    attribute("#line-count", "data-held", |shown, _| Some(shown.now.counts.held.to_string().into())),
    attribute("#line-count", "data-dropped", |shown, _| Some(shown.now.counts.dropped.to_string().into())),
    text("#line-count", |shown, _| Some(count_words(shown.now.counts).into())),
    text("#details .connection", |shown, _| {
        Some(connection(shown).map_or("none".into(), |connection| (&connection.id).into()))
    }),
    text("#details .user", |shown, _| {
        Some(connection(shown).map_or("none".into(), |connection| {
            connection.user_id.as_ref().map_or("anonymous".into(), |user| user.into())
        }))
    }),
    text("#details .groups", |shown, _| Some((&shown.about.groups).into())),
    text("#details .negotiated", |shown, _| Some((&shown.about.negotiated_at).into())),
    text("#details .kept", |shown, _| Some((&shown.about.kept).into())),
    // What a screen reader is told: changes of state, not each second of a countdown.
    text(".spoken.state", |shown, _| Some((&shown.now.status.spoken).into())),
];

fn connection(shown: &Shown) -> Option<&Connection> {
    shown.now.status.connection.as_ref()
}

fn count_words(counts: LineCounts) -> String {
    let lines = counted(counts.received, "line", "lines");
    match counts.dropped {
        0 => lines,
        dropped => format!("{lines}, {} dropped", grouped(dropped)),
    }
}
