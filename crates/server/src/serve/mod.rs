//! `tailcast serve`: the page, `/negotiate`, and the embedded service.

pub(crate) mod config;
mod negotiate;
mod site;

use std::sync::Arc;

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
    service::{self, Listening},
};
use config::{Backend, ServeConfig};
use negotiate::Negotiator;
use site::Site;

/// Serves until a signal asks it to end.
pub(crate) async fn run(options: ServeOptions) -> Result<(), Failure> {
    let mut config = ServeConfig::from_options(options)?;
    let listening = Listening::on(config.listen).await?;
    config.listen = listening.config.clone();
    let service = match &config.backend {
        Backend::Embedded(service) => {
            let log_page = (config.site != Site::Missing).then_some("/");
            Some(service::embedded(service, &config.listen, log_page)?)
        }
        Backend::Azure { .. } => None,
    };
    let app = app(&config, service.as_ref());
    announce(&config, &listening);
    listening.serve(app, service).await
}

fn app(config: &ServeConfig, service: Option<&Arc<Service>>) -> Router {
    let negotiator = Arc::new(Negotiator::new(config));
    let mut app = Router::new()
        .route("/negotiate", get(negotiate::negotiate).with_state(negotiator).layer(cross_origin(config)))
        .route("/healthz", get(|| async { "ok\n" }));
    if let Some(service) = service {
        app = app.merge(service.router());
    }
    app.fallback_service(config.site.service(&config.listen.origins.allowed))
}

/// Lets pages of the allowed origins read the answer.
fn cross_origin(config: &ServeConfig) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        config.listen.origins.allowed.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET])
        .allow_headers([header::AUTHORIZATION])
        .expose_headers([header::RETRY_AFTER])
}

/// What people want to know goes to standard error.
fn announce(config: &ServeConfig, listening: &Listening) {
    match &config.backend {
        Backend::Embedded(service) => {
            listening.announce_service(service);
            eprintln!("Embedded service, hub `{}`.", config.hub);
        }
        Backend::Azure { connection_string } => {
            eprintln!("Through {}, hub `{}`.", connection_string.endpoint, config.hub);
        }
    }
    if !config.may_publish_without_key() && config.publish_key.is_none() {
        eprintln!("Clients may only read: to let some publish, start with --publish-key KEY.");
    }
    if config.site == Site::Missing {
        eprintln!(
            "This program carries no page: build it with `cargo xtask build`, or give the folder of one with --site DIR."
        );
    }
    let (page, hint) = (config.page(), config.stream_hint());
    eprintln!("Open {page}/ in a browser, then: some-command | tailcast stream{hint}");
}
