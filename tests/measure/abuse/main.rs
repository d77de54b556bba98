//! Attacks of strangers on a public server, all at once, beside one honest publisher and one honest viewer.
//!
//! `cargo xtask bench abuse` starts the server and runs this: `measure-abuse HOST:PORT PROCESS_ID ACCESS_KEY SECONDS`.
//! Prints `NAME VALUE` lines, and fails if the honest viewer misses a line, or the memory does not return.

mod attacks;
mod honest;

use std::{sync::Arc, time::Duration};

use anyhow::{bail, ensure};
use tailcast_tests::process::Process;
use tokio::{sync::watch, time::Instant};
use webpubsub_protocol::connection_string::AccessKey;

use attacks::Target;
use honest::Lines;

/// Interval between two readings of the server's memory.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(500);
/// Memory above that of the idle server that may stay, in KiB.
const REMAINDER_KIB: u64 = 64 * 1024;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, process_id, key, seconds] = &arguments[..] else {
        bail!("usage: measure-abuse HOST:PORT PROCESS_ID ACCESS_KEY SECONDS");
    };
    let process = Process(process_id.parse()?);
    let target = Arc::new(Target { address: address.clone(), key: AccessKey::new(key)? });
    let idle = process.resident_kib()?;
    let deadline = Instant::now() + Duration::from_secs(seconds.parse()?);
    let (stop, stopped) = watch::channel(false);
    let attackers = attacks::start(&target, &stopped);
    let honest = tokio::spawn(honest::run(Arc::clone(&target), deadline));
    let (mut peak, mut samples) = (idle, tokio::time::interval(SAMPLE_INTERVAL));
    while !honest.is_finished() {
        samples.tick().await;
        peak = peak.max(process.resident_kib()?);
    }
    let Lines { published, slowest } = honest.await??;
    stop.send(true)?;
    for (name, attacker) in attackers {
        println!("{name} {}", attacker.await?);
    }
    let is_idle = move |process: Process| Ok(process.resident_kib()? < idle + REMAINDER_KIB);
    process.wait_until("memory after the attacks", is_idle).await?;
    ensure!(published > 0, "nothing was published");
    println!("lines {published}");
    println!("slowest_ms {:.0}", slowest.as_secs_f64() * 1000.0);
    println!("idle_mib {:.1}", idle as f64 / 1024.0);
    println!("peak_mib {:.1}", peak as f64 / 1024.0);
    println!("remaining_mib {:.1}", process.resident_kib()? as f64 / 1024.0);
    Ok(())
}
