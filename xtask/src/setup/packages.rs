//! System packages: installed by `apt-get`, or named in an error where there is none.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// Privilege of this user on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Privilege {
    Root,
    /// `sudo` without a password. A prompt would make a step wait for a person.
    Sudo,
    None,
}

/// Installer of Debian packages, and runner of other commands that need root.
#[derive(Debug)]
pub struct Packages {
    has_apt: bool,
    privilege: Cell<Option<Privilege>>,
    lists_are_fresh: Cell<bool>,
}

impl Packages {
    /// Inspects the machine; changes nothing.
    pub fn new(workspace: &Workspace) -> Self {
        Self {
            has_apt: workspace.find_program("apt-get").is_some(),
            privilege: Cell::new(None),
            lists_are_fresh: Cell::new(false),
        }
    }

    /// Installs `packages`. `purpose` is the reason.
    ///
    /// # Errors
    /// When they cannot be installed here, with their names and `otherwise`, the way by hand.
    pub fn install(&self, packages: &[&str], purpose: &str, otherwise: &str) -> Result<()> {
        let names = packages.join(" ");
        let by_hand = format!("{purpose} needs the Debian packages `{names}`; {otherwise}");
        if !self.has_apt {
            bail!("there is no apt-get here to install it with: {by_hand}");
        }
        if self.privilege() == Privilege::None {
            bail!(
                "installing packages needs root, and sudo is missing or asks for a password: {by_hand}. \
                 On Debian: `sudo apt-get install {names}`, then run this again"
            );
        }
        progress::step(&format!("installing {names}"), &format!("{purpose}; about a minute"), || {
            self.refresh_lists()?;
            let install = ["install", "-y", "-qq", "--no-install-recommends"];
            self.apt_get(&[&install, packages].concat())
        })
        .with_context(|| by_hand)
    }

    /// Unpacks `packages` into `folder`, without installing them or their dependencies. Root is needed only if the package lists
    /// are missing.
    ///
    /// # Errors
    /// When there is no apt-get, or a download fails.
    pub fn unpack(&self, packages: &[&str], folder: &Path) -> Result<()> {
        if !self.has_apt {
            bail!("there is no apt-get here to download the Debian packages `{}`", packages.join(" "));
        }
        let archives = folder.join("packages");
        fs::create_dir_all(&archives).with_context(|| format!("cannot make {}", archives.display()))?;
        let download = || {
            // As root, apt-get would warn that its sandbox user cannot write to the folder.
            let apt_get =
                Program::new("apt-get").current_dir(&archives).args(["-qq", "-o", "APT::Sandbox::User=root"]);
            apt_get.arg("download").args(packages).run()
        };
        if download().is_err() {
            self.refresh_lists()?;
            download()?;
        }
        let entries = archives.read_dir().with_context(|| format!("cannot read {}", archives.display()))?;
        for entry in entries {
            let archive = entry.with_context(|| format!("cannot read {}", archives.display()))?.path();
            Program::new("dpkg-deb").arg("--extract").arg(archive).arg(folder).run()?;
        }
        fs::remove_dir_all(&archives).with_context(|| format!("cannot remove {}", archives.display()))
    }

    /// Creates a command that runs as root.
    ///
    /// # Errors
    /// When this user is not root, and `sudo` is missing or needs a password.
    pub fn as_root(&self, name: &str) -> Result<Program> {
        match self.privilege() {
            Privilege::Root => Ok(Program::new(name)),
            Privilege::Sudo => Ok(Program::new("sudo").args(["-n", "DEBIAN_FRONTEND=noninteractive", name])),
            Privilege::None => {
                bail!("`{name}` must run as root here: run this again as root, or with sudo set up")
            }
        }
    }

    /// Updates the package lists, once.
    fn refresh_lists(&self) -> Result<()> {
        if !self.lists_are_fresh.get() {
            self.apt_get(&["update", "-qq"])?;
            self.lists_are_fresh.set(true);
        }
        Ok(())
    }

    fn apt_get(&self, args: &[&str]) -> Result<()> {
        self.as_root("apt-get")?.env("DEBIAN_FRONTEND", "noninteractive").args(args).run()
    }

    fn privilege(&self) -> Privilege {
        let privilege = self.privilege.get().unwrap_or_else(find_privilege);
        self.privilege.set(Some(privilege));
        privilege
    }
}

fn find_privilege() -> Privilege {
    let answers = |name: &str, args: &[&str]| Program::new(name).args(args).capture();
    if answers("id", &["-u"]).is_ok_and(|id| id == "0") {
        Privilege::Root
    } else if Path::new("/usr/bin/sudo").exists() && answers("sudo", &["-n", "true"]).is_ok() {
        Privilege::Sudo
    } else {
        Privilege::None
    }
}
