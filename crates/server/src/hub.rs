//! `tailcast hub`: the Web PubSub compatible service without the page.

use axum::{Router, routing::get};

use crate::{
    cli::HubOptions,
    failure::Failure,
    service::{
        self, BoundServer, HEALTH_PATH,
        config::{ListenConfig, ServiceConfig},
    },
    signals::Signals,
};

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn run(options: HubOptions) -> Result<(), Failure> {
    let listen = ListenConfig::from_options(&options.service)?;
    let config = ServiceConfig::from_options(&options.service, listen.is_private)?;
    // Only now: a file of the configuration can be a FIFO, which blocks until a signal ends the program.
    let mut signals = Signals::listen()?;
    let server = BoundServer::bind(listen).await?;
    let service = service::embedded(&config, &server.config, None)?;
    let app = Router::new().route(HEALTH_PATH, get(|| async { "ok\n" })).merge(service.router());
    let app = app.fallback(service::unknown_path);
    server.print_service_info(&config);
    server.announce();
    server.serve(app, Some(service), signals.shutdown()).await
}
