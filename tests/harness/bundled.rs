//! An application of somebody else, with the packages in its `node_modules` as npm packs and unpacks them.

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
    environment, in_time,
};

/// A workspace in the root folder, as npm declares it.
const WORKSPACE: &str = r#"{ "name": "workspace", "private": true, "workspaces": ["packages/*"] }"#;

/// See the [module](self). Its folder goes when dropped.
pub struct Application {
    /// Holds `node_modules`.
    folder: PathBuf,
    /// Holds the sources.
    root: PathBuf,
}

impl Application {
    /// The application in `tests/bundled`, for the test of this name.
    ///
    /// # Errors
    /// When npm does not pack, or a file cannot be copied.
    pub async fn new(name: &str) -> anyhow::Result<Self> {
        Self::with_sources_in(name, "").await
    }

    /// The same as a package of a workspace, whose `node_modules` lies two folders above the sources.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn in_workspace(name: &str) -> anyhow::Result<Self> {
        let application = Self::with_sources_in(name, "packages/application").await?;
        fs::write(application.folder.join("package.json"), WORKSPACE).context("no workspace")?;
        Ok(application)
    }

    async fn with_sources_in(name: &str, subfolder: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tailcast-{name}-{}", std::process::id()));
        let application = Self { root: folder.join(subfolder), folder };
        let modules = application.folder.join("node_modules");
        for folder in [&modules, &application.root] {
            fs::create_dir_all(folder).context("no folder for the application")?;
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
        fs::rename(self.folder.join("package"), self.package(name)).context("the archive holds no package")
    }

    /// Where the package of this name lies, unpacked.
    #[must_use]
    pub fn package(&self, name: &str) -> PathBuf {
        self.folder.join("node_modules").join(name)
    }

    /// Runs one of the programs in `node_modules`, by its script; gives what it says.
    ///
    /// # Errors
    /// When it fails.
    pub async fn node(&self, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        self.script(&format!("node_modules/{script}"), arguments).await
    }

    /// Runs a script of the application with Node.js; gives what it says.
    ///
    /// # Errors
    /// When it fails.
    pub async fn script(&self, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        self.run(Path::new("node"), &[&[script], arguments].concat(), &self.folder).await
    }

    async fn run(&self, program: &Path, arguments: &[&str], folder: &Path) -> anyhow::Result<String> {
        let mut command = command(program);
        command.args(arguments).current_dir(folder);
        let ended = run_to_end(command, b"").await?;
        anyhow::ensure!(ended.code == Some(0), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        Ok(ended.stdout)
    }

    /// Serves what Vite has built, until dropped.
    ///
    /// # Errors
    /// When Vite does not start.
    pub async fn preview(&self) -> anyhow::Result<ViteServer> {
        self.serve("vite", "preview", "production").await
    }

    /// Serves the sources with the development server of the Vite in the package `vite`, until dropped.
    ///
    /// # Errors
    /// When Vite does not start.
    pub async fn develop(&self, vite: &str, node_env: &str) -> anyhow::Result<ViteServer> {
        self.serve(vite, "dev", node_env).await
    }

    async fn serve(&self, vite: &str, subcommand: &str, node_env: &str) -> anyhow::Result<ViteServer> {
        let mut command = command(Path::new("node"));
        command.arg(self.package(vite).join("bin/vite.js"));
        command.args([subcommand, "--host", "127.0.0.1", "--port", "0"]).current_dir(&self.root);
        command.env("NO_COLOR", "1").env("NODE_ENV", node_env);
        in_time("start of Vite", async {
            let mut child = command.spawn()?;
            let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
            while let Some(line) = lines.next_line().await? {
                if let Some((_, url)) = line.split_once("Local:") {
                    let origin = url.trim().trim_end_matches('/').to_owned();
                    // It goes on talking; what it says is of no interest, but the pipe must not fill up.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return Ok(ViteServer { origin, _child: child });
                }
            }
            anyhow::bail!("Vite ended without saying where it listens")
        })
        .await
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // What is left of it is the system's to clean up.
        fs::remove_dir_all(&self.folder).unwrap_or_default();
    }
}

/// A server of Vite.
pub struct ViteServer {
    /// Where it is.
    pub origin: String,
    _child: Child,
}
