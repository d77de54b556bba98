//! Server and embedded service, common to `serve` and `hub`.

mod accept;
pub(crate) mod access_key;
pub(crate) mod config;
pub(crate) mod config_file;
pub(crate) mod forwarded;
mod header_names;
mod header_size;
pub(crate) mod history;
mod host;
mod open_files;
mod origin;
mod reload;
mod sockets;
pub(crate) mod tls;
pub(crate) mod tls_dev;
mod unknown_path;

use std::{
    future::Future,
    io,
    time::{Duration, SystemTime},
};

use axum::{Router, middleware};
use tokio::net::TcpListener;
use webpubsub_hub::Service;

use crate::{
    failure::Failure,
    terminal::{announce, notice},
    usage_error::UsageError,
};
use accept::SocketLimits;
use config::{ListenConfig, ServiceConfig};
use tls::Tls;

pub(crate) use unknown_path::unknown_path;

/// Path of the health check.
pub(crate) const HEALTH_PATH: &str = "/healthz";
/// Timeout for closing connections at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);
/// Timeout for the delivery of everything at shutdown. A viewer that receives nothing for so long is considered lost.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// End of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// Close the connections.
    Now,
    /// Deliver the messages that clients wait for, then close the connections.
    AfterDelivery,
}

/// Creates the embedded service. `log_page` is the path of the log viewer on this server, if it serves one.
pub(crate) fn embedded(
    config: &ServiceConfig,
    listen: &ListenConfig,
    log_page: Option<&'static str>,
) -> Result<Service, Failure> {
    let mut builder = Service::builder()
        .accept_any_host(listen.is_private)
        .allow_anonymous(config.allows_anonymous)
        .allow_unverified_entra_tokens(config.allows_unverified_entra_tokens)
        .ack_delay(config.ack_delay)
        .inspectable(config.is_inspectable)
        .memory_limit(config.memory_limit)
        .history(config.history.clone())
        .allowed_origins(listen.origins.allowed.clone());
    for key in config.access_keys.all() {
        builder = builder.access_key(key);
    }
    if let Some(public) = &listen.public {
        builder = builder.public_url(public.to_string());
    }
    if let Some(name) = listen.public_name() {
        builder = builder.event_origin(name);
    }
    if let Some(path) = log_page {
        builder = builder.log_page(path);
    }
    if let Some(limits) = config.client_limits {
        builder = builder.client_limits(limits);
    }
    let (handlers, source) = (&config.event_handlers, &config.event_handler_source);
    // A file without event handlers may get some later.
    if !handlers.rules.is_empty() || source.file.is_some() {
        builder = builder.http_event_handlers(handlers.rules.clone(), handlers.timeout);
    }
    let service = builder.build().map_err(|error| Failure::runtime(error.to_string()))?;
    reload::on_hang_up(&service, source)?;
    Ok(service)
}

/// Server that is bound to its port.
pub(crate) struct BoundServer {
    listener: TcpListener,
    tls: Option<Tls>,
    /// Configuration, with the actual port.
    pub(crate) config: ListenConfig,
}

impl BoundServer {
    /// Binds the port.
    pub(crate) async fn bind(config: ListenConfig) -> Result<Self, Failure> {
        let listener =
            TcpListener::bind(config.address).await.map_err(|error| bind_failure(&config, &error))?;
        Self::on(listener, config)
    }

    /// Creates a server on a port that is bound already.
    pub(crate) fn on(listener: TcpListener, mut config: ListenConfig) -> Result<Self, Failure> {
        open_files::raise_limit();
        if let Some(authority) = &config.development_authority {
            authority.prepare(SystemTime::now()).map_err(UsageError::TlsDev)?;
        }
        let tls = config.tls.clone().map(Tls::from_files).transpose()?;
        config.address = listener.local_addr().map_err(|error| bind_failure(&config, &error))?;
        Ok(Self { listener, tls, config })
    }

    /// Prints the connection string of the embedded service, and the URLs for inspection.
    pub(crate) fn print_service_info(&self, service: &ServiceConfig) {
        let endpoint = self.config.client_endpoint();
        // A configured key must not appear in logs.
        let key = &service.access_keys.primary;
        let key = if access_key::is_development_key(key) { key.reveal() } else { "<yours>" };
        notice!("Connection string: Endpoint={endpoint};AccessKey={key};Version=1.0;");
        match (&self.config.development_authority, &self.config.tls) {
            (Some(authority), _) => {
                let certificate = authority.certificate();
                notice!(
                    "Certificate authority, for clients: export NODE_EXTRA_CA_CERTS={}",
                    certificate.display()
                );
            }
            (None, Some(_)) => {}
            (None, None) => notice!(
                "JavaScript applications pass {{ allowInsecureConnection: true }} to WebPubSubServiceClient, or need --tls-dev."
            ),
        }
        if service.is_inspectable {
            notice!("Inspector: {endpoint}/_hub. Metrics: {endpoint}/metrics.");
        }
    }

    /// Prints the readiness line to standard output.
    pub(crate) fn announce(&self) {
        announce!("listening on {}", self.config.endpoint_at(self.config.address.to_string()));
    }

    /// Serves until `stop` returns.
    pub(crate) async fn serve(
        self,
        app: Router,
        service: Option<Service>,
        stop: impl Future<Output = Shutdown>,
    ) -> Result<(), Failure> {
        let app = app.layer(middleware::from_fn_with_state(self.config.origins.clone(), origin::guard));
        let app = app.layer(middleware::from_fn_with_state(self.config.hosts.clone(), host::guard));
        let app =
            app.layer(middleware::from_fn_with_state(self.config.proxies.clone(), forwarded::resolve_client));
        let app = app.layer(middleware::from_fn(header_size::guard));
        let limits = SocketLimits {
            per_address: self.config.sockets_per_address,
            proxies: self.config.proxies.clone(),
        };
        let stopping = async {
            let shutdown = stop.await;
            if let Some(service) = service {
                shutdown.run(&service).await;
            }
        };
        tokio::select! {
            () = accept::serve(self.listener, self.tls, limits, app) => {
                Err(Failure::runtime("the server stopped accepting connections"))
            }
            () = stopping => Ok(()),
        }
    }
}

impl Shutdown {
    /// Ends the service. What is left after the timeout ends with the process.
    async fn run(self, service: &Service) {
        let (limit, waits) = match self {
            Self::Now => (SHUTDOWN_TIMEOUT, false),
            Self::AfterDelivery => (DELIVERY_TIMEOUT, true),
        };
        let ending = async {
            if waits {
                service.history_sent().await;
            }
            // Sends what is queued before the close frame.
            service.shut_down().await;
        };
        drop(tokio::time::timeout(limit, ending).await);
    }
}

fn bind_failure(config: &ListenConfig, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program uses this port: stop it, or choose another port with --listen"
        }
        io::ErrorKind::PermissionDenied => "; choose a port from 1024 with --listen",
        io::ErrorKind::AddrNotAvailable => {
            "; this machine does not have the address: choose another with --listen"
        }
        _ => "",
    };
    Failure::runtime(format!("cannot listen on {}: {error}{advice}", config.address))
}
