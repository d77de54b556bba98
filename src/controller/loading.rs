//! Loads of earlier messages: the requests that the model queues, carried out.

use std::rc::{Rc, Weak};

use webpubsub_client::{HistoryAccess, web::read_history};

use super::LogController;
use crate::{
    browser::clock::local_time,
    model::{live_log::HistoryLoad, render_schedule::Urgency},
};

impl LogController {
    /// Starts the loads that the model has queued.
    pub(super) fn start_loads(self: &Rc<Self>) {
        let loads = self.log.borrow_mut().take_loads();
        for load in loads {
            leptos::task::spawn_local(Self::load(Rc::downgrade(self), load));
        }
    }

    /// Reads a history. Ends with the viewer, which then receives no further record.
    async fn load(weak: Weak<Self>, load: HistoryLoad) {
        let HistoryLoad { id, connection, access, request } = load;
        let records = weak.clone();
        let reading = read_history(request, move |record| {
            if let Some(controller) = records.upgrade() {
                controller.log.borrow_mut().record_loaded(id, record, local_time());
                // Lines that come later are on the screen with the last of them, at the end.
                controller.request_render_with(Urgency::WithinBudget);
            }
        });
        let outcome = reading.await;
        let Some(controller) = weak.upgrade() else { return };
        let has_expired = controller.log.borrow_mut().load_ended(id, outcome, local_time());
        if has_expired {
            controller.renew(id, connection, &access).await;
        }
        controller.start_loads();
        controller.request_render();
    }

    /// Negotiates again for a load whose token has expired.
    async fn renew(&self, id: u64, connection: usize, access: &HistoryAccess) {
        let renewal = {
            let clients = self.clients.borrow();
            let client = clients.get(connection).and_then(Option::as_ref);
            client.map(|client| client.renew_history(access))
        };
        let renewed = match renewal {
            Some(renewal) => renewal.await,
            None => Err("not connected".to_owned()),
        };
        self.log.borrow_mut().renew_load(id, renewed, local_time());
    }

    /// Loads earlier lines at the user's wish.
    pub(super) fn load_earlier(self: &Rc<Self>) {
        self.log.borrow_mut().load_earlier();
        self.start_loads();
        self.request_render();
    }
}
