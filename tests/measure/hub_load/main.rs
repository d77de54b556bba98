//! Load generator for message servers: one publisher and many subscribers, on one thread.
//!
//! `cargo xtask bench hub` starts the servers and runs this:
//! `measure-hub MEASUREMENT PROTOCOL HOST:PORT PROCESS_ID SUBSCRIBERS [DELIVERIES_PER_SECOND]`.
//! Prints `NAME VALUE` lines, and fails if a message is lost.

mod audience;
mod connection;
mod delays;
mod frame;
mod inbox;
mod protocol;
mod publisher;
mod stream;

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use audience::Audience;
use connection::{Connection, Target};
use delays::Delays;
use protocol::{Message, PAYLOAD_BYTES, Protocol, Role};
use publisher::{Flood, Publisher};
use tailcast_tests::process::{self, Process};

/// Message without a timestamp.
const FILLER: Message = [b'x'; PAYLOAD_BYTES];
/// Warm-up time for caches, allocators and just-in-time compilers.
const WARM_UP: Duration = Duration::from_millis(500);
/// In-flight messages per subscriber. Each server is measured with its best value: few messages stay in the
/// processor's caches, many allow large writes.
const WINDOWS: [u64; 4] = [256, 1024, 4096, 16_384];
const WIDE_WINDOW: u64 = 4096;
const TRIAL: Duration = Duration::from_millis(500);
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(1500);
/// Duration of a measurement with stalled clients: longer than the timeouts of all servers for them.
const STALLED_RUN: Duration = Duration::from_secs(6);
/// Pause between handshakes and the measurement of memory.
const SETTLE: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [measurement, protocol, address, process_id, subscribers, rate @ ..] = &arguments[..] else {
        bail!(
            "usage: measure-hub MEASUREMENT PROTOCOL HOST:PORT PROCESS_ID SUBSCRIBERS [DELIVERIES_PER_SECOND]"
        );
    };
    let target = Target { protocol: Protocol::by_name(protocol)?, address: address.clone() };
    let (process, subscribers) = (Process(process_id.parse()?), subscribers.parse()?);
    let measuring = async {
        match (measurement.as_str(), rate) {
            ("fan-out", []) => fan_out(&target, process, subscribers).await,
            ("latency", [rate]) => latency(&target, process, subscribers, rate.parse()?).await,
            ("idle", []) => idle(&target, process, subscribers).await,
            ("stalled", []) => stalled(&target, process, subscribers, 1).await,
            ("unstalled", []) => stalled(&target, process, subscribers, 0).await,
            _ => bail!("unknown measurement `{measurement}` with these arguments"),
        }
    };
    tokio::task::LocalSet::new().run_until(measuring).await
}

async fn fan_out(target: &Target, process: Process, subscribers: usize) -> anyhow::Result<()> {
    let audience = Audience::connect(target, subscribers).await?;
    let mut publisher = Publisher::open(target).await?;
    publisher.wait_for_delivery(&audience).await?;
    publisher.flood(&audience, WIDE_WINDOW, WARM_UP).await?;
    let mut trials = Vec::new();
    for window in WINDOWS {
        let flood = publisher.flood(&audience, window, TRIAL).await?;
        trials.push((deliveries_per_second(flood, subscribers), window));
    }
    let fastest = trials.into_iter().max_by(|(one, _), (other, _)| one.total_cmp(other));
    let (_, window) = fastest.context("no window was tried")?;
    let mut rates = Vec::new();
    let (mut deliveries, cpu_before) = (0.0, process.cpu_seconds()?);
    for _ in 0..ROUNDS {
        let flood = publisher.flood(&audience, window, ROUND).await?;
        deliveries += flood.messages as f64 * subscribers as f64;
        rates.push(deliveries_per_second(flood, subscribers));
    }
    let cpu = process.cpu_seconds()? - cpu_before;
    rates.sort_by(f64::total_cmp);
    println!("deliveries_per_second {:.0}", rates.get(ROUNDS / 2).context("no round was measured")?);
    println!("cpu_seconds_per_million {:.3}", cpu / deliveries * 1e6);
    println!("window {window}");
    Ok(())
}

fn deliveries_per_second(flood: Flood, subscribers: usize) -> f64 {
    flood.messages as f64 * subscribers as f64 / flood.elapsed.as_secs_f64()
}

async fn latency(target: &Target, process: Process, subscribers: usize, rate: f64) -> anyhow::Result<()> {
    let audience = Audience::connect(target, subscribers).await?;
    let mut publisher = Publisher::open(target).await?;
    publisher.wait_for_delivery(&audience).await?;
    let (origin, messages_per_second) = (Instant::now(), rate / subscribers as f64);
    publisher.publish_at_rate(&audience, messages_per_second, WARM_UP, origin).await?;
    let (began, cpu_before) = (Instant::now(), process.cpu_seconds()?);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        audience.record_delays(Delays::new(origin));
        let marked = publisher.publish_at_rate(&audience, messages_per_second, ROUND, origin).await?;
        let delays = audience.take_delays().context("no time was measured")?;
        ensure!(
            delays.total() == marked * subscribers as u64,
            "only {} timestamps were found",
            delays.total()
        );
        rounds.push((delays.milliseconds_at(0.99), delays.milliseconds_at(0.50)));
    }
    let cpu = process.cpu_seconds()? - cpu_before;
    rounds.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (late, median) = rounds.get(ROUNDS / 2).context("no round was measured")?;
    println!("p50_ms {median:.3}");
    println!("p99_ms {late:.3}");
    println!("server_busy {:.3}", cpu / began.elapsed().as_secs_f64());
    Ok(())
}

async fn idle(target: &Target, process: Process, subscribers: usize) -> anyhow::Result<()> {
    let subscribers = subscribers.min(process::connection_limit()?);
    let mut publisher = {
        // Excludes one-time costs of the first connections.
        let first = Audience::connect(target, 1).await?;
        let mut publisher = Publisher::open(target).await?;
        publisher.wait_for_delivery(&first).await?;
        publisher
    };
    tokio::time::sleep(SETTLE).await;
    let before = process.resident_kib()?;
    let audience = Audience::connect(target, subscribers).await?;
    tokio::time::sleep(SETTLE).await;
    let after = process.resident_kib()?;
    // Checks all connections after the measurement, because they must be idle before.
    publisher.wait_for_delivery(&audience).await?;
    println!("connections {subscribers}");
    println!("kib_per_connection {:.2}", after.saturating_sub(before) as f64 / subscribers as f64);
    Ok(())
}

/// Measures with `stalled` subscribers that never read.
async fn stalled(
    target: &Target,
    process: Process,
    subscribers: usize,
    stalled: usize,
) -> anyhow::Result<()> {
    let audience = Audience::connect(target, subscribers - stalled).await?;
    let mut publisher = Publisher::open(target).await?;
    publisher.wait_for_delivery(&audience).await?;
    let before = process.resident_kib()?;
    let mut stalled_connections = Vec::new();
    for _ in 0..stalled {
        stalled_connections.push(Connection::open(target, Role::Subscriber).await?);
    }
    publisher.wait_for_delivery(&audience).await?;
    let flood = publisher.flood(&audience, WIDE_WINDOW, STALLED_RUN).await?;
    let after = process.peak_resident_kib()?;
    drop(stalled_connections);
    println!("deliveries_per_second {:.0}", deliveries_per_second(flood, audience.size()));
    println!("longest_pause_ms {:.1}", audience.longest_pause().as_secs_f64() * 1e3);
    println!("growth_kib {}", after.saturating_sub(before));
    Ok(())
}
