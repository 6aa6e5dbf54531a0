//! The arguments, and the help.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::failure::{Failure, Stop};
use crate::rows;

const EXAMPLES: &str = "\
Examples:
  agent-chaos presets                                 what there is to start from
  agent-chaos run exp-002                             run a preset
  agent-chaos run exp-002 --set workers.count=6       … with something changed
  agent-chaos run exp-002 --seeds 1..100 --json       … a hundred times, for a program
  agent-chaos presets exp-002 > mine.json             take a preset as a file, to be edited
  agent-chaos run mine.json --events events.ndjson    run a file, keep every event
  agent-chaos link mine.json --seed 7                 a link that can tell whether it reproduces
  agent-chaos open 'v1.exp-002~workers.count=6'       what a link changes, and whether it reproduces
  agent-chaos sweep exp-002 --vary agents.count=100..1000:100 --seeds 1..10 --out rows.csv
                                                      a field varied, each value ten times
  agent-chaos edge exp-002 --vary agents.count=100..1000 --seeds 1..20
                                                      where it begins to collapse

Exit status: 0 done, 1 a link gave a different result, 2 bad input (the message names the field).";

const RUN_EXAMPLES: &str = "\
Examples:
  agent-chaos run exp-003
  agent-chaos run exp-002 --set queue.capacity=40 --set throttle=null
  agent-chaos run exp-002 --set 'faults.error={\"probability_base\": 0.01}'
  agent-chaos run exp-002 --seed new
  agent-chaos run exp-002 --seeds 1..100 --json
  echo '{\"version\": 1, \"workers\": {\"count\": 3}}' | agent-chaos run -

A path is a profile's field with dots (`agent-chaos schema` lists all); the value is JSON, else
text; null switches a section off.";

const SWEEP_EXAMPLES: &str = "\
Examples:
  agent-chaos sweep exp-002 --vary agents.count=100..1000:100 --seeds 1..10 --out rows.csv
  agent-chaos sweep exp-002 --vary agents.count=50..800:50 --vary workers.count=1..8 \\
      --seeds 1..20 --out rows.parquet
  agent-chaos sweep mm1 --vary arrivals.rate_per_second=10,50,90,95 --seeds 1..10 --out mm1.ndjson
  agent-chaos sweep exp-002 --vary agents.think_seconds=0.01..10:log7 --seeds 1..10 --out think.csv

On several machines, each with its part, and one file of all parts:
  agent-chaos sweep exp-002 --vary agents.count=1..800 --seeds 1..20 --shard 1/2 --out 1.ndjson
  agent-chaos sweep exp-002 --vary agents.count=1..800 --seeds 1..20 --shard 2/2 --out 2.ndjson
  agent-chaos merge 1.ndjson 2.ndjson --out rows.parquet

A path is a numeric field with dots (`agent-chaos schema` lists all). Values: A..B (both included,
steps of 1), A..B:STEP (the last step is shorter where that does not come out even), A..B:logN (N
values, evenly spaced on a logarithmic scale), or A,B,C. The first --vary is the slowest in the
file, seeds are the fastest. Rows have no wall time: the same sweep gives the same bytes, however
many jobs or parts. Interrupted, it keeps every finished row; the same command goes on from there.";

const MERGE_EXAMPLES: &str = "\
Examples:
  agent-chaos merge 1.ndjson 2.ndjson --out rows.parquet
  agent-chaos merge part-*.csv --out rows.csv

Parts may be named in any order. It is an error if they are not of one sweep, if cells are missing,
or if a cell is in two parts.";

const EDGE_EXAMPLES: &str = "\
Examples:
  agent-chaos edge exp-002 --vary agents.count=100..1000 --seeds 1..20
  agent-chaos edge exp-002 --vary workers.count=1..16 --seeds 1..20 --until state-collapsed
  agent-chaos edge retry-storm --vary timeline.0.for_seconds=0.5..30 --seeds 1..20 \\
      --until not-recovered                           the longest trigger it recovers from

Bisection on the share of seeds finds where half of them tip; more values are tried where some do
and some do not. The edge is the 50 % point of a logistic curve through all of them; its 95 %
interval takes the seeds for the units, not the runs. Where outcomes part too sharply for a curve,
the edge is told as an interval.";

const HYSTERESIS_EXAMPLES: &str = "\
Examples:
  agent-chaos hysteresis mm1 --vary arrivals.rate_per_second=20..120:20 --hold 30 --seeds 1..5
  agent-chaos hysteresis retry-storm --set 'timeline=[]' \\
      --vary arrivals.rate_per_second=20..140:15 --hold 40 --seeds 1..10
  agent-chaos hysteresis exp-002 --vary agents.count=50..800:75 --hold 30 --seeds 1..10

Each seed has two runs: one from the lowest value up, one from the highest down, each value held
for so many seconds of virtual time and measured in the second half of them. The field must be one
that may change in a run (those a timeline can set, and agents.count).";

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
    /// Vary fields over ranges, each point under several seeds, and write a row for each run
    Sweep(SweepOptions),
    /// Make one file of the parts of a sweep, if they belong together and are complete
    Merge(MergeOptions),
    /// Find where along a field it begins to collapse, with an interval
    Edge(EdgeOptions),
    /// Step a field up and down again, and say whether the way matters
    Hysteresis(HysteresisOptions),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
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
    /// Write every event to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
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

/// `sweep`
#[derive(Debug, Args)]
#[command(after_help = SWEEP_EXAMPLES, after_long_help = sweep_help())]
pub struct SweepOptions {
    /// A preset's name, a file, a link, or - for standard input
    #[arg(value_name = "PRESET|FILE|LINK|-")]
    pub input: String,
    /// A field to vary, and its values; may be repeated
    #[arg(
        long,
        value_name = "PATH=A..B[:STEP]",
        required = true,
        allow_hyphen_values = true
    )]
    pub vary: Vec<String>,
    /// The seeds of each point, from A to B, both included
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub seeds: String,
    /// Write the rows to this file: .ndjson, .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Change a field of all points: dotted path and JSON value (or text); may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Run so many at a time [default: one for each core]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub jobs: Option<String>,
    /// Run only the I-th of N parts
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    pub shard: Option<String>,
    /// What the edge in the summary is about: worst-collapsed, worst-degraded, state-collapsed,
    /// state-degraded, not-recovered or metastable
    #[arg(long, value_name = "QUESTION", default_value = "worst-collapsed")]
    pub until: String,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

fn sweep_help() -> String {
    format!(
        "{SWEEP_EXAMPLES}\n\nColumns, after the sweep, the cell, the varied fields and the seed:\n{}",
        rows::described().trim_end()
    )
}

/// `merge`
#[derive(Debug, Args)]
#[command(after_help = MERGE_EXAMPLES)]
pub struct MergeOptions {
    /// The parts, .ndjson or .csv
    #[arg(value_name = "PART", required = true)]
    pub parts: Vec<PathBuf>,
    /// Write all rows to this file: .ndjson, .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `edge`
#[derive(Debug, Args)]
#[command(after_help = EDGE_EXAMPLES)]
pub struct EdgeOptions {
    /// A preset's name, a file, a link, or - for standard input
    #[arg(value_name = "PRESET|FILE|LINK|-")]
    pub input: String,
    /// The field, and from where to where to search
    #[arg(long, value_name = "PATH=A..B", allow_hyphen_values = true)]
    pub vary: String,
    /// The seeds of each value, from A to B, both included; at least five
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub seeds: String,
    /// What is asked of a run: worst-collapsed, worst-degraded, state-collapsed, state-degraded,
    /// not-recovered or metastable
    #[arg(long, value_name = "QUESTION", default_value = "worst-collapsed")]
    pub until: String,
    /// Change a field: dotted path and JSON value (or text); may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Run so many at a time [default: one for each core]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub jobs: Option<String>,
    /// Print the edge, and all that was tried, as JSON
    #[arg(long)]
    pub json: bool,
}

/// `hysteresis`
#[derive(Debug, Args)]
#[command(after_help = HYSTERESIS_EXAMPLES)]
pub struct HysteresisOptions {
    /// A preset's name, a file, a link, or - for standard input
    #[arg(value_name = "PRESET|FILE|LINK|-")]
    pub input: String,
    /// The field, and its values, as of `sweep`
    #[arg(long, value_name = "PATH=A..B[:STEP]", allow_hyphen_values = true)]
    pub vary: String,
    /// For how long each value is held, in seconds of virtual time
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub hold: String,
    /// The seeds, from A to B, both included; at least two
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub seeds: String,
    /// Which state at a value counts: worst-collapsed or worst-degraded
    #[arg(long, value_name = "QUESTION", default_value = "worst-collapsed")]
    pub until: String,
    /// Change a field: dotted path and JSON value (or text); may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Run so many at a time [default: one for each core]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub jobs: Option<String>,
    /// Print both branches as JSON
    #[arg(long)]
    pub json: bool,
}

/// The completions of a shell.
pub fn complete(shell: Shell, out: &mut impl Write) -> Result<(), Stop> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "agent-chaos", &mut script);
    out.write_all(&script)?;
    Ok(())
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
