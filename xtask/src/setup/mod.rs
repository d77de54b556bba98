//! Set-up: installs the tools that are missing on the machine.
//!
//! Each `ensure` first checks, without the network, whether the tool is installed, and changes nothing if it is. So every
//! command may call it every time. Tools are installed into `.tools` in the checkout, or as system packages.

mod autobahn;
mod browser;
mod cargo_tools;
mod debian_rust;
mod firefox;
mod javascript;
mod linters;
mod lock_file;
mod mdbook;
mod packages;
mod peers;
mod python;
mod rustc_version;
mod static_target;
mod wasm_opt;
mod wasm_target;
mod web_servers;

use std::path::PathBuf;

use anyhow::Result;

pub use autobahn::AutobahnSuite;
pub use browser::Browser;
pub use peers::Peers;
pub use static_target::StaticTarget;
pub use wasm_target::{WASM_TARGET, WasmToolchain};

use crate::workspace::Workspace;
use packages::Packages;

/// Set-up of one checkout on this machine.
#[derive(Debug)]
pub struct Setup<'w> {
    workspace: &'w Workspace,
    packages: Packages,
}

impl<'w> Setup<'w> {
    /// Inspects the machine; changes nothing.
    pub fn new(workspace: &'w Workspace) -> Self {
        Self { workspace, packages: Packages::new(workspace) }
    }

    /// Installs the tools of all commands.
    ///
    /// # Errors
    /// The first tool that is missing and cannot be installed.
    pub fn everything(&self) -> Result<()> {
        self.page()?;
        self.static_target()?;
        self.browser()?;
        self.firefox()?;
        self.python()?;
        self.javascript()?;
        self.web_servers()?;
        self.mdbook()?;
        let toolchain = self.wasm_toolchain()?;
        self.linters(toolchain)?;
        self.cargo_deny()
    }

    /// Installs a compiler for the page.
    ///
    /// # Errors
    /// When there is none and none can be installed.
    pub fn wasm_toolchain(&self) -> Result<WasmToolchain> {
        wasm_target::ensure(self.workspace, &self.packages)
    }

    /// Finds or installs a target whose programs run on every distribution of Linux; `None` on other systems.
    ///
    /// # Errors
    /// When the compiler does not run.
    pub fn static_target(&self) -> Result<Option<StaticTarget>> {
        static_target::ensure(self.workspace, &self.packages)
    }

    /// Installs the tools that build the page, and returns its compiler.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn page(&self) -> Result<WasmToolchain> {
        let toolchain = self.wasm_toolchain()?;
        self.wasm_bindgen()?;
        wasm_opt::ensure(self.workspace, &self.packages)?;
        cargo_tools::ensure_trunk(self.workspace)?;
        Ok(toolchain)
    }

    /// Installs wasm-bindgen and its test runner.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn wasm_bindgen(&self) -> Result<()> {
        cargo_tools::ensure_wasm_bindgen(self.workspace)
    }

    /// Installs Chromium and its driver.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn browser(&self) -> Result<Browser> {
        browser::ensure(self.workspace, &self.packages)
    }

    /// Installs Firefox and its driver.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn firefox(&self) -> Result<Browser> {
        firefox::ensure(self.workspace, &self.packages)
    }

    /// Installs a Python environment with third-party libraries, and returns its interpreter.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn python(&self) -> Result<PathBuf> {
        python::ensure(self.workspace, &self.packages)
    }

    /// Installs the Autobahn test suite. Not part of [`Self::everything`]: it needs Python 2.7, which few machines have.
    ///
    /// # Errors
    /// When there is no Python 2.7, or pip fails.
    pub fn autobahn(&self) -> Result<AutobahnSuite> {
        autobahn::ensure(self.workspace)
    }

    /// Installs third-party packages from npm, and returns their `node_modules`.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn javascript(&self) -> Result<PathBuf> {
        javascript::ensure(self.workspace, &self.packages)
    }

    /// Unpacks nginx and Caddy, and returns their folder, which has Debian's layout.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn web_servers(&self) -> Result<PathBuf> {
        web_servers::ensure(self.workspace, &self.packages)
    }

    /// Installs mdBook, and returns the program.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn mdbook(&self) -> Result<PathBuf> {
        mdbook::ensure(self.workspace, &self.packages)
    }

    /// Installs the servers for comparison with the hub, as far as possible on this machine.
    pub fn peers(&self) -> Peers {
        peers::ensure(self.workspace, &self.packages)
    }

    /// Installs rustfmt and clippy, for native code and for the page.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn linters(&self, toolchain: WasmToolchain) -> Result<()> {
        linters::ensure(self.workspace)?;
        linters::ensure_wasm_clippy(self.workspace, &self.packages, toolchain)
    }

    /// Installs cargo-deny.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn cargo_deny(&self) -> Result<()> {
        cargo_tools::ensure_cargo_deny(self.workspace)
    }
}
