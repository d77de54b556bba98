//! Servers under test.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use webpubsub_protocol::connection_string::AccessKey;
use webpubsub_protocol::token::{Claims, UnixTime, sign};

use super::cases::BEYOND_THE_LIMIT_OF_THE_HUB;
use crate::piped_process::{PipedProcess, READY_LIMIT};
use crate::program::Program;
use crate::workspace::Workspace;

/// Beginning of the line with a server's address.
const READY_PREFIX: &str = "listening on ";
/// Key of the hub's tokens. It is not secret: the hub runs for one test, on the loopback interface.
const ACCESS_KEY: &str = "the-key-of-a-hub-that-is-only-tested";
/// Lifetime of a client's token, in seconds: longer than a run.
const TOKEN_LIFETIME: u64 = 3600;
/// Group in which the client receives its own messages. The suite runs one case after the other.
const ECHO_GROUP: &str = "echo";

/// A server that sends all messages back. Dropping it ends the process.
#[derive(Debug)]
pub struct TestedServer {
    /// Name in reports.
    pub name: &'static str,
    /// URL for the client.
    pub url: String,
    /// Beginnings of the numbers of cases whose messages the server must reject as too large.
    pub too_large: &'static [&'static str],
    _process: PipedProcess,
}

impl TestedServer {
    /// Starts `tailcast hub`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn hub(workspace: &Workspace) -> Result<Self> {
        let hub = Program::new(workspace.debug_tailcast()).args(["hub", "--listen", "127.0.0.1:0"]);
        let hub = hub.env("TAILCAST_ACCESS_KEY", ACCESS_KEY).env_remove("TAILCAST_LOG");
        let (process, address) = start(hub)?;
        let address = address.strip_prefix("http://").context("the hub printed another URL")?;
        let endpoint = format!("{address}/client/hubs/stream");
        let token = token(&format!("http://{endpoint}"))?;
        let url =
            format!("ws://{endpoint}?access_token={token}&webpubsub_mode=sendToGroup&group={ECHO_GROUP}");
        Ok(Self { name: "hub", url, too_large: BEYOND_THE_LIMIT_OF_THE_HUB, _process: process })
    }

    /// Starts the echo server of `crates/websocket`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn framing(workspace: &Workspace) -> Result<Self> {
        let (process, url) = start(Program::new(workspace.echo_example()))?;
        Ok(Self { name: "framing", url, too_large: &[], _process: process })
    }
}

/// Starts a server on a free port, and returns its address.
fn start(program: Program) -> Result<(PipedProcess, String)> {
    let process = PipedProcess::start(program.into_command())?;
    let address = process.wait_for(READY_PREFIX, READY_LIMIT).context("the server did not start")?;
    Ok((process, address))
}

/// Returns a token for a client that joins [`ECHO_GROUP`] and publishes to it.
fn token(audience: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let mut claims = Claims::new(audience.to_owned(), UnixTime(now.as_secs()), TOKEN_LIFETIME);
    claims.groups = vec![ECHO_GROUP.to_owned()];
    claims.roles = vec![format!("webpubsub.sendToGroup.{ECHO_GROUP}")];
    Ok(sign(&claims, &AccessKey::new(ACCESS_KEY)?)?)
}
