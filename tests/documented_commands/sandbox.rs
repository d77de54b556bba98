//! Folder in which documented commands run by a shell, with stand-ins for the programs and names of the user.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::Context;
use tailcast_tests::{
    command::{Ended, command, run_to_end},
    environment::tailcast,
    web_server::free_address,
};
use tokio::process::Command;

use crate::documents::Step;

/// Key in place of `…` and of generated keys.
pub const KEY: &str = "an-access-key-of-thirty-two-characters";

/// File to which recorders write.
const RECORD: &str = "record";

/// Temporary folder. Removed when dropped.
pub struct Sandbox {
    folder: PathBuf,
    address: String,
    variables: Vec<(&'static str, String)>,
    replacements: Vec<(&'static str, String)>,
}

impl Sandbox {
    /// Creates a folder with `tailcast`, the user's programs and files, and a free address for a server.
    ///
    /// # Errors
    /// Fails if a file cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        static SANDBOXES: AtomicU32 = AtomicU32::new(0);
        let number = SANDBOXES.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("tailcast-documented-{}-{number}", std::process::id()));
        let sandbox = Self {
            folder,
            address: free_address()?,
            variables: vec![("SECRET", KEY.to_owned())],
            replacements: Vec::new(),
        };
        fs::create_dir_all(sandbox.file("home/.cargo/bin"))?;
        sandbox.add_program("some-command", "echo a line of some-command")?;
        for program in ["make", "docker", "kubectl", "journalctl"] {
            sandbox.add_program(program, &format!("echo a line of {program} $1"))?;
        }
        // Ends, so that the commands after it end.
        sandbox.add_program("tail", r#"cat "$2""#)?;
        // Runs the command on this machine: the arguments after the host.
        sandbox.add_program("ssh", r#"while [ "$1" != web-1 ]; do shift; done; shift; exec "$@""#)?;
        sandbox.add_program("openssl", &format!("echo {KEY}"))?;
        for name in ["target/release/tailcast", "bin/tailcast"] {
            sandbox.create_parent(name)?;
            symlink(tailcast()?, sandbox.file(name))?;
        }
        for name in ["app.log", "db.log", "syslog"] {
            fs::write(sandbox.file(name), format!("a line of {name}\n"))?;
        }
        Ok(sandbox)
    }

    /// Adds an environment variable of the user.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// Replaces a placeholder of the documents.
    pub fn replace(&mut self, placeholder: &'static str, value: &str) {
        self.replacements.push((placeholder, value.to_owned()));
    }

    /// Returns the address for a server.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Adds a program to the user's `PATH`.
    pub fn add_program(&self, name: &str, script: &str) -> anyhow::Result<()> {
        self.write_program(&format!("bin/{name}"), script)
    }

    /// Writes a shell script that can be executed.
    pub fn write_program(&self, path: &str, script: &str) -> anyhow::Result<()> {
        self.create_parent(path)?;
        // Another process writes the file. A program that this process has open for writing, also in a child that another test
        // starts meanwhile, cannot be executed (ETXTBSY).
        let status = std::process::Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 755 "$2""#, "sh", script])
            .arg(self.file(path))
            .status()?;
        anyhow::ensure!(status.success(), "cannot write {path}: {status}");
        Ok(())
    }

    /// Adds a program that records its arguments, one call a line, separated by tabs.
    pub fn add_recorder(&self, path: &str) -> anyhow::Result<()> {
        let record = self.file(RECORD).display().to_string();
        self.write_program(
            path,
            &format!("{{ printf '%s' \"${{0##*/}}\"; printf '\\t%s' \"$@\"; echo; }} >> {record}"),
        )
    }

    /// Returns the calls of recorders.
    pub fn recorded(&self) -> Vec<Vec<String>> {
        let record = fs::read_to_string(self.file(RECORD)).unwrap_or_default();
        record.lines().map(|call| call.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Returns a shell that runs a documented command.
    pub fn shell(&self, step: &Step) -> anyhow::Result<Command> {
        let mut shell = command(Path::new("sh"));
        shell.arg("-c").arg(self.script(step)).current_dir(&self.folder);
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let own = ["bin", "home/.cargo/bin"].map(|folder| self.file(folder));
        shell.env("PATH", std::env::join_paths(own.into_iter().chain(std::env::split_paths(&inherited)))?);
        shell.env("HOME", self.file("home"));
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(shell)
    }

    /// Runs a documented command until it exits.
    pub async fn run(&self, step: &Step) -> anyhow::Result<Ended> {
        run_to_end(self.shell(step)?, b"").await
    }

    /// Returns the script for the shell: exports and command, with the addresses of the test.
    fn script(&self, step: &Step) -> String {
        let is_single = !step.command.contains('|')
            && ["tailcast ", "ssh "].iter().any(|name| step.command.starts_with(name));
        // The process of the shell becomes that of the program, so that it gets signals.
        let command = if is_single { format!("exec {}", step.command) } else { step.command.clone() };
        let mut script = [&step.exports[..], &[self.addressed(&command)]].concat().join("\n");
        script = script.replace("=…", &format!("={KEY}"));
        for (placeholder, value) in &self.replacements {
            script = script.replace(placeholder, value);
        }
        script
    }

    /// Replaces addresses of the documents, and adds the flags that name an address other than the default.
    fn addressed(&self, command: &str) -> String {
        let url = format!("http://{}", self.address);
        let port = self.address.split_once(':').map_or("0", |(_, port)| port);
        let mut text = command.to_owned();
        for documented in ["https://logs.example.com", "http://HOST:8080", "http://127.0.0.1:8080"] {
            text = text.replace(documented, &url);
        }
        // Once, since the port can begin with a documented one.
        if let Some(documented) =
            ["0.0.0.0:8080", "0.0.0.0:443"].iter().find(|documented| text.contains(*documented))
        {
            text = text.replace(documented, &format!("0.0.0.0:{port}"));
        }
        for name in ["serve", "hub"].into_iter().filter(|_| !command.contains("--listen")) {
            text = text
                .replace(&format!("tailcast {name}"), &format!("tailcast {name} --listen {}", self.address));
        }
        for name in ["stream", "run", "tail", "watch"].into_iter().filter(|_| !command.contains("--server")) {
            text = text.replace(&format!("tailcast {name}"), &format!("tailcast {name} --server {url}"));
        }
        if let Some((pipeline, flags)) = text.split_once("| tailcast").filter(|(_, flags)| is_flags(flags)) {
            return format!("{pipeline}| tailcast --port {port}{flags}");
        }
        text
    }

    fn create_parent(&self, name: &str) -> anyhow::Result<()> {
        let file = self.file(name);
        Ok(fs::create_dir_all(file.parent().context("no parent")?)?)
    }
}

/// Whether the words after `tailcast` are flags, and not a command.
fn is_flags(words: &str) -> bool {
    words.trim_start().is_empty() || words.starts_with(" --")
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A directory that cannot be removed stays among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}
