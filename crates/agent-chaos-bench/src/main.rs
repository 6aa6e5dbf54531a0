//! The program behind `cargo xtask bench`, which builds what it needs and starts it.

use std::path::PathBuf;

use agent_chaos_bench::browser::Setup;
use agent_chaos_bench::rounds::{self, Settings};
use agent_chaos_bench::{child, native, peers, process};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures how fast the simulation is; started by `cargo xtask bench`")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure everything and report
    Run(Box<Options>),
    /// Answer questions about native runs, one JSON object a line
    Answer,
    /// Run a program and print what it took
    #[command(trailing_var_arg = true)]
    Process {
        /// The program
        program: String,
        /// Its arguments
        #[arg(allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[derive(Args)]
struct Options {
    /// How often everything is measured
    #[arg(long)]
    rounds: usize,
    /// Leave out what a request costs as a number grows
    #[arg(long)]
    skip_scaling: bool,
    /// Run 20,000,000 requests as well
    #[arg(long)]
    long: bool,
    /// Run the benchmarks of single parts as well
    #[arg(long)]
    criterion: bool,
    /// The top of the repository
    #[arg(long)]
    top: PathBuf,
    /// The command line, built for release
    #[arg(long)]
    cli: PathBuf,
    /// The Chromium
    #[arg(long, required_unless_present = "no_chromium")]
    chromium: Option<PathBuf>,
    /// Why there is no Chromium
    #[arg(long)]
    no_chromium: Option<String>,
    /// The folder of the module that can run the engine alone
    #[arg(long)]
    alone: Option<PathBuf>,
    /// A file with the results of other engines
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Where the reports go
    #[arg(long)]
    output: PathBuf,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Answer => native::serve(),
        Command::Process { program, arguments } => process::run(&program, &arguments),
        Command::Run(options) => {
            child::listen()?;
            rounds::run(settings(*options)?)
        }
    }
}

fn settings(options: Options) -> Result<Settings> {
    let reason = options.no_chromium;
    let driver = options
        .top
        .join("crates/agent-chaos-bench/browser/driver.mjs");
    let browser = match (options.chromium, reason) {
        (Some(chromium), None) => Ok(Setup {
            chromium,
            driver,
            alone: options.alone,
        }),
        (_, reason) => Err(reason.unwrap_or_default()),
    };
    Ok(Settings {
        rounds: options.rounds,
        skip_scaling: options.skip_scaling,
        long: options.long,
        criterion: options.criterion,
        bench: std::env::current_exe()?,
        cli: options.cli,
        browser,
        peers: options.peers.as_deref().map(peers::read),
        output: options.output,
        top: options.top,
    })
}
