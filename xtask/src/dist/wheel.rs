//! Wheel of Python: the program as a script, for `pip install` and `uvx`.
//!
//! The format is that of <https://packaging.python.org/en/latest/specifications/binary-distribution-format/>.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::folder;
use crate::npm_package::read;
use crate::platform::Platform;
use crate::workspace::Workspace;
use crate::zip::Zip;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
const DESCRIPTION: &str =
    "Tailcast shows the output of a command live in every open browser: `some-command | tailcast`.
`tailcast --help` lists the commands. Documentation: https://github.com/tailcast/tailcast
";
const PERMISSIONS: u32 = 0o644;
const PERMISSIONS_OF_PROGRAM: u32 = 0o755;

/// Writes the wheel of `program` into the folder `to`, and removes an existing folder. The Python language and its version do not matter
/// (`py3-none`), since no Python runs.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(workspace: &Workspace, program: &Path, platform: &Platform, to: &Path) -> Result<()> {
    let version = python_version(VERSION);
    let mut wheel = Wheel::default();
    let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    let scripts = format!("tailcast-{version}.data/scripts");
    wheel.add(&format!("{scripts}/{}", platform.program()), &bytes, PERMISSIONS_OF_PROGRAM)?;
    let info = format!("tailcast-{version}.dist-info");
    for licence in LICENCES {
        let text = read(&workspace.root().join(licence))?;
        wheel.add(&format!("{info}/licenses/{licence}"), text.as_bytes(), PERMISSIONS)?;
    }
    wheel.add(&format!("{info}/METADATA"), metadata(&version).as_bytes(), PERMISSIONS)?;
    wheel.add(&format!("{info}/WHEEL"), wheel_file(platform).as_bytes(), PERMISSIONS)?;
    let bytes = wheel.finish(&format!("{info}/RECORD"))?;
    folder::recreate(to)?;
    let file = to.join(format!("tailcast-{version}-py3-none-{}.whl", platform.wheel));
    fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// Archive, and the record of its files.
#[derive(Default)]
struct Wheel {
    zip: Zip,
    record: String,
}

impl Wheel {
    fn add(&mut self, name: &str, content: &[u8], mode: u32) -> Result<()> {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(content));
        self.record.push_str(&format!("{name},sha256={hash},{}\n", content.len()));
        self.zip.add(name, content, mode)
    }

    /// Adds the record, which does not contain its own hash, and returns the archive.
    fn finish(mut self, record: &str) -> Result<Vec<u8>> {
        self.record.push_str(&format!("{record},,\n"));
        self.zip.add(record, self.record.as_bytes(), PERMISSIONS)?;
        self.zip.finish()
    }
}

fn metadata(version: &str) -> String {
    let licences: String = LICENCES.map(|name| format!("License-File: {name}\n")).concat();
    format!(
        "Metadata-Version: 2.4\nName: tailcast\nVersion: {version}\nSummary: {}\nLicense-Expression: {}\n{licences}\
         Project-URL: Repository, {}\nRequires-Python: >=3.7\nDescription-Content-Type: text/markdown\n\n{DESCRIPTION}",
        "Stream the output of commands and files live to web browsers",
        env!("CARGO_PKG_LICENSE"),
        env!("CARGO_PKG_REPOSITORY"),
    )
}

fn wheel_file(platform: &Platform) -> String {
    let tags: String = platform.wheel.split('.').map(|tag| format!("Tag: py3-none-{tag}\n")).collect();
    format!("Wheel-Version: 1.0\nGenerator: xtask ({VERSION})\nRoot-Is-Purelib: false\n{tags}")
}

/// Converts a version of Cargo to one of Python (PEP 440): `1.0.0-rc.1` to `1.0.0rc1`.
fn python_version(version: &str) -> String {
    let (release, pre) = version.split_once('-').unwrap_or((version, ""));
    let pre = pre.replace('.', "").replace("alpha", "a").replace("beta", "b");
    format!("{release}{pre}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_python() {
        for (cargo, python) in [("0.1.0", "0.1.0"), ("1.0.0-rc.1", "1.0.0rc1"), ("2.0.0-beta.12", "2.0.0b12")]
        {
            assert_eq!(python_version(cargo), python);
        }
    }

    #[test]
    fn every_platform_tag_is_listed() {
        let file = wheel_file(Platform::current().unwrap());
        assert!(file.contains("Tag: py3-none-"), "{file}");
        assert_eq!(file.matches("Tag: ").count(), Platform::current().unwrap().wheel.split('.').count());
    }
}
