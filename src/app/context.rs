//! What the viewer provides to its components.

use std::rc::Rc;

use leptos::prelude::*;
use reactive_stores::Store;

use crate::{
    browser::{
        group_list::groups_url,
        host::Host,
        page_address::{NegotiateTarget, PageAddress},
    },
    controller::{LogController, state::ViewerState},
    model::{
        command::Command, grouped_number::counted, line_store::StoreLimits, live_log::LiveLog,
        source::Source, stream_command::StreamCommands,
    },
};

/// The controller, for components that pass it events of the list.
pub type ControllerRef = StoredValue<Rc<LogController>, LocalStorage>;
/// The page around the viewer.
pub type HostRef = StoredValue<Host, LocalStorage>;

/// Facts about the viewer that never change.
#[derive(Debug, Clone, Default)]
pub struct ViewerInfo {
    /// Names of the sources.
    pub groups: String,
    /// Address of the list of groups, if there may be one.
    pub groups_url: Option<String>,
    /// Negotiate endpoints.
    pub endpoints: String,
    /// Limits of the line store, as text.
    pub retention: String,
    /// Shell commands that publish to the first group; `None` where there is no group.
    pub stream_commands: Option<StreamCommands>,
    /// For each source, the host that the page's address names in place of the page's own.
    pub foreign_hosts: Vec<Option<String>>,
    /// Whether the viewer is embedded: headings and landmarks then belong to the host page.
    pub is_embedded: bool,
}

impl ViewerInfo {
    /// Returns the facts about a viewer of an address.
    #[must_use]
    pub fn new(log: &LiveLog, address: &PageAddress, limits: StoreLimits, host: &Host) -> Self {
        let names: Vec<&str> = log.sources().iter().map(|source| source.name.as_str()).collect();
        let endpoints: Vec<&str> = address.targets.iter().map(NegotiateTarget::endpoint).collect();
        let endpoint = endpoints.first().copied().unwrap_or_default();
        let first = log.sources().first();
        let foreign_host = |source: &Source| {
            let target = address.targets.get(source.connection)?;
            // The host page chooses the addresses of an embedded viewer.
            target.foreign_host.clone().filter(|_| !host.is_embedded())
        };
        Self {
            groups: names.join(", "),
            groups_url: address
                .targets
                .first()
                .filter(|target| !target.is_direct())
                .and_then(|target| groups_url(&target.url)),
            stream_commands: first.map(|source| StreamCommands::new(source.group.as_str(), endpoint)),
            foreign_hosts: log.sources().iter().map(foreign_host).collect(),
            endpoints: endpoints.join(", "),
            retention: format!(
                "the newest {}, at most {} MiB of text",
                counted(limits.lines as u64, "line", "lines"),
                limits.bytes >> 20
            ),
            is_embedded: host.is_embedded(),
        }
    }
}

/// Returns the state of the viewer.
#[must_use]
pub fn use_state() -> Store<ViewerState> {
    expect_context()
}

/// Returns the callback that carries out commands.
#[must_use]
pub fn use_commands() -> UnsyncCallback<Command> {
    expect_context()
}

/// Returns the controller.
#[must_use]
pub fn use_controller() -> ControllerRef {
    expect_context()
}

/// Returns the page around the viewer.
#[must_use]
pub fn use_host() -> HostRef {
    expect_context()
}

/// Returns facts about the viewer.
#[must_use]
pub fn use_info() -> ViewerInfo {
    expect_context()
}
