//! Processor cores: one for the server, and one for the load generator.

use std::fs;
use std::path::PathBuf;

use crate::program::Program;
use crate::workspace::Workspace;

/// Raises the limit of open files as far as the user may, but not further than any measurement needs, because some servers allocate
/// memory for each possible file. Then runs the program.
const WITH_FILES: &str = r#"limit=$(ulimit -Hn)
if [ "$limit" = unlimited ] || [ "$limit" -gt 20000 ]; then limit=20000; fi
ulimit -Sn "$limit"
exec "$@""#;

/// Two cores of this machine.
#[derive(Debug)]
pub struct Cores {
    pinned: Option<Pinned>,
}

#[derive(Debug)]
struct Pinned {
    taskset: PathBuf,
    server: usize,
    load: usize,
}

/// Workload of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Server under measurement.
    Server,
    /// Load generator.
    Load,
}

impl Cores {
    /// Chooses two cores, if there are two and `taskset` is installed.
    pub fn choose(workspace: &Workspace) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let allowed = allowed.map(listed).unwrap_or_default();
        let pinned = match (workspace.find_program("taskset"), &allowed[..]) {
            // The first and the last are not two threads of one core.
            (Some(taskset), &[server, .., load]) => Some(Pinned { taskset, server, load }),
            _ => None,
        };
        Self { pinned }
    }

    /// Returns whether server and load run on separate cores.
    pub fn are_separate(&self) -> bool {
        self.pinned.is_some()
    }

    /// Creates a command that runs `command_line` on the core of `workload`.
    pub fn program(&self, workload: Workload, command_line: &[PathBuf]) -> Program {
        let program = Program::new("sh").args(["-c", WITH_FILES, "sh"]);
        let program = match &self.pinned {
            Some(Pinned { taskset, server, load }) => {
                let core = if workload == Workload::Server { server } else { load };
                program.arg(taskset).args(["-c", &core.to_string()])
            }
            None => program,
        };
        program.args(command_line)
    }
}

/// Parses a list such as `0-3,8`.
fn listed(list: &str) -> Vec<usize> {
    let ranges = list.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_cores_are_listed() {
        assert_eq!(listed("\t0-2,8\n"), [0, 1, 2, 8]);
        assert_eq!(listed("x"), [] as [usize; 0]);
    }
}
