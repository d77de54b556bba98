//! Selects the directory of the page that is embedded in the binary.
//!
//! `cargo xtask build` builds the page first and sets `TAILCAST_EMBED_SITE`. Without this variable, the binary contains no
//! page and serves one from a directory: a stale build of the page must not be shipped by accident.

use std::{env, error::Error, fs, path::PathBuf};

/// Environment variable that xtask sets to the directory of the built page.
const REQUESTED: &str = "TAILCAST_EMBED_SITE";
/// Compile-time variable with the directory to embed. It is always set; the directory can be empty.
const EMBEDDED: &str = "TAILCAST_EMBEDDED_SITE";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={REQUESTED}");
    let folder = match env::var_os(REQUESTED).map(PathBuf::from) {
        Some(folder) if folder.join("index.html").is_file() => {
            println!("cargo::rerun-if-changed={}", folder.display());
            folder
        }
        Some(folder) => {
            let message = format!(
                "{REQUESTED} is {}, which contains no index.html; build the page first",
                folder.display()
            );
            return Err(message.into());
        }
        None => {
            let empty = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("no-page");
            fs::create_dir_all(&empty)?;
            empty
        }
    };
    println!("cargo::rustc-env={EMBEDDED}={}", folder.display());
    Ok(())
}
