//! Benchmark of our native client and the official ones. Each sends messages through our service, and receives
//! acknowledgements and the messages.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Bench;
use super::report::{Table, grouped, median};
use super::service::BenchService;
use crate::piped_process::PipedProcess;
use crate::program::Program;

/// Number of messages for a run of some seconds. Multiples of the number of threads of the Python client.
const OUR_MESSAGES: u64 = 400_000;
const PLAIN_JAVASCRIPT_MESSAGES: u64 = 40_000;
const PLAIN_PYTHON_MESSAGES: u64 = 4_000;
/// The official clients acknowledge received messages once a second. Services limit unacknowledged messages, so these clients get
/// a few hundred messages a second.
const RELIABLE_PEER_MESSAGES: u64 = 4_000;
/// Runs of each client, in turn with the others. The result is the median.
const ROUNDS: usize = 3;
/// Time limit of one run.
const RUN_LIMIT: Duration = Duration::from_secs(300);

/// Measures all clients, one after the other.
///
/// # Errors
/// When a client fails.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let service = BenchService::start(bench.workspace)?;
    let negotiate = service.negotiate();
    let peers = bench.workspace.root().join("xtask/src/bench/peers");
    let native = bench.workspace.root().join("target/release/measure-client");
    bench
        .workspace
        .cargo()?
        .args(["build", "--quiet", "--release", "--package", "tailcast-tests", "--bin", "measure-client"])
        .run()?;
    let ours = |form: &str| Program::new(&native).args([negotiate.as_str(), form, &OUR_MESSAGES.to_string()]);
    let node = ["node", "nodejs"].iter().find(|name| bench.workspace.find_program(name).is_some());
    let node = node.context("measuring the JavaScript client needs Node.js, which is not on PATH")?;
    let node_modules = bench.setup.javascript()?;
    let javascript = |form: &str, messages: u64| {
        let program = bench.workspace.program(node)?.env("NODE_PATH", &node_modules);
        let program = program.arg(peers.join("client.js"));
        Ok::<_, anyhow::Error>(program.args([negotiate.as_str(), form, &messages.to_string()]))
    };
    let interpreter = bench.setup.python()?;
    let python = |form: &str, messages: u64| {
        let program = Program::new(&interpreter).arg(peers.join("client.py"));
        program.args([negotiate.as_str(), form, &messages.to_string()])
    };
    let (js, py) = ("@azure/web-pubsub-client, Node.js", "azure-messaging-webpubsubclient, Python");
    let (plain_js, plain_py) = (PLAIN_JAVASCRIPT_MESSAGES, PLAIN_PYTHON_MESSAGES);
    let few = RELIABLE_PEER_MESSAGES;
    type Making<'m> = Box<dyn Fn() -> Result<Program> + 'm>;
    let runs: [(String, u64, Making<'_>); 6] = [
        (format!("{js}, plain JSON"), plain_js, Box::new(|| javascript("plain", plain_js))),
        (format!("{js}, reliable JSON"), few, Box::new(|| javascript("reliable", few))),
        (format!("{py}, plain JSON"), plain_py, Box::new(|| Ok(python("plain", plain_py)))),
        (format!("{py}, reliable JSON"), few, Box::new(|| Ok(python("reliable", few)))),
        ("webpubsub-client, reliable JSON".to_owned(), OUR_MESSAGES, Box::new(|| Ok(ours("json")))),
        ("webpubsub-client, reliable protobuf".to_owned(), OUR_MESSAGES, Box::new(|| Ok(ours("protobuf")))),
    ];
    let head = ["client", "messages", "messages/s", "ratio", "CPU s per million"];
    let mut table = Table::new("One client, 100 bytes a message, each sent, acknowledged and heard", &head);
    let mut figures = vec![(Vec::new(), Vec::new()); runs.len()];
    for _ in 0..ROUNDS {
        for ((name, messages, make), (rates, costs)) in runs.iter().zip(&mut figures) {
            let (seconds, cpu) = make().and_then(measure).with_context(|| format!("{name}: failed"))?;
            rates.push(*messages as f64 / seconds);
            costs.push(cpu * 1e6 / *messages as f64);
        }
    }
    let mut first = None;
    for ((name, messages, _), (rates, costs)) in runs.into_iter().zip(figures) {
        let rate = median(rates);
        let base = *first.get_or_insert(rate);
        table.add([
            name,
            grouped(messages),
            grouped(rate.round() as u64),
            format!("{:.1}", rate / base),
            format!("{:.1}", median(costs)),
        ]);
    }
    table.print();
    Ok(())
}

/// Runs a client, and returns its elapsed time and processor time in seconds.
fn measure(program: Program) -> Result<(f64, f64)> {
    let process = PipedProcess::start(program.into_command())?;
    let measured = process.wait_for("measured ", RUN_LIMIT)?;
    let mut numbers = measured.split(' ').map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(seconds)), Some(Ok(cpu))) => Ok((seconds, cpu)),
        _ => anyhow::bail!("the client printed `measured {measured}`"),
    }
}
