//! Resource usage of the server's process, from `/proc`.

use std::{fs, time::Duration};

use anyhow::Context;

use crate::with_timeout;

/// Unit of processor times in `/proc`, independent of the kernel's timer frequency.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measured process.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Returns the processor time so far in seconds, including kernel time.
    ///
    /// # Errors
    /// Fails if the process has exited.
    pub fn cpu_seconds(self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        // The second field, the name in parentheses, can contain any characters. The times are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').context("no process name in /proc")?;
        let ticks =
            fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    /// Returns the resident memory in KiB.
    ///
    /// # Errors
    /// Fails if the process has exited.
    pub fn resident_kib(self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// Returns the peak resident memory in KiB.
    ///
    /// # Errors
    /// Fails if the process has exited.
    pub fn peak_resident_kib(self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    /// Returns the number of open files, sockets included.
    ///
    /// # Errors
    /// Fails if the process has exited.
    pub fn open_files(self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.0))?.count())
    }

    /// Returns the only child.
    ///
    /// # Errors
    /// Fails if there is not exactly one.
    pub fn child(self) -> anyhow::Result<Self> {
        let children = self.read(&format!("task/{}/children", self.0))?;
        Ok(Self(children.trim().parse().with_context(|| format!("children: `{children}`"))?))
    }

    /// Returns the processes of this one's group whose command lines contain `text`.
    ///
    /// # Errors
    /// Fails if `/proc` cannot be read.
    pub fn of_group(self, text: &str) -> anyhow::Result<Vec<Self>> {
        let ids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let is_meant = |process: &Self| {
            // A process may exit meanwhile.
            let group = process.read("stat").ok().and_then(|stat| {
                let (_, fields) = stat.rsplit_once(')')?;
                fields.split_whitespace().nth(2)?.parse::<u32>().ok()
            });
            group == Some(self.0) && process.read("cmdline").is_ok_and(|command| command.contains(text))
        };
        Ok(ids.map(Self).filter(is_meant).collect())
    }

    /// Waits until `condition` is met.
    ///
    /// # Errors
    /// Fails with the condition's error, or after the timeout.
    pub async fn wait_until(
        self,
        description: &str,
        condition: impl Fn(Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        // The kernel reports no changes of these figures.
        let mut polls = tokio::time::interval(Duration::from_millis(100));
        with_timeout(description, async {
            while !condition(self)? {
                polls.tick().await;
            }
            Ok(())
        })
        .await
    }

    fn status(self, name: &str) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let value = status.lines().find_map(|line| line.strip_prefix(name)).context("no memory in /proc")?;
        Ok(value.trim().trim_end_matches(" kB").parse()?)
    }

    fn read(self, name: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{name}", self.0);
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}; has the server exited?"))
    }
}

/// Returns the number of connections that this process can open.
///
/// # Errors
/// Fails if the limit cannot be read.
pub fn connection_limit() -> anyhow::Result<usize> {
    const OTHER_FILES: usize = 100;
    let limits = fs::read_to_string("/proc/self/limits").context("cannot read /proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()).context("no limit of open files")?;
    Ok(soft.parse().unwrap_or(usize::MAX).saturating_sub(OTHER_FILES))
}
