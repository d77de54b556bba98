//! Where things lie: the checkout, its build output, and the tools that set-up brought.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use crate::program::Program;

/// The paths of one checkout. Every other module asks here instead of joining paths of its own.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout that this binary was started from.
    ///
    /// # Errors
    /// When neither cargo's environment nor the place of compilation leads to a folder.
    pub fn locate() -> Result<Self> {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir.parent().context("the xtask crate has no parent folder")?;
        let root = root.canonicalize().with_context(|| format!("no checkout at {}", root.display()))?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => env::current_dir().context("no current folder")?.join(dir),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's output for native programs. `CARGO_TARGET_DIR` moves it.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Cargo's output for the page. Apart from [`Self::target`], because both would otherwise evict each other's
    /// artefacts whenever their compilers differ.
    pub fn page_target(&self) -> PathBuf {
        self.target.join("page")
    }

    /// The built page, as the server carries it.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The documentation, as a book.
    pub fn book(&self) -> PathBuf {
        self.target.join("book")
    }

    /// What others get: the page for file hosts, the program, packed.
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The release build of the server and streamer.
    pub fn tailcast(&self) -> PathBuf {
        self.target.join("release").join(format!("tailcast{}", env::consts::EXE_SUFFIX))
    }

    /// Everything that set-up installs without a system package manager.
    pub fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// What the Python strangers of the whole-system tests need.
    pub fn python_requirements(&self) -> PathBuf {
        self.strangers().join("requirements.txt")
    }

    /// The custom element, as a package of npm.
    pub fn element(&self) -> PathBuf {
        self.target().join("element")
    }

    /// The client for JavaScript, as a package of npm.
    pub fn client_js(&self) -> PathBuf {
        self.target().join("client-js")
    }

    /// The programs of strangers, and what they need.
    pub fn strangers(&self) -> PathBuf {
        self.root.join("tests/strangers")
    }

    /// What the benchmarks measure beside, and what that needs.
    pub fn peers(&self) -> PathBuf {
        self.root.join("xtask/src/bench/peers")
    }

    /// The folders of our own tools: they win over whatever version the machine has.
    pub fn tool_dirs(&self) -> Vec<PathBuf> {
        vec![self.tools().join("cargo/bin"), self.tools().join("npm/node_modules/.bin")]
    }

    /// `PATH` as child processes see it: our tools first.
    ///
    /// # Errors
    /// When the checkout's path cannot be part of a `PATH`.
    pub fn path_variable(&self) -> Result<OsString> {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let dirs = self.tool_dirs().into_iter().chain(env::split_paths(&inherited));
        env::join_paths(dirs).with_context(|| {
            format!("the checkout lies at {}, which PATH cannot hold; move it", self.root.display())
        })
    }

    /// The first executable of this name on [`Self::path_variable`].
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let file_name = format!("{name}{}", env::consts::EXE_SUFFIX);
        self.tool_dirs()
            .into_iter()
            .chain(env::split_paths(&inherited))
            .map(|dir| dir.join(&file_name))
            .find(|candidate| is_executable(candidate))
    }

    /// A program that runs at the root, sees our tools first, and builds into our target folder.
    ///
    /// # Errors
    /// As [`Self::path_variable`].
    pub fn program(&self, name: &str) -> Result<Program> {
        Ok(Program::new(name)
            .current_dir(&self.root)
            .env("PATH", self.path_variable()?)
            .env("CARGO_TARGET_DIR", &self.target))
    }

    /// [`Self::program`] for cargo.
    ///
    /// # Errors
    /// As [`Self::path_variable`].
    pub fn cargo(&self) -> Result<Program> {
        self.program("cargo")
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file())
}
