//! Loads of the sources' histories.
//!
//! The model queues [`HistoryLoad`]s, and the controller carries them out: it passes each record of a response to
//! [`LiveLog::record_loaded`], and its end to [`LiveLog::load_ended`].

use webpubsub_client::{
    HistoryAccess, HistoryFailure, HistoryRange,
    history::{HistoryEnd, HistoryRecord, HistoryRequest},
};

use super::{LiveLog, first_lines::FirstLines, loaded_message::LoadedMessage};
use crate::model::{line_store::MessagePlace, local_time::LocalTime};

/// Status of a response to an expired token.
const UNAUTHORIZED: u16 = 401;

/// Request that the controller carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLoad {
    /// Number of the load, which its records are reported with.
    pub id: u64,
    /// Connection whose client can renew the access.
    pub connection: usize,
    /// Access that the request was made with.
    pub access: HistoryAccess,
    /// The request.
    pub request: HistoryRequest,
}

/// Load that has not ended.
#[derive(Debug)]
pub(super) struct ActiveLoad {
    id: u64,
    pub(super) source: u16,
    pub(super) range: HistoryRange,
    pub(super) kind: LoadKind,
    /// Whether its messages came before the page was opened.
    is_first: bool,
    /// Whether the access was renewed for it already.
    is_renewed: bool,
}

/// Use of the messages of a load.
#[derive(Debug)]
pub(super) enum LoadKind {
    /// Messages before the next live one. Appended as they arrive.
    CatchUp,
    /// The first messages of a source, while other sources load theirs: appended together, in order of time.
    First(Vec<LoadedMessage>),
    /// Messages before the first line. Put before the others when all of them are there.
    Earlier {
        messages: Vec<LoadedMessage>,
        /// Place of the first line that is held of the source.
        held_from: MessagePlace,
    },
}

/// Loads of all sources.
#[derive(Debug, Default)]
pub(super) struct Loads {
    next_id: u64,
    pub(super) active: Vec<ActiveLoad>,
    queued: Vec<HistoryLoad>,
    /// First messages of sources whose load has ended, while others are loading theirs, and the ends of their responses.
    pub(super) first: Vec<LoadedMessage>,
    pub(super) first_ends: Vec<(u16, u64)>,
    /// Sources whose messages before their first line, from the given one on, have no lines.
    pub(super) empty_from: Vec<(u16, MessagePlace, u64)>,
    /// First line of each source, as far as known.
    pub(super) first_shown: Option<FirstLines>,
}

impl LiveLog {
    /// Takes the requests that are to be carried out.
    pub fn take_loads(&mut self) -> Vec<HistoryLoad> {
        std::mem::take(&mut self.loads.queued)
    }

    pub(super) fn start_load(&mut self, source: u16, range: HistoryRange, kind: LoadKind) {
        let id = self.loads.next_id;
        self.loads.next_id += 1;
        let history = self.histories.get(usize::from(source));
        let is_first = history.is_some_and(|history| history.first().is_none());
        let range_of_load = range.clone();
        self.loads.active.push(ActiveLoad {
            id,
            source,
            range: range_of_load,
            kind,
            is_first,
            is_renewed: false,
        });
        self.queue_load(id, source, &range);
    }

    fn queue_load(&mut self, id: u64, source: u16, range: &HistoryRange) {
        let access = self.histories.get(usize::from(source)).and_then(|history| history.access().cloned());
        let group = self.sources.as_slice().get(usize::from(source));
        if let (Some(access), Some(group)) = (access, group) {
            let request = access.request(&group.group, range);
            self.loads.queued.push(HistoryLoad { id, connection: group.connection, access, request });
        }
    }

    /// Whether messages are loading.
    pub(super) fn is_loading(&self) -> bool {
        !self.loads.active.is_empty()
    }

    /// Whether messages are loading that are appended.
    pub(super) fn is_loading_newer(&self) -> bool {
        self.loads.active.iter().any(|load| !matches!(load.kind, LoadKind::Earlier { .. }))
    }

    /// Handles a record of a response.
    pub fn record_loaded(&mut self, id: u64, record: HistoryRecord<'_>, now: LocalTime) {
        let Some(load) = self.loads.active.iter_mut().find(|load| load.id == id) else { return };
        let source = load.source;
        let Some(history) = self.histories.get_mut(usize::from(source)) else { return };
        match record {
            HistoryRecord::Head(head) => match &load.kind {
                LoadKind::Earlier { .. } => history.earlier_head_loaded(&head),
                LoadKind::CatchUp | LoadKind::First(_) => {
                    history.head_loaded(&head);
                    if let Some(missing) = history.take_missing() {
                        self.report_missing(source, missing, now);
                    }
                }
            },
            HistoryRecord::Message(message) => {
                let Some(message) = LoadedMessage::new(source, message) else { return };
                match &mut load.kind {
                    LoadKind::Earlier { messages, .. } => messages.push(message),
                    _ if !history.message_loaded(message.sequence_id, message.number) => {}
                    LoadKind::First(messages) => messages.push(message),
                    LoadKind::CatchUp => {
                        let is_first = load.is_first;
                        if let Some(missing) = history.take_missing() {
                            self.report_missing(source, missing, now);
                        }
                        self.append_loaded(&message, now);
                        if is_first {
                            self.new_from = self.store.next_id();
                        }
                    }
                }
            }
            HistoryRecord::End(_) => {}
        }
    }

    /// Handles the end of a load. Returns whether its access has expired: then renew it, and pass it to [`Self::renew_load`].
    pub fn load_ended(
        &mut self,
        id: u64,
        outcome: Result<HistoryEnd, HistoryFailure>,
        now: LocalTime,
    ) -> bool {
        let Some(at) = self.loads.active.iter().position(|load| load.id == id) else { return false };
        if let (Err(HistoryFailure::Refused { status: UNAUTHORIZED, .. }), Some(load)) =
            (&outcome, self.loads.active.get_mut(at))
            && !std::mem::replace(&mut load.is_renewed, true)
        {
            return true;
        }
        let load = self.loads.active.swap_remove(at);
        self.revision += 1;
        match load.kind {
            LoadKind::Earlier { messages, held_from } => {
                let failure = outcome.err();
                // A response that was cut off lacks the newest messages: a gap would be between these and the others.
                if failure.is_none() {
                    self.prepend_loaded(load.source, messages, held_from, now);
                } else if let Some(history) = self.histories.get_mut(usize::from(load.source)) {
                    history.set_failure(failure.map(|failure| failure.to_string()));
                }
            }
            LoadKind::First(messages) => {
                self.loads.first.extend(messages);
                match outcome {
                    Ok(end) => self.loads.first_ends.push((load.source, end.sequence_id)),
                    Err(failure) => self.load_failed(load.source, &failure, now),
                }
                let is_loading = self.loads.active.iter().any(|load| matches!(load.kind, LoadKind::First(_)));
                if !is_loading {
                    self.append_first(now);
                }
            }
            LoadKind::CatchUp => match outcome {
                Ok(end) => self.follow_loaded(load.source, end.sequence_id, now),
                Err(failure) => self.load_failed(load.source, &failure, now),
            },
        }
        false
    }

    /// Repeats a load with a renewed access; without one, it fails with `reason`.
    pub fn renew_load(&mut self, id: u64, access: Result<HistoryAccess, String>, now: LocalTime) {
        let Some(load) = self.loads.active.iter().find(|load| load.id == id) else { return };
        let (source, range) = (load.source, load.range.clone());
        match access {
            Ok(access) => {
                for history in &mut self.histories {
                    if history.access().is_some_and(|old| old.is_same_history(&access)) {
                        history.renew(access.clone());
                    }
                }
                self.queue_load(id, source, &range);
            }
            Err(reason) => {
                self.load_ended(id, Err(HistoryFailure::Unreachable { detail: reason }), now);
            }
        }
    }
}
