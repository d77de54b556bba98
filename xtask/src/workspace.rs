//! Paths: the checkout, its build output, and the installed tools.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use crate::program::Program;

/// Paths of one checkout. Other modules join no paths of their own.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout that this binary was started from.
    ///
    /// # Errors
    /// When neither the environment of cargo nor the path at compile time leads to a folder.
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

    /// Returns the folder of the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the target folder for native programs. `CARGO_TARGET_DIR` changes it.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Returns the target folder for the page. It is separate from [`Self::target`], because different compilers would evict
    /// each other's artefacts.
    pub fn page_target(&self) -> PathBuf {
        self.target.join("page")
    }

    /// Returns the folder of the built page, which the server embeds.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// Returns the folder of the documentation as a book.
    pub fn book(&self) -> PathBuf {
        self.target.join("book")
    }

    /// Returns the folder of the chapters from which the book is built.
    pub fn book_source(&self) -> PathBuf {
        self.target.join("book-source")
    }

    /// Returns the folder of releases: the page for file hosts, the program and the packages.
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Returns the release build of the `tailcast` program.
    pub fn tailcast(&self) -> PathBuf {
        self.built_program(None)
    }

    /// Returns the release build of the `tailcast` program for a target; `None` for the default one.
    pub fn built_program(&self, triple: Option<&str>) -> PathBuf {
        let folder = triple.map_or(self.target.clone(), |triple| self.target.join(triple));
        folder.join("release").join(format!("tailcast{}", env::consts::EXE_SUFFIX))
    }

    /// Returns the program in the folder of releases.
    pub fn packed_program(&self) -> PathBuf {
        self.dist().join("bin").join(format!("tailcast{}", env::consts::EXE_SUFFIX))
    }

    /// Returns the debug build of the `tailcast` program.
    pub fn debug_tailcast(&self) -> PathBuf {
        self.target.join("debug").join(format!("tailcast{}", env::consts::EXE_SUFFIX))
    }

    /// Returns the debug build of the echo server, an example of `crates/websocket`.
    pub fn echo_example(&self) -> PathBuf {
        self.target.join("debug/examples").join(format!("echo{}", env::consts::EXE_SUFFIX))
    }

    /// Returns the folder of the reports of the Autobahn test suite.
    pub fn autobahn_reports(&self) -> PathBuf {
        self.target.join("autobahn")
    }

    /// Returns the requirements of the Autobahn test suite.
    pub fn autobahn_requirements(&self) -> PathBuf {
        self.root.join("xtask/src/autobahn/requirements.txt")
    }

    /// Returns the chapter of the documentation that has the results of the Autobahn test suite.
    pub fn protocol_support(&self) -> PathBuf {
        self.root.join("docs/protocol-support.md")
    }

    /// Returns the folder of tools that are installed without a system package manager.
    pub fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// Returns the requirements of the third-party Python programs in the whole-system tests.
    pub fn python_requirements(&self) -> PathBuf {
        self.strangers().join("requirements.txt")
    }

    /// Returns the folder of the custom element as an npm package.
    pub fn element(&self) -> PathBuf {
        self.target().join("element")
    }

    /// Returns the folder of the client for JavaScript as an npm package.
    pub fn client_js(&self) -> PathBuf {
        self.target().join("client-js")
    }

    /// Returns the folder of third-party test programs and their requirements.
    pub fn strangers(&self) -> PathBuf {
        self.root.join("tests/strangers")
    }

    /// Returns the folder of peer programs for the benchmarks and their requirements.
    pub fn peers(&self) -> PathBuf {
        self.root.join("xtask/src/bench/peers")
    }

    /// Returns the folders of our own tools, which take precedence over other versions on the machine.
    pub fn tool_dirs(&self) -> Vec<PathBuf> {
        vec![self.tools().join("cargo/bin"), self.tools().join("npm/node_modules/.bin")]
    }

    /// Returns the `PATH` for child processes: our tools first.
    ///
    /// # Errors
    /// When the path of the checkout cannot be part of a `PATH`.
    pub fn path_variable(&self) -> Result<OsString> {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let dirs = self.tool_dirs().into_iter().chain(env::split_paths(&inherited));
        env::join_paths(dirs).with_context(|| {
            format!("the checkout lies at {}, which PATH cannot hold; move it", self.root.display())
        })
    }

    /// Returns the first executable of this name on [`Self::path_variable`].
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let file_name = format!("{name}{}", env::consts::EXE_SUFFIX);
        self.tool_dirs()
            .into_iter()
            .chain(env::split_paths(&inherited))
            .map(|dir| dir.join(&file_name))
            .find(|candidate| is_executable(candidate))
    }

    /// Creates a command that runs at the root, with our tools first on its `PATH` and our target folder.
    ///
    /// # Errors
    /// As [`Self::path_variable`].
    pub fn program(&self, name: &str) -> Result<Program> {
        Ok(Program::new(name)
            .current_dir(&self.root)
            .env("PATH", self.path_variable()?)
            .env("CARGO_TARGET_DIR", &self.target))
    }

    /// Creates a command for cargo, as [`Self::program`] does.
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
