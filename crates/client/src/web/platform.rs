//! What the [`Client`](crate::Client) needs of a browser.

use std::{pin::pin, rc::Rc, sync::Arc};

use futures_util::future::{Either, select};
use tokio::sync::mpsc;

use super::driver::{Driver, Sink};
use crate::{
    client::{Command, Control, Dispatcher},
    history::{HistoryEnd, HistoryFailure, HistoryRecord, HistoryRequest},
    machine::Input,
    options::ClientOptions,
    service_endpoint::ServiceEndpoint,
};

pub(crate) use super::negotiate::negotiate;

/// Settings that only clients in browsers have: none.
#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkOptions {}

/// The network, which belongs to the browser.
#[derive(Debug)]
pub(crate) struct Network;

impl Network {
    pub(crate) fn new(_: NetworkOptions, _: &ClientOptions) -> Self {
        Self
    }
}

/// Reads a history, and passes its records to `on_record` as they arrive.
pub(crate) async fn read_history(
    _: &Network,
    request: HistoryRequest,
    on_record: impl FnMut(HistoryRecord<'_>),
) -> Result<HistoryEnd, HistoryFailure> {
    super::history::read_history(request, on_record).await
}

/// Starts a client on the page's event loop.
pub(crate) fn start(
    options: ClientOptions,
    endpoint: ServiceEndpoint,
    network: Rc<Network>,
    dispatcher: Dispatcher,
    commands: mpsc::Receiver<Command>,
) {
    let control = Arc::clone(dispatcher.control());
    let negotiation = move || -> super::Negotiation {
        let (endpoint, network) = (endpoint.clone(), Rc::clone(&network));
        Box::pin(async move { negotiate(&endpoint, &network).await })
    };
    let driver = Driver::new(options, Box::new(negotiation), Sink::Dispatcher(dispatcher));
    wasm_bindgen_futures::spawn_local(run(driver, commands, control));
}

/// Passes the requests of the application to the driver, which handles everything else in callbacks of the browser.
async fn run(driver: Rc<Driver>, mut commands: mpsc::Receiver<Command>, control: Arc<Control>) {
    driver.handle_and_deliver(Input::Start);
    while !driver.has_stopped() {
        if !driver.is_writable() {
            driver.notify_when_writable();
            control.woken().await;
            driver.woken();
            continue;
        }
        let command = match select(pin!(commands.recv()), pin!(control.woken())).await {
            Either::Left((command, _)) => command,
            Either::Right(((), _)) => {
                driver.woken();
                continue;
            }
        };
        match command {
            Some(command) => driver.take_commands(command, || commands.try_recv().ok()),
            None => driver.handle_and_deliver(Input::Stop),
        }
    }
}
