//! Memory after a thousand elements.

use serde_json::{Value, json};
use tailcast_tests::{browser::Kind, embedding::Embedding};

const MOUNTS: u32 = 1_000;
/// Allowance for V8's own allocations (compiled code, feedback) in a thousand runs: less than one listener, or one
/// closure, per run.
const HEAP_TOLERANCE_BYTES: i64 = 200 * MOUNTS as i64;
/// Growth of the WebAssembly memory that is no leak, in bytes: it never shrinks, and on a slow machine more connections of removed
/// elements are closing at a time. A leak of an element's state, which has some KiB, exceeds it.
const WASM_TOLERANCE_BYTES: i64 = 256 * 1024;
/// Allowance for nodes and listeners that the browser releases late.
const COUNT_TOLERANCE: i64 = 50;

/// Memory of the page after garbage collection.
#[derive(Debug)]
struct Held {
    heap_bytes: i64,
    wasm_bytes: i64,
    nodes: i64,
    listeners: i64,
}

impl Held {
    async fn by(page: &Embedding) -> anyhow::Result<Self> {
        // Clears the records of the test page.
        page.run("heard.length = 0").await?;
        // A second collection releases objects with finalizers.
        for _ in 0..3 {
            page.wait_for_frame().await?;
            page.browser.devtools("HeapProfiler.collectGarbage", json!({})).await?;
        }
        let number = |answer: &Value, name: &str| answer[name].as_f64().unwrap_or_default() as i64;
        let heap = page.browser.devtools("Runtime.getHeapUsage", json!({})).await?;
        let counters = page.browser.devtools("Memory.getDOMCounters", json!({})).await?;
        let wasm = page.value("memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)").await?;
        Ok(Self {
            heap_bytes: number(&heap, "usedSize"),
            wasm_bytes: wasm.as_i64().unwrap_or_default(),
            nodes: number(&counters, "nodes"),
            listeners: number(&counters, "jsEventListeners"),
        })
    }
}

/// Mounts and removes elements one after the other. Every tenth is removed before it is connected.
async fn mount(page: &Embedding, times: u32) -> anyhow::Result<()> {
    page.run(&format!(
        "window.mounted = 0;
         window.mounting = (async () => {{
             for (let at = 0; at < {times}; at += 1) {{
                 const one = document.createElement('tail-cast');
                 one.negotiate = 'NEGOTIATE';
                 const connected = new Promise((resolve) => one.addEventListener('tailcast-connected', resolve));
                 document.body.append(one);
                 one.append('a line of its own');
                 one.addEventListener('tailcast-message', () => {{}});
                 if (at % 10 !== 9) await connected; else await new Promise((resolve) => setTimeout(resolve));
                 one.remove();
                 mounted += 1;
             }}
         }})()"
    ))
    .await?;
    // In steps, so that a slow machine does not exceed the timeout.
    for step in 1..=10 {
        page.until(&format!("mounted >= {times} * {step} / 10")).await?;
    }
    page.wait_for_connections(0).await
}

#[tokio::test]
async fn a_thousand_elements_leave_no_memory_behind() -> anyhow::Result<()> {
    let page = Embedding::open(Kind::Chromium, "").await?;
    page.until("customElements.get('tail-cast')").await?;
    mount(&page, 100).await?;
    let before = Held::by(&page).await?;
    mount(&page, MOUNTS).await?;
    let after = Held::by(&page).await?;
    let summary = format!("{before:?}, then {after:?}");
    assert!(before.wasm_bytes > 0 && before.heap_bytes > 0 && before.nodes > 0, "{summary}");
    assert!(after.heap_bytes - before.heap_bytes < HEAP_TOLERANCE_BYTES, "{summary}");
    assert!(after.wasm_bytes - before.wasm_bytes < WASM_TOLERANCE_BYTES, "{summary}");
    assert!(after.nodes - before.nodes < COUNT_TOLERANCE, "{summary}");
    assert!(after.listeners - before.listeners < COUNT_TOLERANCE, "{summary}");
    assert_eq!(page.value("instances").await?, 1);
    let sockets = page.value("sockets").await?.as_u64();
    assert!(sockets >= Some(u64::from(MOUNTS * 9 / 10)), "{sockets:?} connections");
    page.close_without_errors().await
}
