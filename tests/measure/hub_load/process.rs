//! The server's process, as Linux tells it.

use std::fs;

use anyhow::Context;

/// Linux counts processor time in these, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process under measurement.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Seconds of processor time so far, in the kernel as well.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu_seconds(self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        // The name, in parentheses, may hold anything. Fields 14 and 15, of which the name is the second.
        let (_, fields) = stat.rsplit_once(')').context("no process name in /proc")?;
        let ticks =
            fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    /// KiB that it holds now.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident_kib(self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// KiB that it held at most.
    ///
    /// # Errors
    /// When it has ended.
    pub fn peak_resident_kib(self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    fn status(self, name: &str) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let value = status.lines().find_map(|line| line.strip_prefix(name)).context("no memory in /proc")?;
        Ok(value.trim().trim_end_matches(" kB").parse()?)
    }

    fn read(self, name: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{name}", self.0);
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}; has the server ended?"))
    }
}

/// How many connections this process may have open, besides what else it needs.
///
/// # Errors
/// When the system does not tell.
pub fn connection_limit() -> anyhow::Result<usize> {
    const OTHERWISE: usize = 100;
    let limits = fs::read_to_string("/proc/self/limits").context("cannot read /proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()).context("no limit of open files")?;
    Ok(soft.parse().unwrap_or(usize::MAX).saturating_sub(OTHERWISE))
}
