//! `tailcast serve`: serves the page, `/negotiate` and the embedded service.

pub(crate) mod config;
mod negotiate;
mod site;
mod viewer_password;

use std::future::Future;

use axum::{
    Router,
    http::{HeaderValue, Method, header},
    middleware::from_fn_with_state,
    routing::get,
};
use tower_http::cors::CorsLayer;
use webpubsub_hub::Service;

use crate::{
    cli::ServeOptions,
    failure::Failure,
    service::{self, BoundServer, HEALTH_PATH, Shutdown},
    signals::Signals,
    terminal::notice,
};
use config::{Backend, ServeConfig};
use viewer_password::ViewerGuard;

/// Body of the health check of a server of the page, by which other commands recognise it.
pub(crate) const HEALTHY: &str = "tailcast: ok\n";

/// Advice if the binary has no page.
pub(crate) const NO_PAGE: &str = "this binary contains no page; build it with `cargo xtask build`, or give the directory of a page with --site DIR.";

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn run(options: ServeOptions) -> Result<(), Failure> {
    let config = ServeConfig::from_options(options)?;
    // Only now: a file of the configuration can be a FIFO, which blocks until a signal ends the program.
    let mut signals = Signals::listen()?;
    let server = BoundServer::bind(config.listen.clone()).await?;
    let server = PageServer::on(server, config)?;
    print_info(&server.config, &server.server);
    server.server.announce();
    server.serve(signals.shutdown()).await
}

/// Server of the page, bound to its port.
pub(crate) struct PageServer {
    server: BoundServer,
    config: ServeConfig,
    service: Option<Service>,
    app: Router,
}

impl PageServer {
    /// Creates the routes, and the embedded service if it is configured.
    pub(crate) fn on(server: BoundServer, mut config: ServeConfig) -> Result<Self, Failure> {
        // With the actual port.
        config.listen = server.config.clone();
        let service = match &config.backend {
            Backend::Embedded(service) => {
                let log_page = config.has_page().then_some("/");
                Some(service::embedded(service, &config.listen, log_page)?)
            }
            Backend::Azure { .. } => None,
        };
        let app = app(&config, service.as_ref());
        Ok(Self { server, config, service, app })
    }

    /// Returns the embedded service.
    pub(crate) fn service(&self) -> Option<&Service> {
        self.service.as_ref()
    }

    /// Returns the configuration, with the actual port.
    pub(crate) fn config(&self) -> &ServeConfig {
        &self.config
    }

    /// Serves until `stop` returns.
    pub(crate) async fn serve(self, stop: impl Future<Output = Shutdown>) -> Result<(), Failure> {
        self.server.serve(self.app, self.service, stop).await
    }
}

fn app(config: &ServeConfig, service: Option<&Service>) -> Router {
    // Shared, so that attempts at all paths count together.
    let guard = |password| ViewerGuard::new(password, config.publish_key.clone(), config.site.clone());
    let guard = config.viewer_password.clone().map(guard);
    let guarded = |router: Router| match &guard {
        Some(guard) => router.layer(from_fn_with_state(guard.clone(), viewer_password::check)),
        None => router,
    };
    let mut app = Router::new()
        // Browsers send no credentials in a preflight request, and read a refusal only with the headers of CORS.
        .merge(guarded(negotiate::routes(config, service)).layer(cors(config)))
        .route(HEALTH_PATH, get(|| async { HEALTHY }));
    if let Some(service) = service {
        app = app.merge(service.router());
    }
    app.fallback_service(guarded(config.site.service(&config.listen.origins.allowed)))
}

/// Creates the CORS headers for the allowed origins.
fn cors(config: &ServeConfig) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        config.listen.origins.allowed.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET])
        .allow_headers([header::AUTHORIZATION])
        .expose_headers([header::RETRY_AFTER])
        // The credentials of a viewer password.
        .allow_credentials(config.viewer_password.is_some())
}

/// Prints information for the user to standard error.
fn print_info(config: &ServeConfig, server: &BoundServer) {
    match &config.backend {
        Backend::Embedded(service) => {
            server.print_service_info(service);
            notice!("Embedded service, hub `{}`.", config.hub);
        }
        Backend::Azure { connection_string } => {
            notice!("Service {}, hub `{}`.", connection_string.endpoint, config.hub);
        }
    }
    if !config.is_publishing_open() && config.publish_key.is_none() {
        notice!("Clients cannot publish; to allow it, start with --publish-key-file FILE.");
    }
    if config.viewer_password.is_some() {
        notice!("Viewers need the password, with any user name.");
    }
    if !config.has_page() {
        notice!("tailcast serve: {NO_PAGE}");
    }
    let (page, arguments) = (config.listen.client_endpoint(), config.stream_arguments());
    notice!("Open {page}/ in a browser, then run: some-command | tailcast stream{arguments}");
}
