//! State of the service at one moment.

use crate::{
    connection::ClientConnection,
    hub::{Audience, HubSnapshot},
    recorder::RecordedFrame,
    registry::Registry,
};

/// Maximum number of listed hubs, and of listed connections and groups of each hub; the page counts the others.
pub(super) const MAX_LISTED: usize = 200;

/// State of the service at one moment.
pub(super) struct ServiceSnapshot {
    pub(super) hubs: Vec<HubSnapshot>,
    pub(super) selected: Option<Selected>,
}

/// Connection whose details are shown.
pub(super) struct Selected {
    pub(super) id: String,
    /// `None` if the connection has ended, or never existed.
    pub(super) details: Option<Details>,
}

/// Details of a connection.
pub(super) struct Details {
    pub(super) hub: String,
    pub(super) groups: Vec<String>,
    pub(super) records: Vec<RecordedFrame>,
}

/// Takes a snapshot, with the details of the connection that has the id `selected`.
pub(super) fn take(registry: &Registry, selected: Option<&str>) -> ServiceSnapshot {
    let mut hubs: Vec<_> = registry.all_hubs();
    hubs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let details = |id: &str| {
        hubs.iter().find_map(|(name, hub)| {
            let connection = hub.select(Audience::Connection(id), None).into_iter().next()?;
            let connection: &ClientConnection = &connection;
            Some(Details {
                hub: name.to_string(),
                groups: hub.groups_of(&connection.id).iter().map(ToString::to_string).collect(),
                records: connection.recorder.records(),
            })
        })
    };
    let selected = selected.map(|id| Selected { id: id.to_owned(), details: details(id) });
    let hubs = hubs.iter().map(|(name, hub)| hub.snapshot(name.as_str(), MAX_LISTED)).collect();
    ServiceSnapshot { hubs, selected }
}
