//! Server and embedded service, common to `serve` and `hub`.

mod accept;
pub(crate) mod access_key;
pub(crate) mod config;
pub(crate) mod config_file;
pub(crate) mod forwarded;
mod header_names;
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
    io,
    time::{Duration, SystemTime},
};

use axum::{Router, middleware};
use tokio::net::TcpListener;
use webpubsub_hub::Service;

use crate::{
    failure::Failure,
    signals::Signals,
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
    signals: Signals,
    /// Configuration, with the actual port.
    pub(crate) config: ListenConfig,
}

impl BoundServer {
    /// Binds the port.
    pub(crate) async fn bind(mut config: ListenConfig) -> Result<Self, Failure> {
        open_files::raise_limit();
        let signals = Signals::listen()?;
        if let Some(authority) = &config.development_authority {
            authority.prepare(SystemTime::now()).map_err(UsageError::TlsDev)?;
        }
        let tls = config.tls.clone().map(Tls::from_files).transpose()?;
        let listener =
            TcpListener::bind(config.address).await.map_err(|error| bind_failure(&config, &error))?;
        config.address = listener.local_addr().map_err(|error| bind_failure(&config, &error))?;
        Ok(Self { listener, tls, signals, config })
    }

    /// Prints the connection string of the embedded service, and the URLs for inspection.
    pub(crate) fn print_service_info(&self, service: &ServiceConfig) {
        let endpoint = self.config.endpoint_at(self.config.address.to_string());
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

    /// Prints the readiness line, and serves until SIGINT or SIGTERM.
    pub(crate) async fn serve(mut self, app: Router, service: Option<Service>) -> Result<(), Failure> {
        let app = app.layer(middleware::from_fn_with_state(self.config.origins.clone(), origin::guard));
        let app = app.layer(middleware::from_fn_with_state(self.config.hosts.clone(), host::guard));
        let app =
            app.layer(middleware::from_fn_with_state(self.config.proxies.clone(), forwarded::resolve_client));
        announce!("listening on {}", self.config.endpoint_at(self.config.address.to_string()));
        let limits = SocketLimits {
            per_address: self.config.sockets_per_address,
            proxies: self.config.proxies.clone(),
        };
        tokio::select! {
            () = accept::serve(self.listener, self.tls, limits, app) => {
                Err(Failure::runtime("the server stopped accepting connections"))
            }
            _ = self.signals.next() => {
                if let Some(service) = service {
                    // Connections that are still open after the timeout are dropped with the process.
                    drop(tokio::time::timeout(SHUTDOWN_TIMEOUT, service.shut_down()).await);
                }
                Ok(())
            }
        }
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
