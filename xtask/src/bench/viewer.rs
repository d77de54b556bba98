//! Benchmark of the page and other log viewers, in one browser, with the same lines over a real WebSocket.
//!
//! The server sends prepared messages, so that the processor belongs to the browser.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::report::{Table, grouped};
use crate::program::Program;
use crate::setup::Browser;

/// A page under measurement.
#[derive(Debug, Clone, Copy)]
struct Viewer {
    title: &'static str,
    /// Folder in the site.
    folder: &'static str,
    /// Subprotocol: `json` or `protobuf`.
    form: &'static str,
}

const OURS: Viewer = Viewer { title: "Tailcast", folder: "ours", form: "protobuf" };

const VIEWERS: [Viewer; 8] = [
    OURS,
    Viewer { title: "Tailcast, JSON", form: "json", ..OURS },
    json("a page with react-virtuoso 4.18", "virtuoso"),
    json("xterm.js 6.0.0, DOM renderer", "xterm"),
    json("ghostty-web 0.4.0", "ghostty"),
    json("@melloware/react-logviewer 6.5.5", "logviewer"),
    json("the tutorial's page", "tutorial"),
    json("a page that only counts", "counting"),
];

const fn json(title: &'static str, folder: &'static str) -> Viewer {
    Viewer { title, folder, form: "json" }
}

/// Measurements of each viewer, by turns: the speed of a machine varies within minutes.
const ROUNDS: usize = 5;
/// Numbers of lines.
const BATCHED: [u64; 2] = [100_000, 1_000_000];
const SINGLE: u64 = 100_000;
/// Lines in the page during a search.
const HELD: u64 = 1_000_000;
/// Lines at 2,000/s.
const PACED: u64 = 10_000;

/// Measures all viewers.
///
/// # Errors
/// When something cannot be built, or a browser does not start.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let measuring = Measuring { bench, site: build_site(bench)?, browser: bench.setup.browser()? };
    for lines in BATCHED {
        measuring.flood("64 KiB a message", "batched", lines)?;
    }
    measuring.flood("a line a message", "single", SINGLE)?;
    measuring.pace()?;
    measuring.search()
}

struct Measuring<'b> {
    bench: &'b Bench<'b>,
    site: PathBuf,
    browser: Browser,
}

impl Measuring<'_> {
    fn flood(&self, form: &str, load: &str, lines: u64) -> Result<()> {
        let head = [
            "viewer",
            "lines/s",
            "frame gap 95 %, ms",
            "worst, ms",
            "long tasks, ms",
            "JavaScript heap, MiB",
            "renderer, MiB",
            "renderer to text",
            "DOM nodes",
        ];
        let title = format!("Until the last of {} lines is visible, {form}", grouped(lines));
        let mut table = Table::new(&title, &head);
        for (viewer, rounds) in VIEWERS.iter().zip(self.rounds(load, lines)?) {
            let row = [viewer.title.to_owned()];
            if let Some(why) = failure(&rounds) {
                table.add(row.into_iter().chain([why.to_owned()]));
                continue;
            }
            let whole = |name: &str| grouped(median(&rounds, name).round() as u64);
            let mebibytes = |name: &str| format!("{:.1}", median(&rounds, name) / f64::from(1 << 20));
            table.add(row.into_iter().chain([
                whole("linesPerSecond"),
                format!("{:.1}", median(&rounds, "gap95Ms")),
                whole("worstGapMs"),
                whole("longTaskMs"),
                mebibytes("heapBytes"),
                mebibytes("rendererBytes"),
                format!("{:.1}", median(&rounds, "rendererBytes") / median(&rounds, "rawBytes")),
                whole("domNodes"),
            ]));
        }
        table.print();
        Ok(())
    }

    fn pace(&self) -> Result<()> {
        let head = ["viewer", "median, ms", "99 % within, ms", "worst frame gap, ms"];
        let mut table =
            Table::new("From a message's arrival until it is painted, 2,000 lines/s for 5 s", &head);
        for (viewer, rounds) in VIEWERS.iter().zip(self.rounds("paced", PACED)?) {
            let row = [viewer.title.to_owned()];
            if let Some(why) = failure(&rounds) {
                table.add(row.into_iter().chain([why.to_owned()]));
                continue;
            }
            let figure = |name: &str| format!("{:.1}", median(&rounds, name));
            table.add(row.into_iter().chain(["delay50Ms", "delay99Ms", "worstGapMs"].map(figure)));
        }
        table.print();
        Ok(())
    }

    fn search(&self) -> Result<()> {
        let head = ["search", "lines found", "ms until counted and shown", "worst frame gap, ms"];
        let mut table = Table::new(&format!("Searching {} lines in the page", grouped(HELD)), &head);
        let rounds: Vec<Value> =
            (0..ROUNDS).map(|_| self.measure(OURS, "search", HELD)).collect::<Result<_>>()?;
        if let Some(why) = failure(&rounds) {
            table.add([why.to_owned()]);
        }
        for (name, key) in [
            ("words, capitals or not", "literalAnyCase"),
            ("words", "literal"),
            ("a regular expression", "expression"),
        ] {
            let found: Vec<Value> = rounds.iter().filter_map(|round| round.get(key)).cloned().collect();
            table.add([
                name.to_owned(),
                grouped(median(&found, "hits") as u64),
                format!("{:.0}", median(&found, "ms")),
                format!("{:.0}", median(&found, "worstGapMs")),
            ]);
        }
        table.print();
        Ok(())
    }

    /// Measures one load on all viewers, by turns. A viewer that has failed is not measured again.
    fn rounds(&self, load: &str, lines: u64) -> Result<Vec<Vec<Value>>> {
        let mut figures: Vec<Vec<Value>> = VIEWERS.map(|_| Vec::new()).into();
        for _ in 0..ROUNDS {
            for (viewer, rounds) in VIEWERS.into_iter().zip(&mut figures) {
                if failure(rounds).is_none() {
                    rounds.push(self.measure(viewer, load, lines)?);
                }
            }
        }
        Ok(figures)
    }

    /// Measures one load on one viewer, in a browser and with a server of its own.
    fn measure(&self, viewer: Viewer, load: &str, lines: u64) -> Result<Value> {
        let run =
            ["run", "--quiet", "--release", "--package", "tailcast-tests", "--bin", "measure-viewer", "--"];
        let answer = self
            .bench
            .workspace
            .cargo()?
            .args(run)
            .arg(&self.site)
            .args([viewer.folder, viewer.form, load, &lines.to_string()])
            .env("CHROMIUM", &self.browser.program)
            .env("CHROMEDRIVER", &self.browser.driver)
            .capture()?;
        serde_json::from_str(&answer).with_context(|| format!("the measurement printed `{answer}`"))
    }
}

/// Returns the median of a figure.
fn median(rounds: &[Value], name: &str) -> f64 {
    let mut figures: Vec<f64> =
        rounds.iter().filter_map(|round| round.get(name).and_then(Value::as_f64)).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the reason for missing figures.
fn failure(rounds: &[Value]) -> Option<&str> {
    rounds.iter().find_map(|round| round.get("failed").and_then(Value::as_str))
}

/// Creates a folder with one folder for each viewer.
fn build_site(bench: &Bench<'_>) -> Result<PathBuf> {
    let site = bench.workspace.target().join("bench-viewer");
    copy_files(&bench.workspace.site(), &site.join("ours"))?;
    copy_files(&bench.workspace.strangers().join("page/last"), &site.join("tutorial"))?;
    let modules = bench.setup.peers().node_modules?;
    let page = include_str!("peers/viewer/page.html");
    let style = modules.join("@xterm/xterm/css/xterm.css");
    for name in ["counting", "ghostty", "logviewer", "virtuoso", "xterm"] {
        let folder = site.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        bundle(bench, &modules, name, &folder.join("page.js"))?;
        fs::write(folder.join("index.html"), page)
            .with_context(|| format!("cannot write to {}", folder.display()))?;
        fs::copy(&style, folder.join("xterm.css"))
            .with_context(|| format!("cannot copy {}", style.display()))?;
    }
    Ok(site)
}

/// Bundles a viewer, because browsers resolve no package names.
fn bundle(bench: &Bench<'_>, modules: &Path, name: &str, file: &Path) -> Result<()> {
    let sources = bench.workspace.peers().join("viewer");
    Program::new(modules.join(".bin/esbuild"))
        .args(["--bundle", "--format=esm", "--platform=browser", "--minify", "--log-level=error"])
        .arg("--define:process.env.NODE_ENV=\"production\"")
        .arg(format!("--outfile={}", file.display()))
        .arg(sources.join(format!("{name}.js")))
        .env("NODE_PATH", modules)
        .run()
        .with_context(|| format!("the viewer `{name}` could not be bundled"))
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in from.read_dir().with_context(|| format!("cannot read {}", from.display()))?.flatten() {
        let copied = fs::copy(entry.path(), to.join(entry.file_name()));
        copied.with_context(|| format!("cannot copy {} to {}", entry.path().display(), to.display()))?;
    }
    Ok(())
}
