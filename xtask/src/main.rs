//! `cargo xtask`: set-up, builds, tests and packages.
//!
//! Every command installs the tools that it needs. A machine needs only a stable Rust and access to the public package
//! registries to run `cargo xtask serve` or `cargo xtask test`.

mod autobahn;
mod bench;
mod budget;
mod build;
mod client_js;
mod clocks;
mod dependencies;
mod dist;
mod docs;
#[cfg(test)]
mod documented;
mod element;
mod first_load;
mod lint;
mod module_circles;
mod module_files;
mod npm_package;
mod page_rules;
mod piped_process;
mod platform;
mod predicates;
mod program;
mod progress;
mod serve;
mod setup;
mod site;
mod sources;
mod stamp;
mod test;
mod type_names;
mod words;
mod workspace;
mod zip;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use setup::Setup;
use workspace::Workspace;

/// Set up, build, serve, test, lint, measure and pack Tailcast.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install the missing tools of all commands. Each command also installs its own
    Setup,
    /// Build the page (into target/site/) and the `tailcast` binary that embeds it, in release
    Build,
    /// Build, then run `tailcast serve`
    Serve {
        /// Arguments for `tailcast serve`, with or without a `--` before them
        #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run all checks and tests, and stop at the first that fails
    Test(test::Options),
    /// Check formatting, words, clippy (native and WebAssembly), documentation and dependencies
    Lint(lint::Checks),
    /// Run benchmarks, and compare with other programs
    Bench {
        /// Benchmark; all of them when not given
        name: Option<bench::Name>,
    },
    /// Run the Autobahn test suite of WebSocket conformance on the hub. Needs Python 2.7
    Autobahn,
    /// Build the custom element `<tail-cast>` as a package of npm, into target/element/
    Element,
    /// Build the documentation as a book, into target/book/
    Docs,
    /// Build and pack the releases into dist/: the page for file hosts, the element, the client for JavaScript, and the program as
    /// archive, Python wheel and npm package
    Dist(dist::PackOptions),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let setup = Setup::new(&workspace);
    match command {
        Command::Setup => {
            setup.everything()?;
            progress::note("all tools are installed");
        }
        Command::Build => build::all(&workspace, &setup)?,
        Command::Serve { args } => return serve::run(&workspace, &setup, &args),
        Command::Test(options) => test::run(&workspace, &setup, &options)?,
        Command::Lint(checks) => checks.run(&workspace, &setup)?,
        Command::Bench { name } => bench::run(name, &workspace, &setup)?,
        Command::Autobahn => autobahn::run(&workspace, &setup)?,
        Command::Element => element::build(&workspace, &setup)?,
        Command::Docs => docs::build(&workspace, &setup).map(drop)?,
        Command::Dist(options) => dist::run(&workspace, &setup, options)?,
    }
    Ok(ExitCode::SUCCESS)
}
