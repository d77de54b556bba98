//! The page's clients: started, started again, and handed what the reader publishes.

use std::rc::Rc;

use web_sys::Window;
use webpubsub_client::ClientEvent;

use super::LivePage;
use crate::view::{
    client::{ABANDONED, Sink, Told},
    clock::local_time,
};

/// Set when lines are received for the first time.
const CONNECTED_MARK: &str = "tailcast-connected";

impl LivePage {
    /// Starts the clients; later those again that wait before they try, or have given up.
    pub fn connect(&self) {
        let mut clients = self.clients.borrow_mut();
        let connections = if clients.is_empty() {
            let count = self.log.borrow().connections();
            clients.resize_with(count, || None);
            (0..count).collect()
        } else {
            self.log.borrow().waiting_connections(local_time().unix_ms)
        };
        for connection in connections {
            if let Some(client) = clients.get_mut(connection) {
                drop(client.take());
                let lost = self.composer.borrow_mut().abandon(connection);
                for number in lost {
                    self.surroundings.tell(connection, &Told::Settled(number, Err(ABANDONED.to_owned())));
                }
                *client = (self.start_client)(connection, self.sink(connection));
            }
        }
    }

    fn sink(&self, connection: usize) -> Sink {
        let (log, gate, composer) = (Rc::clone(&self.log), Rc::clone(&self.gate), Rc::clone(&self.composer));
        let (window, has_connected) = (self.window.clone(), Rc::clone(&self.has_connected));
        let screen = self.screen;
        let surroundings = self.surroundings.clone();
        Box::new(move |told| {
            surroundings.tell(connection, &told);
            match told {
                Told::Event(event) => {
                    let now = local_time();
                    log.borrow_mut().handle_of(connection, &event, now);
                    if matches!(event, ClientEvent::Joined { .. }) && !has_connected.replace(true) {
                        mark_connected(&window);
                    }
                    let brings_lines =
                        matches!(event, ClientEvent::GroupMessage { .. } | ClientEvent::ServerMessage { .. });
                    if brings_lines && log.borrow().store.timeline().is_flood(now.unix_ms) {
                        gate.ask_at_leisure();
                    } else {
                        gate.ask();
                    }
                }
                Told::Settled(number, outcome) => {
                    composer.borrow_mut().settled(connection, number, outcome);
                    let words = composer.borrow().words();
                    screen.change(|shown| shown.sent = words);
                }
            }
        })
    }

    /// Publishes a text to the group of a source. Gives the number under which it is told what became of it.
    ///
    /// # Errors
    /// Why it was not taken, in words.
    pub fn publish(&self, source: usize, text: &str) -> Result<u64, String> {
        let target =
            self.log.borrow().sources().get(source).map(|source| (source.connection, source.group.clone()));
        let (connection, group) = target.ok_or("there is no such source")?;
        let clients = self.clients.borrow();
        let client = clients.get(connection).and_then(Option::as_ref).ok_or("not connected yet")?;
        let mut composer = self.composer.borrow_mut();
        let outcome = client.publish(&group, text);
        composer.sent(connection, text, outcome.clone());
        self.screen.change(|shown| shown.sent = composer.words());
        outcome
    }

    /// The text published before the one shown, or after it.
    pub fn recall(&self, is_older: bool) -> Option<String> {
        self.composer.borrow_mut().recall(is_older).map(str::to_owned)
    }
}

fn mark_connected(window: &Window) {
    if let Some(performance) = window.performance() {
        // Fails only for names that the browser keeps for itself.
        performance.mark(CONNECTED_MARK).unwrap_or_default();
    }
}
