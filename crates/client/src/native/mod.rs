//! Driver for tokio: carries out the effects of the machine with reqwest and tokio-tungstenite.
//!
//! One task owns the machine and the socket. A proxy that the environment names (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`,
//! `NO_PROXY`) is used for the negotiation and for the WebSocket, by HTTP `CONNECT` or SOCKS. No crypto provider is installed in the
//! process.

mod clock;
mod driver;
mod history;
mod link;
mod negotiate;
mod network;
mod proxy;
mod transport;
mod trust;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::{
    client::{ClientBuilder, Command, Dispatcher},
    options::ClientOptions,
    service_endpoint::ServiceEndpoint,
};
use driver::Driver;

pub use trust::{RootCertificates, TrustError};

pub(crate) use history::read_history;
pub(crate) use negotiate::negotiate;
pub(crate) use network::{Network, NetworkOptions};

/// Starts a client on the current tokio runtime.
pub(crate) fn start(
    options: ClientOptions,
    endpoint: ServiceEndpoint,
    network: Arc<Network>,
    dispatcher: Dispatcher,
    commands: mpsc::Receiver<Command>,
) {
    tokio::spawn(Driver::new(options, endpoint, network, dispatcher).run(commands));
}

/// Settings of native clients.
impl ClientBuilder {
    /// Trusts root certificates besides those of the system or of `SSL_CERT_FILE`.
    pub fn trust(mut self, certificates: RootCertificates) -> Self {
        self.network.roots = certificates;
        self
    }

    /// Ignores the proxies of the environment: for a service on the same machine, whose keys a proxy would receive.
    pub fn ignore_proxies(mut self) -> Self {
        self.network.ignores_proxies = true;
        self
    }
}
