//! Server in the process of a publishing command: `some-command | tailcast`, and `--serve`.
//!
//! ```text
//! port ─┬─ free ───────────────────► server in this process
//!       ├─ a Tailcast answers ─────► that server
//!       └─ another program answers ► next port
//! ```
//!
//! The server is that of `tailcast serve` with its defaults, on the loopback interface, with the embedded service. It gets the
//! lines through a socket, like those of any other publisher.

mod discovery;

use std::{net::SocketAddr, time::Duration};

use clap::{Args, Command, FromArgMatches};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use webpubsub_hub::Service;

use crate::{
    cli::{DEFAULT_HUB, ServeOptions},
    failure::Failure,
    serve::{PageServer, config::ServeConfig},
    service::{BoundServer, Shutdown, access_key::random_key},
    target::Target,
};
pub(crate) use discovery::{Discovery, Place};

/// Maximum time until a browser that was opened shows the page.
const VIEWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Time between two looks for a viewer.
const VIEWER_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Time from joining a group to the request of its history.
const HISTORY_REQUEST_TIME: Duration = Duration::from_secs(1);

/// Running server.
pub(crate) struct LocalServer {
    stop: oneshot::Sender<Shutdown>,
    task: JoinHandle<Result<(), Failure>>,
    service: Option<Service>,
    /// Whether the binary contains a page, or found one.
    pub(crate) has_page: bool,
}

impl LocalServer {
    /// Starts the server on a bound port, with the publish key and the viewer password of the command, if there are any.
    pub(crate) fn start(listener: TcpListener, target: &Target) -> Result<Self, Failure> {
        let address = listener
            .local_addr()
            .map_err(|error| Failure::runtime(format!("cannot read the port of the server: {error}")))?;
        let config = ServeConfig::from_options(options(address, target)?)?;
        let server = PageServer::on(BoundServer::on(listener, config.listen.clone())?, config)?;
        let (has_page, service) = (server.config().has_page(), server.service().cloned());
        let (stop, stopping) = oneshot::channel();
        // A dropped sender means that the command has ended by an error.
        let stopping = async { stopping.await.unwrap_or(Shutdown::Now) };
        Ok(Self { stop, task: tokio::spawn(server.serve(stopping)), service, has_page })
    }

    /// Waits until the server fails. It does not end otherwise before [`Self::end`].
    pub(crate) async fn failure(&mut self) -> Failure {
        match (&mut self.task).await {
            Ok(Err(failure)) => failure,
            _ => Failure::runtime("the server has ended"),
        }
    }

    /// Waits until a viewer has joined a group and requested its history, for at most [`VIEWER_TIMEOUT`].
    pub(crate) async fn first_viewer(&self) {
        let Some(service) = &self.service else { return };
        // The service has no event for it.
        let mut polls = tokio::time::interval(VIEWER_POLL_INTERVAL);
        let joined = async {
            let has_viewer =
                || service.live_groups(DEFAULT_HUB, |_| true).iter().any(|group| group.members > 0);
            while !has_viewer() {
                polls.tick().await;
            }
            tokio::time::sleep(HISTORY_REQUEST_TIME).await;
        };
        // A browser that did not start must not keep the command.
        drop(tokio::time::timeout(VIEWER_TIMEOUT, joined).await);
    }

    /// Ends the server.
    pub(crate) async fn end(self, shutdown: Shutdown) -> Result<(), Failure> {
        // A server that has ended already returns its error below.
        let _has_ended = self.stop.send(shutdown);
        self.task.await.unwrap_or_else(|_| Err(Failure::runtime("the server has ended")))
    }
}

/// Returns the options of `tailcast serve`: its defaults, and the keys of the environment. The service of a connection string in
/// the environment is not used, since the lines are to stay on this machine.
fn options(address: SocketAddr, target: &Target) -> Result<ServeOptions, Failure> {
    let parsed = ServeOptions::augment_args(Command::new("serve")).try_get_matches_from(["serve"]);
    let parsed = parsed.and_then(|matches| ServeOptions::from_arg_matches(&matches));
    let mut options =
        parsed.map_err(|error| Failure::runtime(format!("cannot start the server: {error}")))?;
    options.connection_string = None;
    options.service.listen = address;
    options.publish_key = target.publish_key.clone();
    options.viewer_password = target.viewer_password().map(str::to_owned);
    if options.viewer_password.is_some() && options.service.access_key.is_none() {
        // The development key would make the password useless.
        options.service.access_key = Some(random_key());
    }
    // As with the development key, also with one of the environment.
    options.allow_group = vec!["**".to_owned()];
    Ok(options)
}
