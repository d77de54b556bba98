//! What is measured, a table each.

use std::time::Duration;

use anyhow::Result;

use super::contestant::{CONTESTANTS, Contestant, Server, programs};
use super::load::{Figures, Load};
use super::running::{Running, time_until_said};
use crate::bench::report::{Table, grouped};

const AUDIENCES: [u64; 4] = [1, 10, 100, 1000];
/// The audience for all that is measured at one size only.
const USUAL_AUDIENCE: u64 = 100;
const IDLE_CONNECTIONS: u64 = 10_000;
const STARTS: usize = 20;

/// What a contestant delivered to [`USUAL_AUDIENCE`], in deliveries per second; 0 when it failed.
pub type Rates = Vec<(Contestant, f64)>;

/// Rows of one table, and what went wrong with some.
struct Report {
    table: Table,
    remarks: Vec<String>,
}

impl Report {
    fn new(title: &str, head: &[&str]) -> Self {
        Self { table: Table::new(title, head), remarks: Vec::new() }
    }

    /// The cell of a measurement; a dash, and a remark below the table, when it failed.
    fn cell(&mut self, name: &str, outcome: Result<String>) -> String {
        outcome.unwrap_or_else(|error| {
            let remark = format!("{name}: {error:#}");
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
            "–".to_owned()
        })
    }

    /// The same for cells of one measurement.
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

/// Throughput and what it costs.
pub fn fan_out(load: &Load<'_>) -> Rates {
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

/// Half of a million deliveries a second: a load that a fast server has room for, and the same for all that are.
const USUAL_LOAD: f64 = 500_000.0;

/// How long a message takes, at half of what a server can do; and, where it can do that, at the usual load and, for a peer,
/// at half of what ours can.
pub fn latency(load: &Load<'_>, rates: &Rates) {
    let title = "From publishing to receiving, 100 subscribers, ms";
    let mut report = Report::new(
        title,
        &["server", "load, deliveries/s", "median", "99 % within", "server's core busy, %"],
    );
    let ours = rates.first().map_or(0.0, |(_, rate)| *rate);
    for (contestant, rate) in rates.iter().filter(|(_, rate)| *rate > 0.0) {
        let is_peer = contestant.server != Server::Tailcast;
        // Beyond two thirds of what a server can do, what waits is no longer the server's choice.
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

/// What one subscriber that never reads does to the others, and to the server.
pub fn stalled(load: &Load<'_>) {
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

/// What an idle connection costs.
pub fn idle(load: &Load<'_>) {
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

/// How long a server takes to start.
pub fn start(load: &Load<'_>) {
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
            let said = median(&|| time_until_said(&load.recipes));
            let said = report.cell(name, said);
            report.table.add(["Tailcast, until it says that it listens".to_owned(), said]);
        }
    }
    report.print();
}

fn whole(figures: &Figures, name: &str) -> Result<String> {
    Ok(grouped(figures.get(name)?.round() as u64))
}
