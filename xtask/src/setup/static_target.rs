//! Target of programs that run on every distribution: Linux with musl, which rustup and Debian provide.
//!
//! Without it, the program is linked statically to glibc. That program loads libraries of the machine for host names that neither
//! DNS nor `/etc/hosts` knows, which can fail where they are of another version of glibc.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::packages::Packages;
use super::wasm_target;
use crate::program::{Ending, Program};
use crate::progress;
use crate::workspace::Workspace;

/// Time limit for the download of some 40 MB by rustup. A machine without access to its server should not wait for long.
const RUSTUP_LIMIT: Duration = Duration::from_secs(120);
/// C compiler for musl.
const COMPILER: &str = "musl-gcc";
/// Package of Debian with the compiler.
const COMPILER_PACKAGE: &str = "musl-tools";

/// Target, and the variables of its build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticTarget {
    /// Target triple.
    pub triple: String,
    environment: Vec<(String, String)>,
}

impl StaticTarget {
    fn musl() -> Self {
        let triple = format!("{}-unknown-linux-musl", env::consts::ARCH);
        let compiler = (format!("CC_{}", triple.replace('-', "_")), COMPILER.to_owned());
        Self { triple, environment: vec![compiler] }
    }

    fn glibc() -> Self {
        let triple = format!("{}-unknown-linux-gnu", env::consts::ARCH);
        let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", triple.replace('-', "_").to_ascii_uppercase());
        Self { triple, environment: vec![(flags, "-C target-feature=+crt-static".to_owned())] }
    }

    /// Makes `cargo` build for this target.
    #[must_use]
    pub fn applied_to(&self, cargo: Program) -> Program {
        let cargo = cargo.args(["--target", &self.triple]);
        self.environment.iter().fold(cargo, |cargo, (name, value)| cargo.env(name, value))
    }
}

/// Finds or installs the target; `None` where programs are not linked statically, as on macOS and Windows.
///
/// # Errors
/// When `rustc` does not run.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<Option<StaticTarget>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let musl = StaticTarget::musl();
    if has_std(workspace, &musl.triple)? || rustup_adds(workspace, &musl.triple)? {
        match ensure_compiler(workspace, packages) {
            Ok(()) => return Ok(Some(musl)),
            Err(error) => progress::note(&format!("there is no C compiler for musl: {error:#}")),
        }
    }
    progress::note(&format!("no {} here: the program is linked statically to glibc", musl.triple));
    Ok(Some(StaticTarget::glibc()))
}

fn has_std(workspace: &Workspace, triple: &str) -> Result<bool> {
    let sysroot = workspace.program("rustc")?.args(["--print", "sysroot"]).capture()?;
    Ok(wasm_target::has_std(Path::new(&sysroot), triple))
}

/// Adds the target by rustup. Returns whether that succeeded.
fn rustup_adds(workspace: &Workspace, triple: &str) -> Result<bool> {
    if workspace.find_program("rustup").is_none() {
        return Ok(false);
    }
    progress::announce(&format!("adding the Rust target {triple}"), "for a static program; seconds");
    let add = workspace.program("rustup")?.args(["target", "add", triple]).env("RUST_BACKTRACE", "0");
    Ok(add.run_within(RUSTUP_LIMIT)? == Ending::Succeeded && has_std(workspace, triple)?)
}

fn ensure_compiler(workspace: &Workspace, packages: &Packages) -> Result<()> {
    if workspace.find_program(COMPILER).is_some() {
        return Ok(());
    }
    packages.install(&[COMPILER_PACKAGE], "linking a static program", "any musl-gcc serves")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_name_the_target_as_cargo_and_cc_expect() {
        let names =
            |target: StaticTarget| target.environment.into_iter().map(|(name, _)| name).next().unwrap();
        let arch = env::consts::ARCH;
        assert_eq!(names(StaticTarget::musl()), format!("CC_{arch}_unknown_linux_musl"));
        let upper = arch.to_ascii_uppercase();
        assert_eq!(names(StaticTarget::glibc()), format!("CARGO_TARGET_{upper}_UNKNOWN_LINUX_GNU_RUSTFLAGS"));
    }
}
