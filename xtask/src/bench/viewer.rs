//! Benchmark of the page and other log viewers, in one browser, with the same lines over a real WebSocket.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::report::{Table, grouped};
use super::service::BenchService;
use crate::program::Program;
use crate::setup::Browser;

/// Viewers: title, and folder in the site.
const VIEWERS: [(&str, &str); 5] = [
    ("Tailcast", "ours"),
    ("the tutorial's page", "tutorial"),
    ("xterm.js 6.0.0, DOM renderer", "xterm"),
    ("@melloware/react-logviewer 6.5.5", "logviewer"),
    ("a page that only counts", "counting"),
];

/// Numbers of lines for each viewer. After a failure, larger numbers are skipped.
const BATCHED: [u64; 3] = [10_000, 100_000, 1_000_000];
const SINGLE: [u64; 2] = [10_000, 100_000];
/// Lines in the page during a search.
const HELD: u64 = 1_000_000;
const PACED: u64 = 10_000;

/// Measures all viewers.
///
/// # Errors
/// When something cannot be built, or a browser does not start.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let measuring = Measuring { bench, site: build_site(bench)?, browser: bench.setup.browser()? };
    measuring.flood("64 KiB a message", "batched", &BATCHED)?;
    measuring.flood("a line a message", "single", &SINGLE)?;
    measuring.pace()?;
    measuring.search()
}

struct Measuring<'b> {
    bench: &'b Bench<'b>,
    site: PathBuf,
    browser: Browser,
}

impl Measuring<'_> {
    fn flood(&self, form: &str, load: &str, sizes: &[u64]) -> Result<()> {
        let head = [
            "viewer",
            "lines",
            "lines/s",
            "frame gap 95 %, ms",
            "worst, ms",
            "long tasks, ms",
            "JavaScript heap, MiB",
            "renderer, MiB",
            "renderer to text",
            "DOM nodes",
        ];
        let mut table = Table::new(&format!("Until the last line is visible, {form}"), &head);
        for (name, folder) in VIEWERS {
            for &lines in sizes {
                let figures = self.measure(folder, load, lines)?;
                let row = [name.to_owned(), grouped(lines)];
                if let Some(why) = failure(&figures) {
                    table.add(row.into_iter().chain([why.to_owned()]));
                    break;
                }
                let whole = |name: &str| grouped(number(&figures, name).round() as u64);
                let mebibytes = |name: &str| format!("{:.1}", number(&figures, name) / f64::from(1 << 20));
                table.add(row.into_iter().chain([
                    whole("linesPerSecond"),
                    format!("{:.1}", number(&figures, "gap95Ms")),
                    whole("worstGapMs"),
                    whole("longTaskMs"),
                    mebibytes("heapBytes"),
                    mebibytes("rendererBytes"),
                    format!("{:.1}", number(&figures, "rendererBytes") / number(&figures, "rawBytes")),
                    whole("domNodes"),
                ]));
            }
        }
        table.print();
        Ok(())
    }

    fn pace(&self) -> Result<()> {
        let head = ["viewer", "median, ms", "99 % within, ms", "worst frame gap, ms"];
        let mut table =
            Table::new("From a message's arrival until it is painted, 2,000 lines/s for 5 s", &head);
        for (name, folder) in VIEWERS {
            let figures = self.measure(folder, "paced", PACED)?;
            let row = [name.to_owned()];
            if let Some(why) = failure(&figures) {
                table.add(row.into_iter().chain([why.to_owned()]));
                continue;
            }
            let figure = |name: &str| format!("{:.1}", number(&figures, name));
            table.add(row.into_iter().chain(["delay50Ms", "delay99Ms", "worstGapMs"].map(figure)));
        }
        table.print();
        Ok(())
    }

    fn search(&self) -> Result<()> {
        let head = ["search", "lines found", "ms until counted and shown", "worst frame gap, ms"];
        let mut table = Table::new(&format!("Searching {} lines in the page", grouped(HELD)), &head);
        let figures = self.measure("ours", "search", HELD)?;
        if let Some(why) = failure(&figures) {
            table.add([why.to_owned()]);
        }
        for (name, key) in [
            ("words, capitals or not", "literalAnyCase"),
            ("words", "literal"),
            ("a regular expression", "expression"),
        ] {
            let Some(found) = figures.get(key) else { continue };
            table.add([
                name.to_owned(),
                grouped(number(found, "hits") as u64),
                format!("{:.0}", number(found, "ms")),
                format!("{:.0}", number(found, "worstGapMs")),
            ]);
        }
        table.print();
        Ok(())
    }

    /// Measures one load on one viewer, in a browser and with a service of its own.
    fn measure(&self, folder: &str, load: &str, lines: u64) -> Result<Value> {
        let service = BenchService::start_with(self.bench.workspace, &self.site)?;
        let answer = self
            .bench
            .workspace
            .cargo()?
            .args([
                "run",
                "--quiet",
                "--release",
                "--package",
                "tailcast-tests",
                "--bin",
                "measure-viewer",
                "--",
            ])
            .args([service.address(), folder, load, &lines.to_string()])
            .env("CHROMIUM", &self.browser.program)
            .env("CHROMEDRIVER", &self.browser.driver)
            .capture()?;
        serde_json::from_str(&answer).with_context(|| format!("the measurement printed `{answer}`"))
    }
}

fn number(figures: &Value, name: &str) -> f64 {
    figures.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Returns the reason for missing figures.
fn failure(figures: &Value) -> Option<&str> {
    figures.get("failed").and_then(Value::as_str)
}

/// Creates a folder with one folder for each viewer.
fn build_site(bench: &Bench<'_>) -> Result<PathBuf> {
    let site = bench.workspace.target().join("bench-viewer");
    copy_files(&bench.workspace.site(), &site.join("ours"))?;
    copy_files(&bench.workspace.strangers().join("page/last"), &site.join("tutorial"))?;
    let modules = bench.setup.peers().node_modules?;
    let page = include_str!("peers/viewer/page.html");
    // The server rejects a site without this file.
    fs::write(site.join("index.html"), page)
        .with_context(|| format!("cannot write to {}", site.display()))?;
    let style = modules.join("@xterm/xterm/css/xterm.css");
    for name in ["counting", "logviewer", "xterm"] {
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
