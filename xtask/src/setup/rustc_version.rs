//! Output of `rustc -vV`.

use anyhow::{Context, Result};

/// Version of a compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustcVersion {
    /// Full output. Two compilers with the same text are the same.
    pub text: String,
    /// Target triple of the machine.
    pub host: String,
    /// Major version of its LLVM. A linker must not be older.
    pub llvm_major: u32,
}

impl RustcVersion {
    /// Parses the output of `rustc -vV`.
    ///
    /// # Errors
    /// When the host or the LLVM version is missing.
    pub fn parse(text: &str) -> Result<Self> {
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.with_context(|| format!("`rustc -vV` printed no {name}, but: {text}"))
        };
        let llvm = field("LLVM version")?;
        let llvm_major = llvm.split('.').next().and_then(|major| major.parse().ok());
        Ok(Self {
            text: text.trim().to_owned(),
            host: field("host")?.to_owned(),
            llvm_major: llvm_major.with_context(|| format!("cannot read the LLVM version `{llvm}`"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIANS: &str = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)\nbinary: rustc\n\
        commit-date: 2026-05-25\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\nLLVM version: 22.1.8\n";

    #[test]
    fn the_host_and_the_llvm_major_are_read() -> Result<()> {
        let version = RustcVersion::parse(DEBIANS)?;
        assert_eq!((version.host.as_str(), version.llvm_major), ("x86_64-unknown-linux-gnu", 22));
        Ok(())
    }

    #[test]
    fn a_compiler_without_llvm_is_refused_by_name() {
        let refused = RustcVersion::parse("rustc 1.96.0\nhost: x86_64-unknown-linux-gnu\n");
        assert!(refused.is_err_and(|error| error.to_string().contains("LLVM version")));
    }
}
