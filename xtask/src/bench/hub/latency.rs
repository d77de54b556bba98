//! Time from publishing to receiving.

use anyhow::{Context, Result};

use super::contestant::{CONTESTANTS, Contestant, Server};
use super::load::LoadGenerator;
use super::tables::{AUDIENCES, Rates, Report, USUAL_AUDIENCE};
use crate::bench::report::grouped;

/// Load for all fast servers, in deliveries per second.
const USUAL_LOAD: f64 = 500_000.0;
/// Measurements of each contestant at an equal load, by turns, since the speed of a machine varies within minutes.
const ROUNDS: usize = 5;

/// Measures latency at half of a server's throughput, and, if the server can do that, at the usual load.
pub(super) fn at_half_throughput(load: &LoadGenerator<'_>, rates: &Rates) {
    let title = "From publishing to receiving, 100 subscribers, ms";
    let mut report = Report::new(
        title,
        &["server", "load, deliveries/s", "median", "99 % within", "server's core busy, %"],
    );
    for contestant in CONTESTANTS {
        let Some(rate) = rates.of(contestant, USUAL_AUDIENCE) else { continue };
        // Beyond two thirds of the throughput, queueing dominates the latency.
        let usual = Some(USUAL_LOAD).filter(|load| *load < rate / 1.5);
        for deliveries in [rate / 2.0].into_iter().chain(usual) {
            let shown = measure(load, contestant, USUAL_AUDIENCE, deliveries).map(|latency| {
                let Latency { median, late, busy } = latency;
                [format!("{median:.2}"), format!("{late:.2}"), format!("{:.0}", busy * 100.0)]
            });
            let cells = report.cells(contestant.name, shown);
            let row = [contestant.name.to_owned(), grouped(deliveries as u64)];
            report.table.add(row.into_iter().chain(cells));
        }
    }
    report.print();
}

/// Measures our latency and that of nats-server at equal loads, the usual one and half of nats-server's throughput: medians of
/// [`ROUNDS`] measurements, by turns.
pub(super) fn at_equal_load(load: &LoadGenerator<'_>, rates: &Rates) {
    let contestants: Vec<Contestant> = CONTESTANTS
        .into_iter()
        .filter(|contestant| matches!(contestant.server, Server::Tailcast | Server::Nats))
        .collect();
    let head = ["subscribers", "load, deliveries/s"].into_iter();
    let head: Vec<&str> = head.chain(contestants.iter().map(|contestant| contestant.name)).collect();
    let title = "From publishing to receiving at equal load: 99th percentile (median), ms";
    let mut report = Report::new(title, &head);
    let nats = contestants.iter().find(|contestant| contestant.server == Server::Nats);
    for audience in AUDIENCES {
        let half = nats.and_then(|nats| rates.of(*nats, audience)).map(|rate| rate / 2.0);
        for deliveries in [USUAL_LOAD].into_iter().chain(half) {
            let mut outcomes: Vec<Vec<Result<Latency>>> = contestants.iter().map(|_| Vec::new()).collect();
            for _ in 0..ROUNDS {
                for (contestant, outcomes) in contestants.iter().zip(&mut outcomes) {
                    outcomes.push(measure(load, *contestant, audience, deliveries));
                }
            }
            let mut row = vec![audience.to_string(), grouped(deliveries as u64)];
            for (contestant, outcomes) in contestants.iter().zip(outcomes) {
                row.push(report.cell(contestant.name, median_of(outcomes)));
            }
            report.table.add(row);
        }
    }
    report.print();
}

/// Latency of one measurement.
#[derive(Debug, Clone, Copy)]
struct Latency {
    /// Median, in milliseconds.
    median: f64,
    /// 99th percentile, in milliseconds.
    late: f64,
    /// Part of the time in which the server used its core.
    busy: f64,
}

fn measure(
    load: &LoadGenerator<'_>,
    contestant: Contestant,
    audience: u64,
    deliveries: f64,
) -> Result<Latency> {
    let figures = load.measure(contestant, "latency", &[audience.to_string(), format!("{deliveries:.0}")])?;
    let figure = |name| figures.get(name);
    Ok(Latency { median: figure("p50_ms")?, late: figure("p99_ms")?, busy: figure("server_busy")? })
}

fn median_of(outcomes: Vec<Result<Latency>>) -> Result<String> {
    let latencies = outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    let middle = |figure: fn(&Latency) -> f64| {
        let mut figures: Vec<f64> = latencies.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().context("nothing was measured")
    };
    Ok(format!("{:.2} ({:.2})", middle(|latency| latency.late)?, middle(|latency| latency.median)?))
}
