//! Measurements of the hub, one table each.

use std::time::Duration;

use anyhow::Result;

use super::contestant::{CONTESTANTS, Contestant, Server, programs};
use super::load::{Figures, LoadGenerator};
use super::running::{Running, time_until_ready};
use crate::bench::report::{Table, grouped};

/// Numbers of subscribers.
pub(super) const AUDIENCES: [u64; 4] = [1, 10, 100, 1000];
/// Audience of measurements at one size only.
pub(super) const USUAL_AUDIENCE: u64 = 100;
/// Below half of the usual limit of 20,000 open files: our server keeps a file for each connection in reserve.
const IDLE_CONNECTIONS: u64 = 9_000;
const STARTS: usize = 20;

/// Maximum deliveries per second that were measured, by contestant and audience.
#[derive(Debug, Default)]
pub(super) struct Rates(Vec<(Server, &'static str, u64, f64)>);

impl Rates {
    /// Returns the maximum rate of a contestant; `None` if its measurement failed.
    pub(super) fn of(&self, contestant: Contestant, audience: u64) -> Option<f64> {
        let measured = self.0.iter().find(|(server, protocol, of, _)| {
            (*server, *protocol, *of) == (contestant.server, contestant.protocol, audience)
        });
        measured.map(|(.., rate)| *rate)
    }
}

/// A table, and remarks about failures.
pub(super) struct Report {
    pub(super) table: Table,
    remarks: Vec<String>,
}

impl Report {
    pub(super) fn new(title: &str, head: &[&str]) -> Self {
        Self { table: Table::new(title, head), remarks: Vec::new() }
    }

    /// Returns the cell of a measurement; after a failure a dash, and adds a remark below the table.
    pub(super) fn cell(&mut self, name: &str, outcome: Result<String>) -> String {
        outcome.unwrap_or_else(|error| {
            let remark = format!("{name}: {error:#}");
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
            "–".to_owned()
        })
    }

    /// Returns the cells of one measurement, as [`Self::cell`] does.
    pub(super) fn cells<const CELLS: usize>(
        &mut self,
        name: &str,
        outcome: Result<[String; CELLS]>,
    ) -> [String; CELLS] {
        outcome.unwrap_or_else(|error| {
            let dash = self.cell(name, Err(error));
            std::array::from_fn(|_| dash.clone())
        })
    }

    pub(super) fn print(self) {
        self.table.print();
        for remark in self.remarks {
            println!("\n{remark}");
        }
    }
}

/// Measures throughput and processor time.
pub(super) fn fan_out(load: &LoadGenerator<'_>) -> Rates {
    let title = "128-byte messages to many subscribers: deliveries/s (server's CPU seconds per million)";
    let mut report = Report::new(title, &["server", "1 subscriber", "10", "100", "1,000"]);
    let mut rates = Rates::default();
    for contestant in CONTESTANTS {
        let mut row = vec![contestant.name.to_owned()];
        for audience in AUDIENCES {
            let figures = load.measure(contestant, "fan-out", &[audience.to_string()]);
            let rate = figures.as_ref().ok().and_then(|figures| figures.get("deliveries_per_second").ok());
            rates.0.extend(rate.map(|rate| (contestant.server, contestant.protocol, audience, rate)));
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

/// Measures the effect of a subscriber that never reads on the others and on the server.
pub(super) fn stalled(load: &LoadGenerator<'_>) {
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
pub(super) fn idle(load: &LoadGenerator<'_>) {
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
pub(super) fn start(load: &LoadGenerator<'_>) {
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
