//! Session of a publishing command: its server, the messages about it, and what follows after the last line.

use std::{
    future::Future,
    io::{self, IsTerminal},
};

use crate::{
    browser::{self, Opening},
    cli::{DEFAULT_PORT, TargetOptions},
    failure::Failure,
    local_server::{Discovery, LocalServer, Place},
    serve::NO_PAGE,
    service::Shutdown,
    target::Target,
    terminal::{counted, notice, without_controls},
    usage_error::UsageError,
};

/// Command that has a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublishCommand {
    /// Beginning of its messages, such as `tailcast stream`.
    pub(crate) program: &'static str,
    /// Whether it serves the page unless a server is named.
    pub(crate) serves_by_default: bool,
}

impl PublishCommand {
    /// Reads the configuration of the target. Called before the command listens to signals: a read can block without limit, and
    /// a signal then ends the program.
    pub(crate) fn target(self, options: &TargetOptions) -> Result<Target, UsageError> {
        let local = &options.local;
        if local.exit && !local.is_wanted() && !self.serves_by_default {
            return Err(UsageError::ExitWithoutServer);
        }
        Target::from_options(&options.server, options.local.is_wanted())
    }
}

/// Session of one run.
pub(crate) struct PublishSession {
    program: &'static str,
    target: Target,
    /// Server in this process.
    server: Option<LocalServer>,
    /// Port of another process that serves the page in place of this one.
    other_port: Option<u16>,
    /// Whether the target and the number of lines are printed.
    is_verbose: bool,
    /// Whether the server ends with the input.
    exits: bool,
    /// Browser that was opened.
    opening: Option<Opening>,
}

impl PublishSession {
    /// Selects the server, or starts it, and prints where the lines can be watched.
    pub(crate) async fn open(
        command: PublishCommand,
        options: &TargetOptions,
        target: Target,
    ) -> Result<Self, Failure> {
        let program = command.program;
        let local = &options.local;
        let serves = local.is_wanted() || (command.serves_by_default && !target.is_server_named);
        let is_verbose = serves || io::stderr().is_terminal();
        let (target, server, other_port) = if serves {
            match serve(program, target, local.port.unwrap_or(DEFAULT_PORT)).await? {
                (target, Serving::Here(server)) => (target, Some(server), None),
                (target, Serving::Elsewhere(port)) => (target, None, Some(port)),
            }
        } else {
            if is_verbose {
                print_target(program, &target);
            }
            (target, None, None)
        };
        let opening = match target.page_url() {
            Some(page) if local.open => Some(browser::open(program, &page)),
            None if local.open => {
                notice!("{program}: the page of {} is unknown, so it is not opened", target.negotiate_url());
                None
            }
            _ => None,
        };
        Ok(Self { program, target, server, other_port, is_verbose, exits: local.exit, opening })
    }

    /// Returns the target of the lines.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Prints the number of lines, and serves the page until `stop` returns, unless the user has stopped the command already.
    pub(crate) async fn finish(
        self,
        published: Result<u64, Failure>,
        was_stopped: bool,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let program = self.program;
        if let (Ok(lines), true) = (&published, self.is_verbose) {
            let lines = counted(*lines, "line");
            match self.other_port {
                Some(port) => notice!(
                    "{program}: {lines} sent to the process that serves the page on port {port}; they are shown until it ends"
                ),
                None => notice!("{program}: {lines} sent"),
            }
        }
        let Some(mut server) = self.server else { return published.map(drop) };
        // Printed at once, since serving goes on.
        let outcome = published.map(drop).map_err(|failure| failure.report(program));
        let shutdown = match (was_stopped, self.exits) {
            (true, _) => Shutdown::Now,
            (false, true) => match self.opening {
                Some(opening) => tokio::select! {
                    () = server.first_viewer() => Shutdown::AfterDelivery,
                    () = opening.failed() => Shutdown::AfterDelivery,
                    () = stop => Shutdown::Now,
                },
                None => Shutdown::AfterDelivery,
            },
            (false, false) => {
                let page = self.target.page_url().unwrap_or_default();
                notice!("{program}: serving {page} until Ctrl-C");
                tokio::select! {
                    failure = server.failure() => return Err(failure),
                    () = stop => Shutdown::Now,
                }
            }
        };
        server.end(shutdown).await?;
        outcome
    }
}

/// Process that serves the page.
enum Serving {
    Here(LocalServer),
    /// Another process, on this port.
    Elsewhere(u16),
}

/// Starts a server, or selects one that runs on this machine.
async fn serve(program: &'static str, target: Target, port: u16) -> Result<(Target, Serving), Failure> {
    let Discovery { place, occupied } = Discovery::from_port(port).await?;
    if let Some(port) = occupied.first() {
        notice!("{program}: another program uses port {port}");
    }
    match place {
        Place::Running(port) => {
            let target = target.at_port(port);
            notice!(
                "{program}: sending to the Tailcast that runs on port {port}; the page ends with that process"
            );
            print_page(program, &target);
            Ok((target, Serving::Elsewhere(port)))
        }
        Place::Free(listener) => {
            let address = listener.local_addr();
            let port =
                address.map_err(|error| Failure::runtime(format!("cannot read the port: {error}")))?.port();
            let target = target.at_port(port);
            if port != DEFAULT_PORT {
                notice!("{program}: other commands reach this server with --server http://127.0.0.1:{port}");
            }
            let server = LocalServer::start(listener, &target)?;
            if server.has_page {
                print_page(program, &target);
            } else {
                notice!("{program}: {NO_PAGE}");
            }
            Ok((target, Serving::Here(server)))
        }
    }
}

fn print_page(program: &str, target: &Target) {
    if let Some(page) = target.page_url() {
        notice!("{program}: open {page} in a browser");
    }
}

fn print_target(program: &str, target: &Target) {
    let text = format!("sending to the group `{}` at {}", target.group, target.negotiate_url());
    notice!("{program}: {}", without_controls(&text));
    print_page(program, target);
}
