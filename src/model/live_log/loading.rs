//! Earlier messages: loads of the sources' histories, and their lines in order with the live ones.
//!
//! The model queues [`HistoryLoad`]s, and the controller carries them out: it passes each record of a response to
//! [`LiveLog::record_loaded`], and its end to [`LiveLog::load_ended`].

use webpubsub_client::{
    HistoryAccess, HistoryFailure, HistoryRange,
    history::{
        Disposition, HeldMessage, HistoryEnd, HistoryMessage, HistoryRecord, HistoryRequest, MessageNumber,
        Missing,
    },
};
use webpubsub_protocol::{message::Response, payload::Payload};

use super::LiveLog;
use crate::model::{
    history::{EARLIER_BYTES, earlier_range, first_range, top_row::TopRow},
    line_store::{LineKind, MessagePlace, Origin},
    local_time::LocalTime,
    payload_text::payload_text,
};

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
struct ActiveLoad {
    id: u64,
    source: u16,
    range: HistoryRange,
    kind: LoadKind,
    /// Whether the access was renewed for it already.
    is_renewed: bool,
}

#[derive(Debug)]
enum LoadKind {
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

#[derive(Debug)]
struct LoadedMessage {
    source: u16,
    sequence_id: u64,
    payload: Payload<'static>,
    published_ms: f64,
    number: MessageNumber,
}

/// First line of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstLine {
    /// It has none among the lines that were looked at.
    Unknown,
    /// It was dropped since.
    Dropped,
    /// Its id and place.
    At(u64, MessagePlace),
}

/// First line of each source, for the lines from `first_id` to `next_id`.
#[derive(Debug)]
pub(super) struct FirstLines {
    first_id: u64,
    next_id: u64,
    lines: Vec<FirstLine>,
}

/// Loads of all sources.
#[derive(Debug, Default)]
pub(super) struct Loads {
    next_id: u64,
    active: Vec<ActiveLoad>,
    queued: Vec<HistoryLoad>,
    /// First messages of sources whose load has ended, while others are loading theirs, and the ends of their responses.
    first: Vec<LoadedMessage>,
    first_ends: Vec<(u16, u64)>,
    /// Sources whose messages before their first line, from the given one on, have no lines.
    empty_from: Vec<(u16, MessagePlace, u64)>,
    /// First line of each source, as far as known.
    pub(super) first_shown: Option<FirstLines>,
}

impl LiveLog {
    /// Takes the requests that are to be carried out.
    pub fn take_loads(&mut self) -> Vec<HistoryLoad> {
        std::mem::take(&mut self.loads.queued)
    }

    /// Sets the access of a connection to the history of its groups; `None` if the service has none.
    pub(super) fn history_connected(&mut self, connection: usize, access: Option<&HistoryAccess>) {
        if access.is_some() {
            self.store.reserve_earlier_ids();
        }
        for source in self.sources_of(connection) {
            self.loads.active.retain(|load| load.source != source);
            if let Some(history) = self.histories.get_mut(usize::from(source)) {
                history.connected(access);
            }
        }
        self.loads.first_shown = None;
    }

    /// Begins to load what the sources of a connection have missed. Returns whether any of them does.
    pub(super) fn catch_up(&mut self, connection: usize, group: Option<&str>) -> bool {
        let mut has_begun = false;
        for source in self.sources_of(connection) {
            let is_meant = self
                .sources
                .as_slice()
                .get(usize::from(source))
                .is_some_and(|source| group.is_none_or(|group| source.group.as_str() == group));
            let count = self.histories.len();
            let Some(history) = self.histories.get_mut(usize::from(source)).filter(|_| is_meant) else {
                continue;
            };
            let is_first = history.first().is_none();
            if let Some(range) = history.begin(first_range(count)) {
                let kind =
                    if is_first && count > 1 { LoadKind::First(Vec::new()) } else { LoadKind::CatchUp };
                self.start_load(source, range, kind);
                has_begun = true;
            }
        }
        has_begun
    }

    fn sources_of(&self, connection: usize) -> Vec<u16> {
        let sources = (0..).zip(self.sources.as_slice());
        sources.filter(|(_, source)| source.connection == connection).map(|(number, _)| number).collect()
    }

    /// Loads the messages of all sources behind those that are held.
    pub(super) fn load_newer(&mut self) {
        let count = self.histories.len();
        for source in 0..u16::try_from(count).unwrap_or(u16::MAX) {
            let history = self.histories.get_mut(usize::from(source));
            if let Some(range) = history.and_then(|history| history.begin(first_range(count))) {
                self.start_load(source, range, LoadKind::CatchUp);
            }
        }
    }

    fn start_load(&mut self, source: u16, range: HistoryRange, kind: LoadKind) {
        let id = self.loads.next_id;
        self.loads.next_id += 1;
        self.loads.active.push(ActiveLoad { id, source, range: range.clone(), kind, is_renewed: false });
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

    /// Returns what to do with a message of a source.
    pub(super) fn disposition(&self, source: u16, sequence_id: Option<u64>) -> Disposition {
        let history = self.histories.get(usize::from(source));
        history.map_or(Disposition::Append, |history| history.disposition(sequence_id))
    }

    pub(super) fn hold_message(&mut self, source: u16, message: HeldMessage<LocalTime>) {
        if let Some(history) = self.histories.get_mut(usize::from(source)) {
            history.hold(message);
        }
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
                let Some(message) = loaded_message(source, message) else { return };
                match &mut load.kind {
                    LoadKind::Earlier { messages, .. } => messages.push(message),
                    _ if !history.message_loaded(message.sequence_id, message.number) => {}
                    LoadKind::First(messages) => messages.push(message),
                    LoadKind::CatchUp => {
                        if let Some(missing) = history.take_missing() {
                            self.report_missing(source, missing, now);
                        }
                        self.append_loaded(&message, now);
                    }
                }
            }
            HistoryRecord::End(_) => {}
        }
    }

    fn append_loaded(&mut self, message: &LoadedMessage, now: LocalTime) {
        self.start_numbers();
        let origin = Origin { kind: LineKind::Group, source: message.source };
        let at = LocalTime { unix_ms: message.published_ms, ..now };
        let text = payload_text(&message.payload);
        let held = self.lines_held_of(message.source, message.sequence_id);
        self.append_text(origin, rest_of_lines(&text, held), Some(message.sequence_id), at);
    }

    /// Numbers the lines from the beginning of the groups.
    pub(super) fn start_numbers(&mut self) {
        if self.store.counts().received == 0 {
            self.store
                .start_numbers_at(1 + self.histories.iter().map(|history| history.lines_gone()).sum::<u64>());
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

    /// Appends the first messages of all sources in order of time, then what has arrived since.
    fn append_first(&mut self, now: LocalTime) {
        let mut messages = std::mem::take(&mut self.loads.first);
        messages.sort_by(|one, other| one.published_ms.total_cmp(&other.published_ms));
        for message in &messages {
            self.append_loaded(message, now);
        }
        for (source, end) in std::mem::take(&mut self.loads.first_ends) {
            self.follow_loaded(source, end, now);
        }
    }

    /// Appends the messages that have arrived while those before them were loading.
    fn follow_loaded(&mut self, source: u16, end: u64, now: LocalTime) {
        let Some(history) = self.histories.get_mut(usize::from(source)) else { return };
        let (messages, further) = history.caught_up(end);
        if let Some(missing) = history.take_missing() {
            self.report_missing(source, missing, now);
        }
        self.append_held(source, messages);
        if let Some(range) = further {
            return self.start_load(source, range, LoadKind::CatchUp);
        }
        self.sources.filled(self.connection_of(source), now);
    }

    fn append_held(&mut self, source: u16, messages: Vec<HeldMessage<LocalTime>>) {
        let origin = Origin { kind: LineKind::Group, source };
        for message in messages {
            self.append_live(origin, &message.payload, message.sequence_id, message.arrived);
        }
    }

    fn load_failed(&mut self, source: u16, failure: &HistoryFailure, now: LocalTime) {
        let Some(history) = self.histories.get_mut(usize::from(source)) else { return };
        let messages = history.failed(failure.to_string());
        let connection = self.connection_of(source);
        match self.sources.not_filled(connection, now) {
            Some(notice) => self.append_notice(connection, &notice, now),
            None => self.append_notice(connection, &format!("Earlier lines are incomplete: {failure}"), now),
        }
        self.append_held(source, messages);
    }

    fn report_missing(&mut self, source: u16, missing: Missing, now: LocalTime) {
        let connection = self.connection_of(source);
        let notice = self.sources.missing_before(connection, missing, now);
        self.append_notice(connection, &notice, now);
    }

    fn connection_of(&self, source: u16) -> usize {
        self.sources.as_slice().get(usize::from(source)).map_or(0, |source| source.connection)
    }

    /// Puts loaded messages before the first line.
    fn prepend_loaded(
        &mut self,
        source: u16,
        mut messages: Vec<LoadedMessage>,
        held_from: MessagePlace,
        now: LocalTime,
    ) {
        // Messages that the service dropped while it sent the response would be missing in the middle.
        let is_gap = |pair: &[LoadedMessage]| matches!(pair, [one, next] if one.number.message + 1 < next.number.message);
        if let Some(last_gap) = messages.windows(2).rposition(is_gap) {
            messages.drain(..=last_gap);
        }
        let Some(first) = messages.first().map(|message| message.number) else { return };
        let earlier = self.store_for_earlier();
        let later = std::mem::replace(&mut self.store, earlier);
        for message in &messages {
            let origin = Origin { kind: LineKind::Group, source };
            let at = LocalTime { unix_ms: message.published_ms, ..now };
            let text = payload_text(&message.payload);
            let is_partly_held = held_from.sequence_id == Some(message.sequence_id);
            let text = if is_partly_held { first_lines(&text, held_from.line) } else { &text };
            if !is_partly_held || held_from.line > 0 {
                self.append_text(origin, text, Some(message.sequence_id), at);
            }
        }
        let earlier = std::mem::replace(&mut self.store, later);
        let top = self.pending_top.or_else(|| self.lines().id_at(self.viewport.top_line()));
        if earlier.is_empty() {
            let from = messages.first().map_or(0, |message| message.sequence_id);
            self.loads.empty_from.retain(|(of, ..)| *of != source);
            self.loads.empty_from.push((source, held_from, from));
            self.revision += 1;
        }
        if self.make_room_for(&earlier) && self.store.prepend(earlier) > 0 {
            if let Some(history) = self.histories.get_mut(usize::from(source)) {
                history.earlier_loaded(first);
            }
            self.lines_were_prepended(top);
        }
    }

    fn lines_were_prepended(&mut self, top: Option<u64>) {
        self.search.restart();
        self.filter.restart(self.search.matcher());
        self.revision += 1;
        let positions = self.lines().positions();
        if self.is_filtered() {
            self.pending_top = top;
            self.viewport.renumber(positions.start, positions.end, None);
        } else {
            self.viewport.prepended(positions.start, positions.end);
        }
    }

    /// Loads earlier messages of the source whose first line is the newest of all first lines. Returns whether it does.
    pub fn load_earlier(&mut self) -> bool {
        let is_loading = self.loads.active.iter().any(|load| matches!(load.kind, LoadKind::Earlier { .. }));
        if is_loading || !self.has_room_for_earlier() {
            return false;
        }
        let candidates = self.earlier_ranges();
        let newest = candidates.into_iter().max_by_key(|(_, place, _)| place.sequence_id);
        let Some((source, held_from, range)) = newest else { return false };
        if let Some(history) = self.histories.get_mut(usize::from(source)) {
            history.set_failure(None);
        }
        self.start_load(source, range, LoadKind::Earlier { messages: Vec::new(), held_from });
        true
    }

    /// Loads earlier messages if the view is near the first line. Returns whether it does.
    pub(super) fn load_earlier_near_top(&mut self) -> bool {
        self.viewport.is_near_start() && self.top_row() == TopRow::More && self.load_earlier()
    }

    /// Whether earlier lines fit, perhaps in place of the newest.
    fn has_room_for_earlier(&self) -> bool {
        self.store.has_room_for(bytes(EARLIER_BYTES)) || self.can_drop_newest()
    }

    /// Whether messages are loading that are appended.
    pub(super) fn is_loading_newer(&self) -> bool {
        self.loads.active.iter().any(|load| !matches!(load.kind, LoadKind::Earlier { .. }))
    }

    /// Returns the sources that have earlier messages, the place of their first line, and the range before it.
    pub(super) fn earlier_ranges(&mut self) -> Vec<(u16, MessagePlace, HistoryRange)> {
        let places = self.first_shown();
        let ranges = (0..).zip(&self.histories).zip(places);
        ranges
            .filter_map(|((source, history), place)| {
                let place = place?;
                // Of a message whose first lines were dropped, those are loaded again.
                let mut before = place.sequence_id?.saturating_add(u64::from(place.line > 0));
                let is_here = |(of, at, _): &&(u16, MessagePlace, u64)| (*of, *at) == (source, place);
                if let Some((.., from)) = self.loads.empty_from.iter().find(is_here) {
                    before = before.min(*from);
                }
                history.has_before(before).then(|| (source, place, earlier_range(before)))
            })
            .collect()
    }

    /// Returns the place of the first line of each group. Looks at lines once where it can: there can be many without a group, such as
    /// those of a file, and groups without a line.
    fn first_shown(&mut self) -> Vec<Option<MessagePlace>> {
        let (first_id, next_id) = (self.store.first_id(), self.store.next_id());
        let mut first =
            self.loads.first_shown.take().filter(|known| known.first_id <= first_id).unwrap_or_else(|| {
                let lines = vec![FirstLine::Unknown; self.histories.len()];
                FirstLines { first_id, next_id: first_id, lines }
            });
        let mut has_dropped = false;
        for line in &mut first.lines {
            if matches!(line, FirstLine::At(id, _) if *id < first_id) {
                (*line, has_dropped) = (FirstLine::Dropped, true);
            }
        }
        if has_dropped {
            self.find_first_lines(&mut first.lines, FirstLine::Dropped, first_id);
        }
        self.find_first_lines(&mut first.lines, FirstLine::Unknown, first.next_id);
        (first.first_id, first.next_id) = (first_id, next_id);
        for line in &mut first.lines {
            if *line == FirstLine::Dropped {
                *line = FirstLine::Unknown;
            }
        }
        let places = first.lines.iter().map(|line| match line {
            FirstLine::At(_, place) => Some(*place),
            FirstLine::Dropped | FirstLine::Unknown => None,
        });
        let places = places.collect();
        self.loads.first_shown = Some(first);
        places
    }

    /// Fills the first lines that are `wanted` from the lines from `id` on.
    fn find_first_lines(&self, first: &mut [FirstLine], wanted: FirstLine, id: u64) {
        let mut missing = first.iter().filter(|line| **line == wanted).count();
        let mut lines = self.store.lines_from(id).filter(|line| line.place.sequence_id.is_some());
        while missing > 0 {
            let Some(line) = lines.next() else { return };
            let group = usize::from(self.sources.group_of(line.source));
            if let Some(slot) = first.get_mut(group).filter(|slot| **slot == wanted) {
                *slot = FirstLine::At(line.id, line.place);
                missing -= 1;
            }
        }
    }

    /// Returns what the row above the first line says.
    pub fn top_row(&mut self) -> TopRow {
        let dropped = self.store.counts().dropped;
        if self.loads.active.iter().any(|load| {
            !matches!(load.kind, LoadKind::CatchUp) || load.range.before.is_none() && self.store.is_empty()
        }) {
            return TopRow::Loading;
        }
        let has_room = self.has_room_for_earlier();
        let with_earlier: Vec<u16> = self.earlier_ranges().into_iter().map(|(source, ..)| source).collect();
        let rows = (0..).zip(&self.histories).map(|(source, history)| {
            if let Some(reason) = history.failure() {
                TopRow::Failed(reason.to_owned())
            } else if with_earlier.contains(&source) {
                if has_room { TopRow::More } else { TopRow::Full }
            } else if history.is_unavailable() && dropped == 0 {
                TopRow::Unavailable
            } else {
                TopRow::from_gone(history.lines_gone())
            }
        });
        let row = rows.fold(TopRow::Empty, TopRow::or);
        match row {
            TopRow::Empty | TopRow::Unavailable => TopRow::from_gone(dropped).or(row),
            row => row,
        }
    }
}

fn loaded_message(source: u16, message: HistoryMessage<'_>) -> Option<LoadedMessage> {
    let HistoryMessage { message, published_ms, number } = message;
    let Response::GroupMessage { payload, sequence: Some(sequence), .. } = message else { return None };
    // Times of messages are exact in 64-bit floats for the next 280,000 years.
    let published_ms = published_ms as f64;
    Some(LoadedMessage {
        source,
        sequence_id: sequence.id,
        payload: payload.into_owned(),
        published_ms,
        number,
    })
}

/// Returns the first lines of a text.
fn first_lines(text: &str, count: u32) -> &str {
    let ends = text.match_indices('\n').map(|(at, _)| at);
    let end = usize::try_from(count).ok().and_then(|count| ends.into_iter().nth(count.checked_sub(1)?));
    text.get(..end.unwrap_or(if count == 0 { 0 } else { text.len() })).unwrap_or_default()
}

/// Returns a text without its first lines.
fn rest_of_lines(text: &str, count: u32) -> &str {
    let first = first_lines(text, count);
    if count == 0 { text } else { text.get(first.len() + 1..).unwrap_or_default() }
}

fn bytes(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
