//! The page for file hosts, as `cargo xtask dist` makes it, in a copy that a test may change.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::Context;

use crate::environment;

/// A copy of `dist/site`. Removed when dropped.
pub struct HostedPage {
    folder: PathBuf,
}

impl HostedPage {
    /// Copies it.
    ///
    /// # Errors
    /// When it is not there, or cannot be copied.
    pub fn copy() -> anyhow::Result<Self> {
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tailcast-hosted-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let site = environment::dist()?.join("site");
        for entry in site.read_dir().with_context(|| site.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().context("a file has a name")?;
            fs::copy(&path, folder.join(name)).with_context(|| path.display().to_string())?;
        }
        Ok(Self { folder })
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file, in place of the one of this name and of its packed copies.
    ///
    /// # Errors
    /// When that is not allowed.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.remove(name)?;
        Ok(fs::write(self.folder.join(name), text)?)
    }

    /// Changes a file.
    ///
    /// # Errors
    /// When it does not hold `from`, or cannot be changed.
    pub fn replace(&self, name: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.folder.join(name)).with_context(|| name.to_owned())?;
        anyhow::ensure!(text.contains(from), "{name} holds no {from}");
        self.write(name, &text.replace(from, to))
    }

    /// Takes a file away, and its packed copies.
    ///
    /// # Errors
    /// When that is not allowed.
    pub fn remove(&self, name: &str) -> anyhow::Result<()> {
        for ending in ["", ".br", ".gz"] {
            let file = self.folder.join(format!("{name}{ending}"));
            if file.exists() {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    /// The name of the one file that ends so.
    ///
    /// # Errors
    /// When there is none.
    pub fn name(&self, ending: &str) -> anyhow::Result<String> {
        let names = self.folder.read_dir()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.into_iter().find(|name| name.ends_with(ending)).with_context(|| format!("no {ending}"))
    }
}

impl Drop for HostedPage {
    fn drop(&mut self) {
        // What is left lies among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}
