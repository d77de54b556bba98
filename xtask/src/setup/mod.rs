//! Set-up: whatever a step needs and the machine lacks.
//!
//! Each `ensure` looks first, cheaply and without network, and changes nothing when all is there. So every command may
//! call it every time. What has to be installed goes to `.tools` in the checkout, or comes as a system package.

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
mod wasm_opt;
mod wasm_target;
mod web_servers;

use std::path::PathBuf;

use anyhow::Result;

pub use browser::Browser;
pub use peers::Peers;
pub use wasm_target::{WASM_TARGET, WasmToolchain};

use crate::workspace::Workspace;
use packages::Packages;

/// Looks after one checkout on this machine.
#[derive(Debug)]
pub struct Setup<'w> {
    workspace: &'w Workspace,
    packages: Packages,
}

impl<'w> Setup<'w> {
    /// Looks at the machine; changes nothing.
    pub fn new(workspace: &'w Workspace) -> Self {
        Self { workspace, packages: Packages::new(workspace) }
    }

    /// Everything that any command needs.
    ///
    /// # Errors
    /// The first thing that is missing and cannot be brought.
    pub fn everything(&self) -> Result<()> {
        self.page()?;
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

    /// A compiler for the page.
    ///
    /// # Errors
    /// When there is none and none can be brought.
    pub fn wasm_toolchain(&self) -> Result<WasmToolchain> {
        wasm_target::ensure(self.workspace, &self.packages)
    }

    /// All that builds the page; returns its compiler.
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

    /// wasm-bindgen and its test runner.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn wasm_bindgen(&self) -> Result<()> {
        cargo_tools::ensure_wasm_bindgen(self.workspace)
    }

    /// Chromium and its driver.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn browser(&self) -> Result<Browser> {
        browser::ensure(self.workspace, &self.packages)
    }

    /// Firefox and its driver.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn firefox(&self) -> Result<Browser> {
        firefox::ensure(self.workspace, &self.packages)
    }

    /// A Python with the strangers' libraries; returns its interpreter.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn python(&self) -> Result<PathBuf> {
        python::ensure(self.workspace, &self.packages)
    }

    /// The strangers from npm; returns their `node_modules`.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn javascript(&self) -> Result<PathBuf> {
        javascript::ensure(self.workspace, &self.packages)
    }

    /// nginx and Caddy; returns the folder in which they lie as Debian has them.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn web_servers(&self) -> Result<PathBuf> {
        web_servers::ensure(self.workspace, &self.packages)
    }

    /// mdBook; returns the program.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn mdbook(&self) -> Result<PathBuf> {
        mdbook::ensure(self.workspace, &self.packages)
    }

    /// The servers beside which the hub is measured, as many as this machine can have.
    pub fn peers(&self) -> Peers {
        peers::ensure(self.workspace, &self.packages)
    }

    /// rustfmt and clippy, for native code and for the page.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn linters(&self, toolchain: WasmToolchain) -> Result<()> {
        linters::ensure(self.workspace)?;
        linters::ensure_wasm_clippy(self.workspace, &self.packages, toolchain)
    }

    /// cargo-deny.
    ///
    /// # Errors
    /// As [`Self::everything`].
    pub fn cargo_deny(&self) -> Result<()> {
        cargo_tools::ensure_cargo_deny(self.workspace)
    }
}
