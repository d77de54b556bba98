//! Third-party application, with the npm packages of this project in its `node_modules`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

use crate::{
    command::{command, run_to_end},
    environment, with_timeout,
};

/// Manifest of an npm workspace.
const WORKSPACE: &str = r#"{ "name": "workspace", "private": true, "workspaces": ["packages/*"] }"#;

/// Application in a temporary directory. Removed when dropped.
pub struct Application {
    /// Parent of `node_modules`.
    folder: PathBuf,
    /// Directory of the sources.
    root: PathBuf,
}

impl Application {
    /// Creates the application from `tests/bundled`, for the test with this name.
    ///
    /// # Errors
    /// Fails if npm does not pack a package, or a file cannot be copied.
    pub async fn new(name: &str) -> anyhow::Result<Self> {
        Self::with_sources_in(name, "").await
    }

    /// Creates the application as a package of an npm workspace, with `node_modules` two directories above the sources.
    ///
    /// # Errors
    /// Fails as [`Self::new`].
    pub async fn in_workspace(name: &str) -> anyhow::Result<Self> {
        let application = Self::with_sources_in(name, "packages/application").await?;
        fs::write(application.folder.join("package.json"), WORKSPACE)
            .context("cannot write the workspace manifest")?;
        Ok(application)
    }

    async fn with_sources_in(name: &str, subfolder: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tailcast-{name}-{}", std::process::id()));
        let application = Self { root: folder.join(subfolder), folder };
        let modules = application.folder.join("node_modules");
        for folder in [&modules, &application.root] {
            fs::create_dir_all(folder).context("cannot create the application directory")?;
        }
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundled");
        for entry in sources.read_dir().context("no application in tests/bundled")? {
            let file = entry?.path();
            fs::copy(&file, application.root.join(file.file_name().unwrap_or_default()))?;
        }
        for entry in environment::node_modules()?.read_dir()? {
            let module = entry?.path();
            std::os::unix::fs::symlink(&module, modules.join(module.file_name().unwrap_or_default()))?;
        }
        application.install(&environment::element()?, "tailcast").await?;
        application.install(&environment::client_js()?, "webpubsub-client").await?;
        Ok(application)
    }

    async fn install(&self, package: &Path, name: &str) -> anyhow::Result<()> {
        let folder = self.folder.to_string_lossy().into_owned();
        let packed =
            self.run(Path::new("npm"), &["pack", "--silent", "--pack-destination", &folder], package).await?;
        let archive = self.folder.join(packed.trim()).to_string_lossy().into_owned();
        self.run(Path::new("tar"), &["-xzf", &archive, "-C", &folder], &self.folder).await?;
        fs::rename(self.folder.join("package"), self.package(name)).context("the archive contains no package")
    }

    /// Returns the directory of an installed package.
    #[must_use]
    pub fn package(&self, name: &str) -> PathBuf {
        self.folder.join("node_modules").join(name)
    }

    /// Runs a script of `node_modules` with Node.js. Returns its output.
    ///
    /// # Errors
    /// Fails if the script fails.
    pub async fn node(&self, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        self.script(&format!("node_modules/{script}"), arguments).await
    }

    /// Runs a script of the application with Node.js. Returns its output.
    ///
    /// # Errors
    /// Fails if the script fails.
    pub async fn script(&self, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        self.run(Path::new("node"), &[&[script], arguments].concat(), &self.folder).await
    }

    /// Runs a script of the application with a program of Node.js. Returns its output.
    ///
    /// # Errors
    /// Fails if the script fails.
    pub async fn script_with(&self, node: &Path, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        self.run(node, &[&[script], arguments].concat(), &self.folder).await
    }

    /// Writes a source of the application.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.root.join(name), text).with_context(|| format!("cannot write {name}"))
    }

    async fn run(&self, program: &Path, arguments: &[&str], folder: &Path) -> anyhow::Result<String> {
        let mut command = command(program);
        command.args(arguments).current_dir(folder);
        let ended = run_to_end(command, b"").await?;
        anyhow::ensure!(ended.code == Some(0), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        Ok(ended.stdout)
    }

    /// Serves the build output with Vite, until dropped.
    ///
    /// # Errors
    /// Fails if Vite does not start.
    pub async fn preview(&self) -> anyhow::Result<ViteServer> {
        self.serve("vite", "preview", "production").await
    }

    /// Serves the sources with the development server of the package `vite`, until dropped.
    ///
    /// # Errors
    /// Fails if Vite does not start.
    pub async fn develop(&self, vite: &str, node_env: &str) -> anyhow::Result<ViteServer> {
        self.serve(vite, "dev", node_env).await
    }

    async fn serve(&self, vite: &str, subcommand: &str, node_env: &str) -> anyhow::Result<ViteServer> {
        let mut command = command(Path::new("node"));
        command.arg(self.package(vite).join("bin/vite.js"));
        command.args([subcommand, "--host", "127.0.0.1", "--port", "0"]).current_dir(&self.root);
        command.env("NO_COLOR", "1").env("NODE_ENV", node_env);
        with_timeout("start of Vite", async {
            let mut child = command.spawn()?;
            let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
            while let Some(line) = lines.next_line().await? {
                if let Some((_, url)) = line.split_once("Local:") {
                    let origin = url.trim().trim_end_matches('/').to_owned();
                    // Drains the output, so that the pipe does not fill up.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return Ok(ViteServer { origin, _child: child });
                }
            }
            anyhow::bail!("Vite exited without printing its URL")
        })
        .await
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // A directory that cannot be removed stays among the system's temporary files.
        fs::remove_dir_all(&self.folder).unwrap_or_default();
    }
}

/// Running Vite server.
pub struct ViteServer {
    /// Origin of the server.
    pub origin: String,
    _child: Child,
}
