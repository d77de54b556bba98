//! Memory usage of a page.

use std::collections::HashMap;

use anyhow::Context;
use serde_json::json;
use tailcast_tests::browser::Browser;

/// Memory usage in bytes, after garbage collection.
pub struct Memory {
    /// JavaScript objects and buffers, without WebAssembly memory.
    pub heap_bytes: u64,
    /// Resident memory of the largest renderer process.
    pub renderer_bytes: u64,
    /// Number of DOM nodes.
    pub dom_nodes: u64,
}

impl Memory {
    /// Measures the current usage.
    pub async fn of(browser: &Browser) -> anyhow::Result<Self> {
        browser.devtools("HeapProfiler.collectGarbage", json!({})).await?;
        let heap = browser.devtools("Runtime.getHeapUsage", json!({})).await?;
        let counted = browser.devtools("Memory.getDOMCounters", json!({})).await?;
        let bytes = |name: &str| heap[name].as_f64().unwrap_or_default() as u64;
        Ok(Self {
            heap_bytes: bytes("usedSize") + bytes("backingStorageSize"),
            renderer_bytes: renderer_bytes(browser.driver_id().context("the driver has ended")?)?,
            dom_nodes: counted["nodes"].as_u64().context("no nodes")?,
        })
    }
}

/// Returns the resident memory of the largest renderer among the descendants of `driver`, from `/proc`.
fn renderer_bytes(driver: u32) -> anyhow::Result<u64> {
    let processes = std::fs::read_dir("/proc")?.flatten();
    let ids: Vec<u32> = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let parents: HashMap<u32, u32> = ids.iter().filter_map(|id| Some((*id, field(*id, "PPid:")?))).collect();
    let is_below = |id: u32| {
        std::iter::successors(Some(id), |id| parents.get(id).copied().filter(|id| *id > 1))
            .any(|id| id == driver)
    };
    let is_renderer = |id: u32| {
        std::fs::read_to_string(format!("/proc/{id}/cmdline"))
            .is_ok_and(|line| line.contains("--type=renderer"))
    };
    let renderers = ids.iter().filter(|id| is_renderer(**id) && is_below(**id));
    let kibibytes = renderers.filter_map(|id| field(*id, "VmRSS:")).max();
    Ok(u64::from(kibibytes.context("no renderer")?) << 10)
}

/// Returns a numeric field of a process's status.
fn field(id: u32, name: &str) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
