//! `tailcast hub`: the service alone.

use axum::{Router, routing::get};

use crate::{
    cli::HubOptions,
    failure::Failure,
    service::{
        self, Listening,
        config::{ListenConfig, ServiceConfig},
    },
};

/// Serves until a signal asks it to end.
pub(crate) async fn run(options: HubOptions) -> Result<(), Failure> {
    let listen = ListenConfig::from_options(&options.service)?;
    let config = ServiceConfig::from_options(&options.service, listen.is_private)?;
    let listening = Listening::on(listen).await?;
    let service = service::embedded(&config, &listening.config, None)?;
    let app = Router::new().route("/healthz", get(|| async { "ok\n" })).merge(service.router());
    listening.announce_service(&config);
    listening.serve(app, Some(service)).await
}
