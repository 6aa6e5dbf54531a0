//! Builds, serves, tests and measures the project: `cargo xtask --help`.
//!
//! Whatever a step needs it installs first, from the lock files, and says so.

mod bench;
mod browser;
mod cluster;
mod collector;
mod hosts;
mod page;
mod peers;
mod steps;
mod suite;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Builds, serves, tests and measures Agent Chaos Playground")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the engine and the page, serve them on this machine, print the address
    Serve {
        /// The port to serve on; the next free one if it is taken
        #[arg(long, default_value_t = 4173)]
        port: u16,
    },
    /// Build the engine as WebAssembly and the page
    Build,
    /// Run every test: core, command line, wasm, page
    Test {
        /// Only the parts whose name contains this
        #[arg(long)]
        only: Option<String>,
        /// Run the tests on other hosts instead: the page in Firefox, and in documentation tools
        #[arg(long)]
        hosts: bool,
        /// Run a sweep on a local cluster of worker processes instead (needs Python)
        #[arg(long, conflicts_with_all = ["only", "hosts", "miri"])]
        cluster: bool,
        /// Run the executor's tests under Miri instead, which looks for undefined behaviour
        #[arg(long, conflicts_with_all = ["only", "hosts"])]
        miri: bool,
    },
    /// Measure the speed against a bare loop; reports go to target/bench
    Bench(bench::Options),
    /// Check formatting, lints, documentation and types
    Lint,
    /// Rewrite the golden files and the JSON Schema, on purpose
    Bless,
    /// Put the static site into dist/
    Dist {
        /// The address where it will be, such as `https://example.org/playground/`: previews in chats, the
        /// sitemap and the way back from wrong addresses need it
        #[arg(long, value_name = "URL")]
        base: Option<String>,
    },
    /// Put the npm package into dist/npm
    Package,
    /// Take screenshots of the page into tests/browser/output
    Shots,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Serve { port } => page::serve(port),
        Command::Build => page::build(),
        Command::Test { miri: true, .. } => suite::miri(),
        Command::Test { cluster: true, .. } => suite::cluster(),
        Command::Test { only, hosts, .. } => suite::test(only.as_deref(), hosts),
        Command::Bench(options) => bench::bench(&options),
        Command::Lint => suite::lint(),
        Command::Bless => suite::bless(),
        Command::Dist { base } => page::dist(base.as_deref()),
        Command::Package => page::package(),
        Command::Shots => suite::shots(),
    }
}
