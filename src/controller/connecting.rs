//! The clients: started, replaced, and given what the user publishes.

use std::rc::Rc;

use leptos::prelude::*;
use webpubsub_client::ClientEvent;

use super::{
    LogController,
    state::{ViewerStateStoreFields, update},
};
use crate::{
    browser::{
        client::{ABANDONED, ClientReport, ReportSink},
        clock::local_time,
    },
    model::{navigation::Direction, render_schedule::Urgency},
};

/// Performance mark of the first connection that is in its group.
const CONNECTED_MARK: &str = "tailcast-connected";

impl LogController {
    /// Starts the clients; later those again that wait for their next attempt or have given up.
    pub(super) fn connect(self: &Rc<Self>) {
        let is_first = self.clients.borrow().is_empty();
        let connections = if is_first {
            let count = self.log.borrow().connections();
            self.clients.borrow_mut().resize_with(count, || None);
            (0..count).collect()
        } else {
            self.log.borrow().waiting_connections(local_time().unix_ms)
        };
        for connection in connections {
            self.connect_anew(connection);
        }
    }

    /// Replaces the client of a connection. Nothing is borrowed while it reports: a host page may react by publishing.
    fn connect_anew(self: &Rc<Self>, connection: usize) {
        let old = self.clients.borrow_mut().get_mut(connection).and_then(Option::take);
        drop(old);
        let abandoned = self.composer.borrow_mut().abandon(connection);
        for number in abandoned {
            self.host.report(connection, &ClientReport::Settled(number, Err(ABANDONED.to_owned())));
        }
        let new = (self.start_client)(connection, self.sink(connection));
        if let Some(client) = self.clients.borrow_mut().get_mut(connection) {
            *client = new;
        }
    }

    fn sink(self: &Rc<Self>, connection: usize) -> ReportSink {
        let weak = Rc::downgrade(self);
        Box::new(move |report| {
            if let Some(controller) = weak.upgrade() {
                controller.host.report(connection, &report);
                controller.handle_report(connection, report);
            }
        })
    }

    fn handle_report(self: &Rc<Self>, connection: usize, report: ClientReport) {
        match report {
            ClientReport::Event(event) => self.handle_event(connection, &event),
            ClientReport::Settled(number, outcome) => {
                let refused = self.composer.borrow_mut().settled(connection, number, outcome);
                if let Some(text) = refused.filter(|_| self.state.draft().get_untracked().is_empty()) {
                    update(self.state.draft(), text);
                }
                self.write_delivery();
            }
        }
    }

    fn handle_event(self: &Rc<Self>, connection: usize, event: &ClientEvent) {
        let now = local_time();
        let is_flood = {
            let log = &mut *self.log.borrow_mut();
            log.handle_event(connection, event, now);
            log.store().timeline().is_flood(now.unix_ms)
        };
        if matches!(event, ClientEvent::Joined { .. } | ClientEvent::Gap { .. }) {
            self.start_loads();
        }
        if matches!(event, ClientEvent::Joined { .. }) && !self.has_connected.replace(true) {
            self.mark_connected();
        }
        let is_message =
            matches!(event, ClientEvent::GroupMessage { .. } | ClientEvent::ServerMessage { .. });
        let is_urgent = !(is_message && is_flood);
        self.request_render_with(if is_urgent { Urgency::Immediate } else { Urgency::WithinBudget });
    }

    /// Publishes a text to the group of a source. Returns the number under which its outcome is reported.
    ///
    /// # Errors
    /// The reason why it is not sent, as a sentence.
    pub fn publish(&self, source: usize, text: &str) -> Result<u64, String> {
        let target =
            self.log.borrow().sources().get(source).map(|source| (source.connection, source.group.clone()));
        let (connection, group) = target.ok_or("there is no such source")?;
        let clients = self.clients.borrow();
        let client = clients.get(connection).and_then(Option::as_ref).ok_or("not connected yet")?;
        let outcome = client.publish(&group, text);
        self.composer.borrow_mut().sent(connection, text, outcome.clone());
        self.write_delivery();
        outcome
    }

    /// Publishes the draft. One that is refused stays in the field.
    pub(super) fn publish_draft(&self, source: usize) {
        let draft = self.state.draft().get_untracked();
        if !draft.is_empty() && self.publish(source, &draft).is_ok() {
            update(self.state.draft(), String::new());
        }
    }

    pub(super) fn recall_draft(&self, direction: Direction) {
        let recalled = self.composer.borrow_mut().recall(direction).map(str::to_owned);
        if let Some(text) = recalled {
            update(self.state.draft(), text);
        }
    }

    fn write_delivery(&self) {
        let status = self.composer.borrow().status_text();
        update(self.state.delivery(), status);
    }

    fn mark_connected(&self) {
        if let Some(performance) = self.host.window().performance()
            && let Err(error) = performance.mark(CONNECTED_MARK)
        {
            leptos::logging::error!("the mark {CONNECTED_MARK} cannot be set: {error:?}");
        }
    }
}
