//! Benchmark from standard input to a subscriber: the tutorial's streamer and ours, each with one subscriber, through our service.

use std::io::Write;
use std::process::{ChildStdin, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fmt, io};

use anyhow::{Context, Result, bail, ensure};

use super::Bench;
use super::memory;
use super::report::{Table, grouped};
use super::service::BenchService;
use crate::piped_process::PipedProcess;
use crate::program::Program;

const GROUP: &str = "stream";
/// Number of lines for about two seconds of the peer.
const PEER_LINES: u64 = 20_000;
const OUR_LINES: u64 = 1_000_000;
/// Time limit of one run.
const RUN_LIMIT: Duration = Duration::from_secs(300);
/// Interval between reads of the streamer's memory.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// Measures both streamers, and the idle service.
///
/// # Errors
/// When a process fails, or lines are missing at the end.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let mut service = BenchService::start(bench.workspace)?;
    let idle = memory::resident_kib(service.process_id());

    let peer = run_peer(bench, &service.negotiate())?;
    let ours = run_ours(bench, &service.negotiate())?;
    let loaded = memory::peak_resident_kib(service.process_id());

    let head = ["streamer", "lines", "seconds", "lines/s", "ratio", "messages", "peak memory, MiB"];
    let mut table = Table::new("Standard input to one subscriber, loopback", &head);
    for (name, run) in
        [("the tutorial's: a line a message, each ack awaited", &peer), ("tailcast stream", &ours)]
    {
        table.add([
            name.to_owned(),
            grouped(run.lines),
            format!("{:.2}", run.seconds),
            grouped(run.lines_per_second().round() as u64),
            format!("{:.1}", run.lines_per_second() / peer.lines_per_second()),
            grouped(run.messages),
            Mebibytes(run.peak_kib).to_string(),
        ]);
    }
    table.print();
    println!(
        "\nThe peer's clock starts with its open connection; ours with its process, and stops when it has ended with \
         exit code 0 and every line is counted."
    );

    let mut table = Table::new("The service, in MiB", &["state", "memory"]);
    table.add(["idle, fresh".to_owned(), Mebibytes(idle).to_string()]);
    table.add(["at most, during the above".to_owned(), Mebibytes(loaded).to_string()]);
    table.print();
    Ok(())
}

/// Result of one streamer.
#[derive(Debug)]
struct Run {
    lines: u64,
    seconds: f64,
    messages: u64,
    peak_kib: Option<u64>,
}

impl Run {
    fn lines_per_second(&self) -> f64 {
        self.lines as f64 / self.seconds
    }
}

fn run_peer(bench: &Bench<'_>, negotiate: &str) -> Result<Run> {
    let subscriber = Subscriber::start(bench, negotiate, PEER_LINES)?;
    let script = bench.workspace.peers().join("one_line_a_message.py");
    let mut command = Program::new(bench.setup.python()?).arg(script).args([negotiate, GROUP]).into_command();
    command.stdin(Stdio::piped());
    let mut streamer = PipedProcess::start(command)?;
    let feeder = feed(streamer.child().stdin.take(), PEER_LINES)?;
    let peak_kib = wait_for_success(&mut streamer)?;
    finish(feeder)?;
    let sent = streamer.wait_for("sent ", RUN_LIMIT)?;
    let seconds = sent.split(' ').nth(1).and_then(|word| word.parse().ok());
    let seconds = seconds.with_context(|| format!("the peer printed `sent {sent}`"))?;
    Ok(Run { lines: PEER_LINES, seconds, messages: subscriber.wait()?, peak_kib })
}

fn run_ours(bench: &Bench<'_>, negotiate: &str) -> Result<Run> {
    let subscriber = Subscriber::start(bench, negotiate, OUR_LINES)?;
    let stream = Program::new(bench.workspace.tailcast()).args(["stream", "--negotiate", negotiate]);
    let mut command = stream.args(["--group", GROUP]).into_command();
    command.stdin(Stdio::piped());
    let start = Instant::now();
    let mut streamer = PipedProcess::start(command)?;
    let feeder = feed(streamer.child().stdin.take(), OUR_LINES)?;
    let peak_kib = wait_for_success(&mut streamer)?;
    let messages = subscriber.wait()?;
    let seconds = start.elapsed().as_secs_f64();
    finish(feeder)?;
    Ok(Run { lines: OUR_LINES, seconds, messages, peak_kib })
}

/// A third-party program that counts messages.
struct Subscriber(PipedProcess);

impl Subscriber {
    fn start(bench: &Bench<'_>, negotiate: &str, lines: u64) -> Result<Self> {
        let script = bench.workspace.peers().join("count_lines.py");
        let count =
            Program::new(bench.setup.python()?).arg(script).args([negotiate, GROUP, &lines.to_string()]);
        let process = PipedProcess::start(count.into_command())?;
        process.wait_for("ready", RUN_LIMIT).context("the subscriber did not join")?;
        Ok(Self(process))
    }

    /// Waits for all lines, and returns the number of their messages.
    fn wait(self) -> Result<u64> {
        let counted =
            self.0.wait_for("counted ", RUN_LIMIT).context("lines are missing at the subscriber")?;
        let messages = counted.split(' ').nth(1).and_then(|word| word.parse().ok());
        messages.with_context(|| format!("the subscriber printed `counted {counted}`"))
    }
}

/// Writes the numbers from 1 to `lines`, one per line, as `seq` does.
fn feed(input: Option<ChildStdin>, lines: u64) -> Result<JoinHandle<io::Result<()>>> {
    let mut input = io::BufWriter::with_capacity(64 * 1024, input.context("the standard input is a pipe")?);
    Ok(thread::spawn(move || {
        for number in 1..=lines {
            writeln!(input, "{number}")?;
        }
        input.flush()
    }))
}

fn finish(feeder: JoinHandle<io::Result<()>>) -> Result<()> {
    match feeder.join() {
        Ok(written) => written.context("the streamer stopped reading"),
        Err(_) => bail!("writing to the streamer panicked"),
    }
}

/// Waits for exit code 0, and returns the peak memory in KiB.
fn wait_for_success(streamer: &mut PipedProcess) -> Result<Option<u64>> {
    let deadline = Instant::now() + RUN_LIMIT;
    let mut peak_kib = None;
    loop {
        peak_kib = memory::peak_resident_kib(streamer.child().id()).or(peak_kib);
        if let Some(status) = streamer.child().try_wait().context("cannot wait for the streamer")? {
            ensure!(status.success(), "the streamer ended with {status}");
            return Ok(peak_kib);
        }
        ensure!(Instant::now() < deadline, "the streamer still runs after {} s", RUN_LIMIT.as_secs());
        thread::sleep(LOOK_PAUSE);
    }
}

/// KiB, formatted as MiB; a dash if unknown.
struct Mebibytes(Option<u64>);

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(kib) => write!(f, "{:.1}", kib as f64 / 1024.0),
            None => f.write_str("–"),
        }
    }
}
