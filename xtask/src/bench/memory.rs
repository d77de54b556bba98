//! Memory of a process, on Linux only.

use std::fs;

/// Returns the resident memory of a process in KiB; `None` if it ended, or on other systems.
pub fn resident_kib(process_id: u32) -> Option<u64> {
    status_field(process_id, "VmRSS")
}

/// Returns the peak of the resident memory in KiB; `None` as [`resident_kib`] does.
pub fn peak_resident_kib(process_id: u32) -> Option<u64> {
    status_field(process_id, "VmHWM")
}

fn status_field(process_id: u32, name: &str) -> Option<u64> {
    parse_field(&fs::read_to_string(format!("/proc/{process_id}/status")).ok()?, name)
}

fn parse_field(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "Name:\ttailcast\nVmPeak:\t  9000 kB\nVmHWM:\t    5120 kB\nVmRSS:\t    4096 kB\n";
        assert_eq!(parse_field(status, "VmHWM"), Some(5120));
        assert_eq!(parse_field(status, "Vm"), None);
    }
}
