//! What there is at one moment.

use crate::{
    connection::Connection,
    hub::{Audience, HubSnapshot},
    inspect::recorder::Record,
    service::Service,
};

/// Most connections and most groups of a hub that are listed; the rest is counted.
pub(super) const MAX_LISTED: usize = 200;

/// The service at one moment.
pub(super) struct Snapshot {
    pub(super) hubs: Vec<HubSnapshot>,
    pub(super) chosen: Option<Chosen>,
}

/// The connection that somebody looks at.
pub(super) struct Chosen {
    pub(super) id: String,
    /// `None` when it is not there (any more).
    pub(super) details: Option<Details>,
}

pub(super) struct Details {
    pub(super) hub: String,
    pub(super) groups: Vec<String>,
    pub(super) records: Vec<Record>,
}

/// Looks at everything.
pub(super) fn take(service: &Service, chosen: Option<&str>) -> Snapshot {
    let mut hubs: Vec<_> = service.all_hubs();
    hubs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let details = |id: &str| {
        hubs.iter().find_map(|(name, hub)| {
            let connection = hub.select(Audience::Connection(id), None).into_iter().next()?;
            let connection: &Connection = &connection;
            Some(Details {
                hub: name.to_string(),
                groups: hub.groups_of(&connection.id).iter().map(ToString::to_string).collect(),
                records: connection.recorder.records(),
            })
        })
    };
    let chosen = chosen.map(|id| Chosen { id: id.to_owned(), details: details(id) });
    let hubs = hubs.iter().map(|(name, hub)| hub.snapshot(name.as_str(), MAX_LISTED)).collect();
    Snapshot { hubs, chosen }
}
