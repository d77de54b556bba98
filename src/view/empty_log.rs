//! What is there before the first line: what to do, or what is wrong.

use super::screen::{Show, attribute, text, there, when};
use crate::model::status::ConnectionState;

/// What is shown in it.
pub const SHOWS: &[Show] = &[
    attribute(".empty", "data-state", |shown, _| Some(shown.now.status.state.as_str().into())),
    text(".empty h2", |shown, _| {
        let status = &shown.now.status;
        Some(match status.state {
            ConnectionState::Connected => format!("Waiting for lines in group {}", shown.about.groups).into(),
            ConnectionState::Forbidden | ConnectionState::Connecting => (&status.headline).into(),
            // The header counts down already.
            ConnectionState::Disconnected | ConnectionState::Failed => (&status.spoken).into(),
        })
    }),
    text(".empty .reason", |shown, _| Some((&shown.now.status.detail.as_ref()?.1).into())),
    there(".empty .reason", |shown, _| {
        when(!may_receive(shown.now.status.state) && shown.now.status.detail.is_some())
    }),
    text(".empty code", |shown, _| Some((&shown.about.command).into())),
    there(".empty .how", |shown, _| {
        when(may_receive(shown.now.status.state) && !shown.about.command.is_empty())
    }),
    there(".empty", |shown, _| when(shown.now.is_empty)),
];

fn may_receive(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::Connected | ConnectionState::Connecting)
}
