//! Measurements of the hub, one table each.

use std::time::Duration;

use anyhow::Result;

use super::contestant::{CONTESTANTS, Contestant, Server, programs};
use super::load::{Figures, LoadGenerator};
use super::running::{Running, time_until_ready};
use crate::bench::report::{Table, grouped};

const AUDIENCES: [u64; 4] = [1, 10, 100, 1000];
/// Audience of measurements at one size only.
const USUAL_AUDIENCE: u64 = 100;
const IDLE_CONNECTIONS: u64 = 10_000;
const STARTS: usize = 20;

/// Deliveries per second to [`USUAL_AUDIENCE`], by contestant; 0 after a failure.
pub type Rates = Vec<(Contestant, f64)>;

/// A table, and remarks about failures.
struct Report {
    table: Table,
    remarks: Vec<String>,
}

impl Report {
    fn new(title: &str, head: &[&str]) -> Self {
        Self { table: Table::new(title, head), remarks: Vec::new() }
    }

    /// Returns the cell of a measurement; after a failure a dash, and adds a remark below the table.
    fn cell(&mut self, name: &str, outcome: Result<String>) -> String {
        outcome.unwrap_or_else(|error| {
            let remark = format!("{name}: {error:#}");
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
            "–".to_owned()
        })
    }

    /// Returns the cells of one measurement, as [`Self::cell`] does.
    fn cells<const CELLS: usize>(&mut self, name: &str, outcome: Result<[String; CELLS]>) -> [String; CELLS] {
        outcome.unwrap_or_else(|error| {
            let dash = self.cell(name, Err(error));
            std::array::from_fn(|_| dash.clone())
        })
    }

    fn print(self) {
        self.table.print();
        for remark in self.remarks {
            println!("\n{remark}");
        }
    }
}

/// Measures throughput and processor time.
pub fn fan_out(load: &LoadGenerator<'_>) -> Rates {
    let title = "128-byte messages to many subscribers: deliveries/s (server's CPU seconds per million)";
    let mut report = Report::new(title, &["server", "1 subscriber", "10", "100", "1,000"]);
    let mut rates = Rates::new();
    for contestant in CONTESTANTS {
        let mut row = vec![contestant.name.to_owned()];
        for audience in AUDIENCES {
            let figures = load.measure(contestant, "fan-out", &[audience.to_string()]);
            if audience == USUAL_AUDIENCE {
                let rate =
                    figures.as_ref().ok().and_then(|figures| figures.get("deliveries_per_second").ok());
                rates.push((contestant, rate.unwrap_or_default()));
            }
            let shown = figures.and_then(|figures| {
                let cost = figures.get("cpu_seconds_per_million")?;
                Ok(format!("{} ({cost:.2})", whole(&figures, "deliveries_per_second")?))
            });
            row.push(report.cell(contestant.name, shown));
        }
        report.table.add(row);
    }
    report.print();
    rates
}

/// Load for all fast servers, in deliveries per second.
const USUAL_LOAD: f64 = 500_000.0;

/// Measures latency at half of a server's throughput; and, if the server can do that, at the usual load and, for a peer, at half of
/// our throughput.
pub fn latency(load: &LoadGenerator<'_>, rates: &Rates) {
    let title = "From publishing to receiving, 100 subscribers, ms";
    let mut report = Report::new(
        title,
        &["server", "load, deliveries/s", "median", "99 % within", "server's core busy, %"],
    );
    let ours = rates.first().map_or(0.0, |(_, rate)| *rate);
    for (contestant, rate) in rates.iter().filter(|(_, rate)| *rate > 0.0) {
        let is_peer = contestant.server != Server::Tailcast;
        // Beyond two thirds of the throughput, queueing dominates the latency.
        let can_do = |load: &f64| *load < rate / 1.5;
        let mut loads = vec![rate / 2.0];
        loads.extend(Some(USUAL_LOAD).filter(can_do));
        loads.extend(Some(ours / 2.0).filter(can_do).filter(|_| is_peer));
        for deliveries in loads {
            let arguments = [USUAL_AUDIENCE.to_string(), format!("{deliveries:.0}")];
            let figures = load.measure(*contestant, "latency", &arguments);
            let shown = figures.and_then(|figures| {
                let milliseconds = |name| figures.get(name).map(|value| format!("{value:.2}"));
                let busy = format!("{:.0}", figures.get("server_busy")? * 100.0);
                Ok([milliseconds("p50_ms")?, milliseconds("p99_ms")?, busy])
            });
            let cells = report.cells(contestant.name, shown);
            let row = [contestant.name.to_owned(), grouped(deliveries as u64)];
            report.table.add(row.into_iter().chain(cells));
        }
    }
    report.print();
}

/// Measures the effect of a subscriber that never reads on the others and on the server.
pub fn stalled(load: &LoadGenerator<'_>) {
    let title = "99 subscribers, without and with one more that never reads";
    let head = [
        "server",
        "deliveries/s to the 99",
        "longest pause, ms",
        "memory grows by, MiB",
        "with: deliveries/s",
        "longest pause, ms",
        "memory grows by, MiB",
    ];
    let mut report = Report::new(title, &head);
    for contestant in programs() {
        let mut row = vec![contestant.name.to_owned()];
        for (measurement, audience) in [("unstalled", USUAL_AUDIENCE - 1), ("stalled", USUAL_AUDIENCE)] {
            let shown = load.measure(contestant, measurement, &[audience.to_string()]).and_then(|figures| {
                Ok([
                    whole(&figures, "deliveries_per_second")?,
                    whole(&figures, "longest_pause_ms")?,
                    format!("{:.1}", figures.get("growth_kib")? / 1024.0),
                ])
            });
            row.extend(report.cells(contestant.name, shown));
        }
        report.table.add(row);
    }
    report.print();
}

/// Measures the memory of an idle connection.
pub fn idle(load: &LoadGenerator<'_>) {
    let mut report = Report::new("An idle connection", &["server", "connections", "KiB each"]);
    for contestant in programs() {
        let shown = load.measure(contestant, "idle", &[IDLE_CONNECTIONS.to_string()]).and_then(|figures| {
            Ok([whole(&figures, "connections")?, format!("{:.1}", figures.get("kib_per_connection")?)])
        });
        let [connections, each] = report.cells(contestant.name, shown);
        report.table.add([contestant.name.to_owned(), connections, each]);
    }
    report.print();
}

/// Measures the start of a server.
pub fn start(load: &LoadGenerator<'_>) {
    let title = "From starting the process to accepting connections, median of 20, ms";
    let mut report = Report::new(title, &["server", "ms"]);
    let median = |take: &dyn Fn() -> Result<Duration>| -> Result<String> {
        let mut times = (0..STARTS).map(|_| take()).collect::<Result<Vec<_>>>()?;
        times.sort();
        let median = times.get(STARTS / 2).copied().unwrap_or_default();
        Ok(format!("{:.1}", median.as_secs_f64() * 1e3))
    };
    for contestant in programs() {
        let name = if contestant.server == Server::Tailcast { "Tailcast" } else { contestant.name };
        let took = median(&|| Ok(Running::start_unpinned(&load.recipes, contestant.server)?.start_took));
        let took = report.cell(name, took);
        report.table.add([name.to_owned(), took]);
        if contestant.server == Server::Tailcast {
            let ready = median(&|| time_until_ready(&load.recipes));
            let ready = report.cell(name, ready);
            report.table.add(["Tailcast, until it prints that it listens".to_owned(), ready]);
        }
    }
    report.print();
}

fn whole(figures: &Figures, name: &str) -> Result<String> {
    Ok(grouped(figures.get(name)?.round() as u64))
}
