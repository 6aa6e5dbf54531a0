//! The arguments, and the help.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  agent-chaos presets                                 what there is to start from
  agent-chaos run exp-002                             run a preset
  agent-chaos run exp-002 --set workers.count=6       … with something changed
  agent-chaos run exp-002 --seeds 1..100 --json       … a hundred times, for a program
  agent-chaos presets exp-002 > mine.json             take a preset as a file, to be edited
  agent-chaos theory mm4-80                           hold it against queueing theory
  agent-chaos run mine.json --events events.ndjson    run a file, keep every event
  agent-chaos link mine.json --seed 7                 a link that can tell whether it reproduces
  agent-chaos open 'v1.exp-002~workers.count=6'       what a link changes, and whether it reproduces

Exit status: 0 done, 1 a link gave a different result or an assertion does not hold, 2 bad input (the message names the field).";

const RUN_EXAMPLES: &str = "\
Examples:
  agent-chaos run exp-003
  agent-chaos run exp-002 --set queue.capacity=40 --set throttle=null
  agent-chaos run exp-002 --set 'faults.error={\"base_probability\": 0.01}'
  agent-chaos run exp-002 --seed new
  agent-chaos run exp-002 --seeds 1..100 --json
  echo '{\"version\": 1, \"workers\": {\"count\": 3}}' | agent-chaos run -
  agent-chaos run exp-002 --assert 'latency_seconds.p95 < 0.3' --assert 'state != COLLAPSED'
  agent-chaos run metastable --assert 'recovery.seconds_after_trigger < 10'
  agent-chaos run exp-002 --otlp run.jsonl --trace run.trace.json --prometheus run.prom
  agent-chaos run exp-002 --otlp-endpoint http://localhost:4318 --start 2026-11-01T09:00:00Z
  agent-chaos run exp-002 --seeds 1..20 --assert 'mean(error_rate) < 0.15' \\
      --assert 'share(state == COLLAPSED) <= 0.05'

A path is a profile's field with dots (`agent-chaos schema` lists all); the value is JSON, else
text; null switches a section off.

An assertion compares a field of `run --json`, by its dotted path, with < <= > >= == or !=.
With --seeds it has to hold of each run; mean(PATH) and share(PATH OPERATOR VALUE) are of all of
them. A field without a value (null) is undefined, and no assertion of it holds. One that does
not hold ends in exit status 1.";

/// Congestion and collapse in a queue-based, single-host system: run experiments, compare them,
/// share them. Equal profiles give equal results, bit for bit, on every machine.
#[derive(Debug, Parser)]
#[command(name = "agent-chaos", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the presets, or print one as a profile
    Presets {
        /// Print this preset as JSON, every field
        name: Option<String>,
    },
    /// Run an experiment and report what it came to
    Run(RunOptions),
    /// Print a link to an experiment that can tell whether it reproduces
    Link(LinkOptions),
    /// Say what a link changes, run it, and say whether it reproduces
    Open(OpenOptions),
    /// Hold an experiment against queueing theory: formula by formula, or why one does not apply
    Theory(TheoryOptions),
    /// Print the JSON Schema of a profile: every field, its unit, its bounds
    Schema,
}

/// What changes the experiment.
#[derive(Debug, Args)]
pub struct Settings {
    /// Change a field: dotted path and JSON value (or text); may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// The seed: 0 to 4294967295, or `new` for a random one
    #[arg(long, value_name = "N|new", allow_hyphen_values = true)]
    pub seed: Option<String>,
}

/// `run`
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunOptions {
    /// A preset's name, a file, a link, or - for standard input
    #[arg(value_name = "PRESET|FILE|LINK|-")]
    pub input: String,
    #[command(flatten)]
    pub settings: Settings,
    /// Run once with each seed from A to B, both included
    #[arg(long, value_name = "A..B", conflicts_with_all = ["seed", "events"], allow_hyphen_values = true)]
    pub seeds: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Fail unless this holds, such as 'latency_seconds.p95 < 0.3'; may be repeated
    #[arg(long = "assert", value_name = "EXPR", allow_hyphen_values = true)]
    pub assertions: Vec<String>,
    /// Write every event to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Write traces, metrics and logs to this file: OpenTelemetry, one line of OTLP/JSON a message
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "seeds",
        help_heading = "For other tools"
    )]
    pub otlp: Option<PathBuf>,
    /// Send them to a collector: OTLP over HTTP, as protobuf
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "seeds",
        help_heading = "For other tools"
    )]
    pub otlp_endpoint: Option<String>,
    /// When virtual time begins for OpenTelemetry [default: 2026-01-01T00:00:00Z]
    #[arg(
        long,
        value_name = "TIME",
        conflicts_with = "seeds",
        help_heading = "For other tools"
    )]
    pub start: Option<String>,
    /// Write a trace for Perfetto: a track for each worker, and counters
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "seeds",
        help_heading = "For other tools"
    )]
    pub trace: Option<PathBuf>,
    /// Write the report as Prometheus text; - prints it in place of the report
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "seeds",
        help_heading = "For other tools"
    )]
    pub prometheus: Option<PathBuf>,
}

/// `theory`
#[derive(Debug, Args)]
pub struct TheoryOptions {
    /// A preset's name, a file, a link, or - for standard input
    #[arg(value_name = "PRESET|FILE|LINK|-")]
    pub input: String,
    /// Change a field: dotted path and JSON value (or text); may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Run once with each seed from A to B, both included; at least 10 of them
    #[arg(
        long,
        value_name = "A..B",
        default_value = "1..20",
        allow_hyphen_values = true
    )]
    pub seeds: String,
    /// Print the table as JSON
    #[arg(long)]
    pub json: bool,
}

/// `link`
#[derive(Debug, Args)]
pub struct LinkOptions {
    /// A preset's name, a file, a link, or - for standard input
    #[arg(value_name = "PRESET|FILE|LINK|-")]
    pub input: String,
    #[command(flatten)]
    pub settings: Settings,
    /// Put the link behind this address
    #[arg(long, value_name = "URL")]
    pub base: Option<String>,
    /// Do not run it: the link cannot be verified then
    #[arg(long)]
    pub no_run: bool,
}

/// `open`
#[derive(Debug, Args)]
pub struct OpenOptions {
    /// The link, whole or from the # on; - for standard input
    #[arg(allow_hyphen_values = true)]
    pub link: String,
    /// Print everything as JSON, the report included
    #[arg(long)]
    pub json: bool,
}

/// The command and whether errors are to be JSON; or the exit status, all having been said.
pub fn parse() -> Result<(Command, bool), ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let json = words.iter().any(|word| word == "--json");
    Arguments::try_parse_from(words)
        .map(|arguments| (arguments.command, json))
        .map_err(|error| refuse(&error, json))
}

fn refuse(error: &clap::Error, json: bool) -> ExitCode {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if json && !asked {
        let text = error.to_string();
        let said = text.split("\n\n").next().unwrap_or_default();
        let said = said.strip_prefix("error: ").unwrap_or(said);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::said("", said, "see agent-chaos --help").print(true);
    } else {
        // Nobody may be listening; there is nobody else to tell.
        let _ = error.print();
        let _ = std::io::stdout().flush();
    }
    ExitCode::from(if asked { 0 } else { 2 })
}
