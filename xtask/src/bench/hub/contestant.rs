//! Servers under measurement, and their command lines.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};

use crate::program::Program;
use crate::setup::Peers;
use crate::workspace::Workspace;

/// Key of our own server's tokens. It is not secret, because the server runs for one measurement on the loopback interface.
pub const ACCESS_KEY: &str = "the-key-of-a-server-that-is-only-measured";

/// A server under measurement, and a protocol.
#[derive(Debug, Clone, Copy)]
pub struct Contestant {
    /// Name in reports.
    pub name: &'static str,
    /// Name of the protocol for the load generator.
    pub protocol: &'static str,
    /// Server.
    pub server: Server,
}

/// Programs under measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Ours.
    Tailcast,
    /// NATS.
    Nats,
    /// MQTT.
    Mosquitto,
    /// A script of a few lines, for Node.js.
    Script(&'static str),
}

/// All contestants. The first is ours, whose figures set the load for the others.
pub const CONTESTANTS: [Contestant; 7] = [
    Contestant { name: "Tailcast, JSON", protocol: "json", server: Server::Tailcast },
    Contestant { name: "Tailcast, simple WebSocket", protocol: "simple", server: Server::Tailcast },
    Contestant { name: "Tailcast, protobuf", protocol: "protobuf", server: Server::Tailcast },
    Contestant { name: "nats-server", protocol: "nats", server: Server::Nats },
    Contestant { name: "mosquitto", protocol: "mqtt", server: Server::Mosquitto },
    Contestant { name: "Node.js `ws`", protocol: "ws", server: Server::Script("ws_broadcast.cjs") },
    Contestant {
        name: "socket.io",
        protocol: "socket.io",
        server: Server::Script("socket_io_broadcast.cjs"),
    },
];

/// Returns one contestant for each program, for figures that do not depend on the protocol.
pub fn programs() -> impl Iterator<Item = Contestant> {
    let is_second = |contestant: &Contestant| matches!(contestant.protocol, "simple" | "protobuf");
    CONTESTANTS.into_iter().filter(move |contestant| !is_second(contestant))
}

/// Command lines of servers, and their configuration files.
#[derive(Debug)]
pub struct Recipes<'a> {
    /// The checkout.
    pub workspace: &'a Workspace,
    /// Paths of the peers.
    pub peers: &'a Peers,
    /// Folder for configuration files and logs.
    pub folder: PathBuf,
}

impl Recipes<'_> {
    /// Returns program and arguments of a server that listens for WebSockets on `port` of the loopback interface. Some servers need
    /// the second port for another listener.
    ///
    /// # Errors
    /// When this machine lacks the server.
    pub fn command_line(&self, server: Server, port: u16, second_port: u16) -> Result<Vec<PathBuf>> {
        let listen = format!("127.0.0.1:{port}");
        Ok(match server {
            Server::Tailcast => {
                vec![self.workspace.tailcast(), "serve".into(), "--listen".into(), listen.into()]
            }
            Server::Nats => {
                let text = format!(
                    "host: \"127.0.0.1\"\nport: {second_port}\nwebsocket {{ listen: \"{listen}\", no_tls: true }}\n"
                );
                vec![brought(&self.peers.nats_server)?, "-c".into(), self.file("nats.conf", &text)?]
            }
            Server::Mosquitto => {
                // Some versions do not start with only a WebSocket listener. The queues have no limit, because every
                // message must arrive.
                let text = format!(
                    "allow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\nlog_type error\n\
                     listener {port} 127.0.0.1\nprotocol websockets\nlistener {second_port} 127.0.0.1\n"
                );
                vec![brought(&self.peers.mosquitto)?, "-c".into(), self.file("mosquitto.conf", &text)?]
            }
            Server::Script(name) => {
                let node = ["node", "nodejs"].iter().find_map(|name| self.workspace.find_program(name));
                let node = node.context("Node.js is not on PATH")?;
                vec![node, self.workspace.peers().join(name), port.to_string().into()]
            }
        })
    }

    /// Returns `program` with the environment of `server`.
    ///
    /// # Errors
    /// As [`Self::command_line`].
    pub fn with_environment(&self, server: Server, program: Program) -> Result<Program> {
        Ok(match server {
            Server::Tailcast => program
                .env("TAILCAST_ACCESS_KEY", ACCESS_KEY)
                .env_remove("TAILCAST_PUBLISH_KEY")
                .env_remove("TAILCAST_LOG")
                .env_remove("WEBPUBSUB_CONNECTION_STRING"),
            Server::Script(_) => program.env("NODE_PATH", brought(&self.peers.node_modules)?),
            Server::Nats | Server::Mosquitto => program,
        })
    }

    fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// Returns a path from set-up, or a copy of its error for each measurement.
fn brought(path: &Result<PathBuf>) -> Result<PathBuf> {
    path.as_ref().cloned().map_err(|error| anyhow!("{error:#}"))
}
