//! Autobahn test suite, in an environment of Python 2.7: no release of the suite with all cases runs on Python 3.

use std::fs;
use std::path::{Path, PathBuf};
use std::{env, io};

use anyhow::{Context, Result};

use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// Variable with the path of a Python 2.7.
const PYTHON_VARIABLE: &str = "PYTHON27";
/// Copy of the installed requirements. A difference causes a new installation.
const STAMP: &str = "installed-requirements.txt";
/// Folder of the versions that pyenv has installed, in its own.
const PYENV_VERSIONS: &str = "versions";

/// The installed suite.
#[derive(Debug)]
pub struct AutobahnSuite {
    python: PathBuf,
    home: PathBuf,
}

impl AutobahnSuite {
    /// Creates a command for the suite's program, `wstest`.
    pub fn wstest(&self) -> Program {
        // Its libraries warn that they no longer support this Python.
        in_environment(&self.python, &self.home).args(["-W", "ignore"]).arg(self.home.join("bin/wstest"))
    }
}

/// Finds or installs the suite.
///
/// # Errors
/// When there is no Python 2.7, or pip fails.
pub fn ensure(workspace: &Workspace) -> Result<AutobahnSuite> {
    let python = find_python(workspace).with_context(|| {
        format!(
            "the Autobahn test suite needs Python 2.7, which is not on PATH; `pyenv install 2.7.18` installs it, or \
             {PYTHON_VARIABLE} names the program"
        )
    })?;
    let (home, requirements) = (workspace.tools().join("autobahn"), workspace.autobahn_requirements());
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    if !fs::read_to_string(home.join(STAMP)).is_ok_and(|installed| installed == wanted) {
        progress::step("installing the Autobahn test suite", "for Python 2.7; about a minute", || {
            install(&python, &home, &requirements)?;
            fs::write(home.join(STAMP), &wanted)
                .with_context(|| format!("cannot write to {}", home.display()))
        })?;
    }
    Ok(AutobahnSuite { python, home })
}

/// Returns the first Python 2.7 that runs. A program of this name on the `PATH` may be pyenv's for a version that is not active.
fn find_python(workspace: &Workspace) -> Option<PathBuf> {
    let named = env::var_os(PYTHON_VARIABLE).map(PathBuf::from);
    let on_path = workspace.find_program("python2.7");
    let candidates = named.into_iter().chain(on_path).chain(pyenv_pythons().unwrap_or_default());
    let is_2_7 = |python: &PathBuf| {
        let version = ["-c", "import sys; print(sys.version_info[:2] == (2, 7))"];
        Program::new(python).args(version).capture().is_ok_and(|answer| answer == "True")
    };
    candidates.into_iter().find(is_2_7)
}

/// Returns the programs that pyenv has installed, also if it does not activate them.
fn pyenv_pythons() -> io::Result<Vec<PathBuf>> {
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| env::home_dir().map(|home| home.join(".pyenv"))).unwrap_or_default();
    let versions = root.join(PYENV_VERSIONS).read_dir()?.filter_map(Result::ok);
    Ok(versions
        .map(|version| version.path().join("bin/python2.7"))
        .filter(|python| python.is_file())
        .collect())
}

/// Installs the suite for this user only, whose home is `home`: Python 2.7 comes without virtual environments.
fn install(python: &Path, home: &Path, requirements: &Path) -> Result<()> {
    if home.exists() {
        fs::remove_dir_all(home).with_context(|| format!("cannot remove {}", home.display()))?;
    }
    in_environment(python, home)
        .args(["-W", "ignore", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--no-warn-script-location", "--user", "--ignore-installed", "-r"])
        .arg(requirements)
        .run()
        .with_context(|| format!("pip of {} could not install the suite", python.display()))
}

/// Creates a command for Python, for which `home` is the folder of the user's packages.
fn in_environment(python: &Path, home: &Path) -> Program {
    Program::new(python).env("PYTHONUSERBASE", home).env_remove("PYTHONNOUSERSITE").env_remove("PYTHONPATH")
}
