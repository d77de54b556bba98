//! `tailcast serve`: serves the page, `/negotiate` and the embedded service.

pub(crate) mod config;
mod negotiate;
mod site;

use axum::{
    Router,
    http::{HeaderValue, Method, header},
    routing::get,
};
use tower_http::cors::CorsLayer;
use webpubsub_hub::Service;

use crate::{
    cli::ServeOptions,
    failure::Failure,
    service::{self, BoundServer, HEALTH_PATH},
    terminal::notice,
};
use config::{Backend, ServeConfig};
use site::Site;

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn run(options: ServeOptions) -> Result<(), Failure> {
    let mut config = ServeConfig::from_options(options)?;
    let server = BoundServer::bind(config.listen).await?;
    config.listen = server.config.clone();
    let service = match &config.backend {
        Backend::Embedded(service) => {
            let log_page = (config.site != Site::Missing).then_some("/");
            Some(service::embedded(service, &config.listen, log_page)?)
        }
        Backend::Azure { .. } => None,
    };
    let app = app(&config, service.as_ref());
    print_info(&config, &server);
    server.serve(app, service).await
}

fn app(config: &ServeConfig, service: Option<&Service>) -> Router {
    let mut app = Router::new()
        .merge(negotiate::routes(config, service).layer(cors(config)))
        .route(HEALTH_PATH, get(|| async { "ok\n" }));
    if let Some(service) = service {
        app = app.merge(service.router());
    }
    app.fallback_service(config.site.service(&config.listen.origins.allowed))
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
        notice!("Clients cannot publish; to allow it, start with --publish-key KEY.");
    }
    if config.site == Site::Missing {
        notice!(
            "This binary contains no page; build it with `cargo xtask build`, or give the directory of a page with --site DIR."
        );
    }
    let (page, arguments) = (config.page_url(), config.stream_arguments());
    notice!("Open {page}/ in a browser, then run: some-command | tailcast stream{arguments}");
}
