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

/// See the [module](self). Its folder goes when dropped.
pub struct Application {
    folder: PathBuf,
}

impl Application {
    /// The application in `tests/bundled`, for the test of this name.
    ///
    /// # Errors
    /// When npm does not pack, or a file cannot be copied.
    pub async fn new(name: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tailcast-{name}-{}", std::process::id()));
        let application = Self { folder };
        let modules = application.folder.join("node_modules");
        fs::create_dir_all(&modules).context("no folder for the application")?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundled");
        for entry in sources.read_dir().context("no application in tests/bundled")? {
            let file = entry?.path();
            fs::copy(&file, application.folder.join(file.file_name().unwrap_or_default()))?;
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
    pub async fn preview(&self) -> anyhow::Result<Preview> {
        let mut command = command(Path::new("node"));
        let arguments = ["node_modules/vite/bin/vite.js", "preview", "--host", "127.0.0.1", "--port", "0"];
        command.args(arguments).current_dir(&self.folder).env("NO_COLOR", "1");
        in_time("start of Vite", async {
            let mut child = command.spawn()?;
            let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
            while let Some(line) = lines.next_line().await? {
                if let Some((_, url)) = line.split_once("Local:") {
                    let origin = url.trim().trim_end_matches('/').to_owned();
                    // It goes on talking; what it says is of no interest, but the pipe must not fill up.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return Ok(Preview { origin, _child: child });
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

/// Vite's server of a built application.
pub struct Preview {
    /// Where it is.
    pub origin: String,
    _child: Child,
}
