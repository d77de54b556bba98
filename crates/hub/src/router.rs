//! Routes of a service.

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get},
};

use crate::{handshake, history_endpoint, inspect, registry::Registry, rest};

/// Returns the routes: `/client/…` for clients, `/api/…` for application servers, `/history/…` for earlier messages, and,
/// if the service is inspectable, `/metrics` and `/_hub`. `/clients/…` and `/server/…` say what is not offered.
pub(crate) fn routes(registry: &Arc<Registry>) -> Router {
    let inspector =
        if registry.settings().is_inspectable { inspect::routes(registry) } else { Router::new() };
    Router::new()
        .route("/client", get(handshake::connect))
        .route("/client/", get(handshake::connect))
        .route("/client/hubs", get(handshake::connect))
        .route("/client/hubs/", get(handshake::connect))
        .route("/client/hubs/{hub}", get(handshake::connect))
        .route("/client/hubs/{hub}/", get(handshake::connect))
        .route("/clients/{*path}", any(rest::not_offered::refuse))
        .route("/server/{*path}", any(rest::not_offered::refuse))
        .route("/api", any(rest::handle))
        .route("/api/", any(rest::handle))
        .route("/api/{*operation}", any(rest::handle))
        .with_state(Arc::clone(registry))
        .merge(inspector)
        .merge(history_endpoint::routes(registry))
}
