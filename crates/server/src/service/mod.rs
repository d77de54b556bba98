//! The embedded service, as both `serve` and `hub` run it.

mod accept;
pub(crate) mod access_key;
pub(crate) mod config;
mod config_file;
pub(crate) mod forwarded;
mod tls;

use std::{io, sync::Arc, time::Duration};

use axum::{Router, middleware};
use tokio::net::TcpListener;
use webpubsub_hub::{Service, Settings, event_handler::http::HttpEventHandlers, metrics::Metrics, origin};

use crate::{failure::Failure, signals::Signals};
use config::{ListenConfig, ServiceConfig};
use tls::Tls;

/// How long clients have to go when the server ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// A service by this configuration. `log_page` is the path of the log's page on this server, if there is one.
pub(crate) fn embedded(
    config: &ServiceConfig,
    listen: &ListenConfig,
    log_page: Option<&'static str>,
) -> Result<Arc<Service>, Failure> {
    let metrics = Arc::new(Metrics::default());
    let event_handler = match config.event_handlers.is_empty() {
        true => None,
        false => {
            let (rules, keys) = (config.event_handlers.clone(), config.access_keys.all());
            let handlers = HttpEventHandlers::new(rules, keys, Arc::clone(&metrics))
                .map_err(|error| Failure::at_run_time(format!("event handlers cannot be called: {error}")))?;
            Some(Arc::new(handlers.with_timeout(config.handler_timeout)) as _)
        }
    };
    Ok(Service::new(Settings {
        access_keys: config.access_keys.all(),
        accepts_any_host: listen.is_private,
        public_host: listen.public.as_ref().map(|public| public.authority().to_owned()),
        event_origin: listen.public_name(),
        event_handler,
        allows_anonymous: config.allows_anonymous,
        is_inspectable: config.is_inspectable,
        log_page,
        metrics,
    }))
}

/// A server that has its port.
pub(crate) struct Listening {
    listener: TcpListener,
    tls: Option<Tls>,
    signals: Signals,
    /// What was asked for, with the port that it has.
    pub(crate) config: ListenConfig,
}

impl Listening {
    /// Takes the port.
    pub(crate) async fn on(mut config: ListenConfig) -> Result<Self, Failure> {
        let signals = Signals::listen()?;
        let tls = config.tls.clone().map(Tls::from_files).transpose()?;
        let listener =
            TcpListener::bind(config.address).await.map_err(|error| cannot_listen(&config, &error))?;
        config.address = listener.local_addr().map_err(|error| cannot_listen(&config, &error))?;
        Ok(Self { listener, tls, signals, config })
    }

    /// Tells people how to reach the embedded service.
    pub(crate) fn announce_service(&self, service: &ServiceConfig) {
        let endpoint = self.config.endpoint_at(self.config.address.to_string());
        // A key of one's own is known to who gave it, and to nobody who reads the log.
        let key = &service.access_keys.first;
        let key = if access_key::is_development_key(key) { key.reveal() } else { "<yours>" };
        eprintln!("Connection string: Endpoint={endpoint};AccessKey={key};Version=1.0;");
        if service.is_inspectable {
            eprintln!("Inspector: {endpoint}/_hub. Metrics: {endpoint}/metrics.");
        }
    }

    /// Says that it is ready, and serves until a signal asks it to end.
    pub(crate) async fn serve(mut self, app: Router, service: Option<Arc<Service>>) -> Result<(), Failure> {
        let app = app.layer(middleware::from_fn_with_state(self.config.origins.clone(), origin::guard));
        let app = app.layer(middleware::from_fn_with_state(self.config.proxies.clone(), forwarded::admit));
        println!("listening on {}", self.config.endpoint_at(self.config.address.to_string()));
        tokio::select! {
            () = accept::serve(self.listener, self.tls, app) => {
                Err(Failure::at_run_time("the server stopped taking connections"))
            }
            _ = self.signals.next() => {
                if let Some(service) = service {
                    // Clients that do not go in time are cut off with the process.
                    drop(tokio::time::timeout(SHUTDOWN_TIMEOUT, service.shut_down()).await);
                }
                Ok(())
            }
        }
    }
}

fn cannot_listen(config: &ListenConfig, error: &io::Error) -> Failure {
    let mend = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program has this port: stop it, or choose another with --listen"
        }
        io::ErrorKind::PermissionDenied => "; choose a port from 1024 on with --listen",
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address: choose another with --listen",
        _ => "",
    };
    Failure::at_run_time(format!("cannot listen on {}: {error}{mend}", config.address))
}
