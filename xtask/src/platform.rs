//! Platforms of the packages, and their names in archives, wheels and npm.

use std::env;

/// Operating system and processor.
#[derive(Debug, PartialEq, Eq)]
pub struct Platform {
    /// Processor, as in target triples and [`env::consts::ARCH`].
    arch: &'static str,
    /// Operating system, as in [`env::consts::OS`].
    os: &'static str,
    /// Names of Node.js: `process.platform` and `process.arch`.
    pub npm: (&'static str, &'static str),
    /// Platform tags of Python, joined by dots. Static programs of Linux run with every C library.
    pub wheel: &'static str,
}

/// Platforms with packages.
const PLATFORMS: [Platform; 5] = [
    Platform {
        arch: "x86_64",
        os: "linux",
        npm: ("linux", "x64"),
        wheel: "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    },
    Platform {
        arch: "aarch64",
        os: "linux",
        npm: ("linux", "arm64"),
        wheel: "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    },
    Platform { arch: "x86_64", os: "macos", npm: ("darwin", "x64"), wheel: "macosx_10_12_x86_64" },
    Platform { arch: "aarch64", os: "macos", npm: ("darwin", "arm64"), wheel: "macosx_11_0_arm64" },
    Platform { arch: "x86_64", os: "windows", npm: ("win32", "x64"), wheel: "win_amd64" },
];

impl Platform {
    /// Returns the platform of this process; `None` if it has no packages.
    pub fn current() -> Option<&'static Self> {
        PLATFORMS.iter().find(|platform| platform.arch == env::consts::ARCH && platform.os == env::consts::OS)
    }

    /// Name in archives: `x86_64-linux`.
    pub fn archive_name(&self) -> String {
        format!("{}-{}", self.arch, self.os)
    }

    /// Name of the npm package and of its folder: `linux-x64`.
    pub fn npm_name(&self) -> String {
        format!("{}-{}", self.npm.0, self.npm.1)
    }

    /// Names of the npm packages of all platforms.
    pub fn npm_names() -> impl Iterator<Item = String> {
        PLATFORMS.iter().map(Self::npm_name)
    }

    /// Name of the program.
    pub fn program(&self) -> &'static str {
        if self.os == "windows" { "tailcast.exe" } else { "tailcast" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_node_and_rust() {
        assert!(Platform::npm_names().eq([
            "linux-x64",
            "linux-arm64",
            "darwin-x64",
            "darwin-arm64",
            "win32-x64"
        ]));
        let current = Platform::current().unwrap();
        assert_eq!(current.archive_name(), format!("{}-{}", env::consts::ARCH, env::consts::OS));
    }
}
