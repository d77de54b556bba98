//! `tailcast serve`: the page, `/negotiate`, and the embedded service.

mod accept;
pub(crate) mod config;
mod negotiate;
mod site;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, Method, header},
    middleware,
    routing::get,
};
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;
use webpubsub_hub::{Service, Settings, origin};

use crate::{cli::ServeOptions, failure::Failure, signals::Signals};
use config::{Backend, ServeConfig};
use negotiate::Negotiator;

/// How long clients have to go when the server ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Serves until a signal asks it to end.
pub(crate) async fn run(options: ServeOptions) -> Result<(), Failure> {
    let config = ServeConfig::from_options(options)?;
    let mut signals = Signals::listen()
        .map_err(|error| Failure::at_run_time(format!("signals cannot be heard: {error}")))?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| cannot_listen(&config, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(&config, &error))?;
    let config = config.bound_to(address);
    let service = match &config.backend {
        Backend::Embedded { connection_string } => Some(Service::new(Settings {
            access_keys: vec![connection_string.access_key.clone()],
            accepts_any_host: config.is_private,
            connect_handler: None,
        })),
        Backend::Azure { .. } => None,
    };
    let app = app(&config, service.as_ref());
    announce(&config);
    tokio::select! {
        () = accept::serve(listener, app) => Err(Failure::at_run_time("the server stopped taking connections")),
        () = signals.next() => {
            if let Some(service) = service {
                // Clients that do not go in time are cut off with the process.
                drop(tokio::time::timeout(SHUTDOWN_TIMEOUT, service.shut_down()).await);
            }
            Ok(())
        }
    }
}

fn cannot_listen(config: &ServeConfig, error: &std::io::Error) -> Failure {
    let mend = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; another program has this port: stop it, or choose another with --listen"
        }
        std::io::ErrorKind::PermissionDenied => "; choose a port from 1024 on with --listen",
        std::io::ErrorKind::AddrNotAvailable => {
            "; this machine has no such address: choose another with --listen"
        }
        _ => "",
    };
    Failure::at_run_time(format!("cannot listen on {}: {error}{mend}", config.listen))
}

fn app(config: &ServeConfig, service: Option<&Arc<Service>>) -> Router {
    let negotiator = Arc::new(Negotiator::new(config));
    let mut app = Router::new()
        .route("/negotiate", get(negotiate::negotiate).with_state(negotiator).layer(cross_origin(config)))
        .route("/healthz", get(|| async { "ok\n" }));
    if let Some(service) = service {
        app = app.merge(service.router());
    }
    app.fallback_service(site::service(config.site.clone()))
        .layer(middleware::from_fn_with_state(config.origins.clone(), origin::guard))
}

/// Lets pages of the allowed origins read the answer.
fn cross_origin(config: &ServeConfig) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        config.origins.allowed.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new().allow_origin(origins).allow_methods([Method::GET]).allow_headers([header::AUTHORIZATION])
}

/// What people want to know goes to standard error, and then one line for programs to standard output.
fn announce(config: &ServeConfig) {
    match &config.backend {
        Backend::Embedded { connection_string } => {
            // A key of one's own is known to who gave it, and to nobody who reads the log.
            let shown = match config.has_development_key() {
                true => connection_string.reveal(),
                false => format!("Endpoint={};AccessKey=<yours>;Version=1.0;", connection_string.endpoint),
            };
            eprintln!("Connection string: {shown}");
            eprintln!("Embedded service, hub `{}`.", config.hub);
        }
        Backend::Azure { connection_string } => {
            eprintln!("Through {}, hub `{}`.", connection_string.endpoint, config.hub);
        }
    }
    if !config.may_publish_without_key() && config.publish_key.is_none() {
        eprintln!("Clients may only read: to let some publish, start with --publish-key KEY.");
    }
    if config.site.is_none() {
        eprintln!(
            "No page is served: build it with `cargo xtask build` and give its folder with --site DIR."
        );
    }
    let (page, hint) = (config.page_host(), config.stream_hint());
    eprintln!("Open http://{page} in a browser, then: some-command | tailcast stream{hint}");
    println!("listening on http://{}", config.listen);
}
