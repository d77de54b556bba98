//! Says which folder the program carries as its page.
//!
//! `cargo xtask build` builds the page first and names its folder. A build that is told of none carries none, so that
//! nobody ships a page by accident that lay around from another day; such a program serves the page from a folder.

use std::{env, error::Error, fs, path::PathBuf};

/// Set by xtask: the folder of the built page.
const GIVEN: &str = "TAILCAST_EMBED_SITE";
/// Read by the code: the folder to carry, always there, perhaps empty.
const CHOSEN: &str = "TAILCAST_EMBEDDED_SITE";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={GIVEN}");
    let folder = match env::var_os(GIVEN).map(PathBuf::from) {
        Some(folder) if folder.join("index.html").is_file() => {
            println!("cargo::rerun-if-changed={}", folder.display());
            folder
        }
        Some(folder) => {
            let words = format!(
                "{GIVEN} names {}, which holds no index.html: build the page first",
                folder.display()
            );
            return Err(words.into());
        }
        None => {
            let empty =
                PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?).join("no-page");
            fs::create_dir_all(&empty)?;
            empty
        }
    };
    println!("cargo::rustc-env={CHOSEN}={}", folder.display());
    Ok(())
}
