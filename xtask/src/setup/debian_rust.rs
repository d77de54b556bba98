//! Debian's packaged Rust, for machines on which rustup cannot download the page's target.
//!
//! Debian has no standard library for `wasm32-unknown-unknown`, but has its source. It is built here once and copied to the
//! sysroot of the compiler. A stamp beside it has the compiler's `rustc -vV`: after an upgrade of the compiler the stamp no
//! longer matches, and the library is built again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::packages::Packages;
use super::rustc_version::RustcVersion;
use super::wasm_target::{self, WASM_TARGET};
use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// Name of Debian's Rust as a toolchain of rustup.
pub const TOOLCHAIN: &str = "debian";

/// Debian's newest Rust: the plain `rustc` package is as old as the release, `rustc-web` follows upstream.
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Debian's clippy of the same version.
pub const CLIPPY_PACKAGE: &str = "rust-web-clippy";

const SYSROOT: &str = "/usr";
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const STAMP: &str = "tailcast-built-by.txt";
/// Name of an empty crate that depends on the standard library.
const PROBE: &str = "wasm-std-probe";

/// Returns whether an earlier run prepared the present compiler. Does not use the network.
pub fn is_ready(workspace: &Workspace) -> bool {
    compiler().is_ok_and(|rustc| {
        wasm_target::has_std(Path::new(SYSROOT), WASM_TARGET)
            && fs::read_to_string(library_dir().join(STAMP)).is_ok_and(|stamp| stamp == rustc.text)
            && linker(&rustc).exists()
            && (workspace.find_program("rustup").is_none()
                || linked_compiler(workspace).is_ok_and(|it| it == rustc))
    })
}

/// Prepares Debian's Rust.
///
/// # Errors
/// When a package, the build or a copy to `/usr` fails.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<()> {
    let rustc = ensure_compiler(packages)?;
    ensure_linker(packages, &rustc)?;
    if !fs::read_to_string(library_dir().join(STAMP)).is_ok_and(|stamp| stamp == rustc.text) {
        let what = format!("building Rust's standard library for {WASM_TARGET}");
        progress::step(&what, "Debian ships only its source; about 2 minutes", || {
            install_std(workspace, packages, &rustc)
        })?;
    }
    ensure_linked(workspace, &rustc)
}

fn compiler() -> Result<RustcVersion> {
    RustcVersion::parse(&Program::new(RUSTC).arg("-vV").capture()?)
}

fn linked_compiler(workspace: &Workspace) -> Result<RustcVersion> {
    let rustc = workspace.program("rustc")?.arg("-vV").env("RUSTUP_TOOLCHAIN", TOOLCHAIN);
    RustcVersion::parse(&rustc.capture()?)
}

fn library_dir() -> PathBuf {
    Path::new(SYSROOT).join("lib/rustlib").join(WASM_TARGET).join("lib")
}

fn linker(rustc: &RustcVersion) -> PathBuf {
    Path::new(SYSROOT).join("lib/rustlib").join(&rustc.host).join("bin/rust-lld")
}

fn ensure_compiler(packages: &Packages) -> Result<RustcVersion> {
    let source = Path::new("/usr/lib/rustlib/src/rust/library/Cargo.toml");
    if !(Path::new(RUSTC).exists() && Path::new(CARGO).exists() && source.exists()) {
        packages.install(&PACKAGES, "building the page", &format!("or `rustup target add {WASM_TARGET}`"))?;
    }
    compiler()
}

/// Links the linker, which Debian installs under another name than `rustc` expects.
fn ensure_linker(packages: &Packages, rustc: &RustcVersion) -> Result<()> {
    let linker = linker(rustc);
    if linker.exists() {
        return Ok(());
    }
    let major = rustc.llvm_major;
    let debians = format!("/usr/bin/wasm-ld-{major}");
    if !Path::new(&debians).exists() {
        let package = format!("lld-{major}");
        packages.install(&[&package], "linking the page", "it must match the compiler's LLVM")?;
    }
    let dir = linker.parent().context("the linker lies in a folder")?;
    packages.as_root("mkdir")?.arg("-p").arg(dir).run()?;
    packages.as_root("ln")?.args(["-s", "-f", &debians]).arg(&linker).run()
}

fn install_std(workspace: &Workspace, packages: &Packages, rustc: &RustcVersion) -> Result<()> {
    let build = workspace.tools().join("build").join(PROBE);
    let libraries = build_std(&build)?;
    ensure!(
        !libraries.is_empty(),
        "the build of Rust's standard library left no library in {}",
        build.display()
    );

    let dir = library_dir();
    // Two standard libraries side by side are an error to the compiler: the old one goes first.
    packages.as_root("rm")?.arg("-r").arg("-f").arg(&dir).run()?;
    packages.as_root("mkdir")?.arg("-p").arg(&dir).run()?;
    packages.as_root("cp")?.args(&libraries).arg(&dir).quietly().run()?;
    packages.as_root("chmod")?.args(["-R", "a+rX"]).arg(&dir).run()?;
    // The stamp comes last, because it claims that all the rest is there.
    let stamp = build.join(STAMP);
    fs::write(&stamp, &rustc.text).with_context(|| format!("cannot write {}", stamp.display()))?;
    packages.as_root("install")?.args(["-m", "644"]).arg(&stamp).arg(&dir).run()?;

    remove_dir(&build)?;
    remove_dir(&workspace.page_target())
}

/// Builds the standard library with this compiler's own source and returns its `.rlib` files.
fn build_std(build: &Path) -> Result<Vec<PathBuf>> {
    remove_dir(build)?;
    fs::create_dir_all(build).with_context(|| format!("cannot create {}", build.display()))?;
    let manifest = format!(
        "[package]\nname = \"{PROBE}\"\nedition = \"2024\"\n\n[lib]\npath = \"empty.rs\"\n\n[workspace]\n"
    );
    for (name, content) in [("Cargo.toml", manifest.as_str()), ("empty.rs", "#![no_std]\n")] {
        fs::write(build.join(name), content)
            .with_context(|| format!("cannot write to {}", build.display()))?;
    }
    Program::new(CARGO)
        .current_dir(build)
        .args(["build", "--release", "-Z", "build-std=std,panic_abort,test", "--target", WASM_TARGET])
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", build.join("target"))
        // Without its bitcode the library cannot take part in link-time optimisation.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .run()?;
    let deps = build.join("target").join(WASM_TARGET).join("release/deps");
    let entries = deps.read_dir().with_context(|| format!("cannot read {}", deps.display()))?;
    let probe = format!("lib{}", PROBE.replace('-', "_"));
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lib") && name.ends_with(".rlib") && !name.starts_with(&probe)
    };
    Ok(entries.flatten().map(|entry| entry.path()).filter(is_library).collect())
}

fn ensure_linked(workspace: &Workspace, rustc: &RustcVersion) -> Result<()> {
    if workspace.find_program("rustup").is_none() {
        return Ok(());
    }
    match linked_compiler(workspace) {
        Ok(linked) => ensure!(
            linked == *rustc,
            "rustup's toolchain `{TOOLCHAIN}` is not the Rust in {SYSROOT}; if it may be replaced, \
             `rustup toolchain uninstall {TOOLCHAIN}`, then run this again"
        ),
        Err(_not_linked) => {
            workspace.program("rustup")?.args(["toolchain", "link", TOOLCHAIN, SYSROOT]).run()?;
        }
    }
    Ok(())
}

fn remove_dir(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    Ok(())
}
