//! Event handlers that are reloaded with the configuration file, on SIGHUP.

use webpubsub_hub::Service;

use super::config::EventHandlerSource;
use crate::failure::Failure;
#[cfg(unix)]
use crate::terminal::notice;

/// Reloads the event handlers of `service` whenever the process receives SIGHUP, if they come from a file. If the file is invalid,
/// the error is printed and the previous handlers stay in use.
#[cfg(unix)]
pub(super) fn on_hang_up(service: &Service, source: &EventHandlerSource) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    if source.file.is_none() {
        return Ok(());
    }
    let mut hang_up = signal(SignalKind::hangup())
        .map_err(|error| Failure::runtime(format!("cannot install a handler for SIGHUP: {error}")))?;
    let (service, source) = (service.clone(), source.clone());
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            match source.read() {
                Ok(handlers) => {
                    service.replace_http_event_handlers(handlers.rules, handlers.timeout);
                    notice!("Reloaded the event handlers.");
                }
                Err(error) => {
                    notice!("Cannot reload the event handlers, so the previous ones stay in use: {error}")
                }
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn on_hang_up(_: &Service, _: &EventHandlerSource) -> Result<(), Failure> {
    Ok(())
}
