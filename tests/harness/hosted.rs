//! Modifiable copy of the static page of `cargo xtask dist`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::Context;

use crate::environment;

/// Copy of `dist/site`. Removed when dropped.
pub struct HostedPage {
    folder: PathBuf,
}

impl HostedPage {
    /// Copies the page.
    ///
    /// # Errors
    /// Fails if the page does not exist or cannot be copied.
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

    /// Returns the directory of the copy.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Replaces a file. Removes its compressed versions.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.remove(name)?;
        Ok(fs::write(self.folder.join(name), text)?)
    }

    /// Replaces a text in a file.
    ///
    /// # Errors
    /// Fails if the file does not contain `from`, or cannot be written.
    pub fn replace(&self, name: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.folder.join(name)).with_context(|| name.to_owned())?;
        anyhow::ensure!(text.contains(from), "{name} does not contain {from}");
        self.write(name, &text.replace(from, to))
    }

    /// Removes a file and its compressed versions.
    ///
    /// # Errors
    /// Fails if a file cannot be removed.
    pub fn remove(&self, name: &str) -> anyhow::Result<()> {
        for ending in ["", ".br", ".gz"] {
            let file = self.folder.join(format!("{name}{ending}"));
            if file.exists() {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    /// Returns the name of the file with this ending.
    ///
    /// # Errors
    /// Fails if there is no such file.
    pub fn name(&self, ending: &str) -> anyhow::Result<String> {
        let names = self.folder.read_dir()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.into_iter().find(|name| name.ends_with(ending)).with_context(|| format!("no {ending}"))
    }
}

impl Drop for HostedPage {
    fn drop(&mut self) {
        // A directory that cannot be removed stays among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}
