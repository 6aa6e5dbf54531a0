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
  agent-chaos theory mm4-80                           hold it against queueing theory
  agent-chaos run mine.json --events events.ndjson    run a file, keep every event
  agent-chaos link mine.json --seed 7                 a link that can tell whether it reproduces
  agent-chaos link exp-002 --view show=verdict,charts --view 'ask=How many workers does it take?'
  agent-chaos open 'v1.exp-002~workers.count=6'       what a link changes, and whether it reproduces
  agent-chaos sweep exp-002 --vary agents.count=100..1000:100 --seeds 1..10 --out rows.csv
                                                      a field varied, each value ten times
  agent-chaos edge exp-002 --vary agents.count=100..1000 --seeds 1..20
                                                      where it begins to collapse

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

const SWEEP_EXAMPLES: &str = "\
Examples:
  agent-chaos sweep exp-002 --vary agents.count=100..1000:100 --seeds 1..10 --out rows.csv
  agent-chaos sweep exp-002 --vary agents.count=50..800:50 --vary workers.count=1..8 \\
      --seeds 1..20 --out rows.parquet
  agent-chaos sweep mm1 --vary arrivals.rate_per_second=10,50,90,95,99 --seeds 1..10 --out mm1.ndjson
  agent-chaos sweep exp-002 --vary agents.think_seconds=0.01..10:log7 --seeds 1..10 --out think.csv

On several machines, each with its part, and one file of all parts:
  agent-chaos sweep exp-002 --vary agents.count=1..800 --seeds 1..20 --shard 1/2 --out 1.ndjson
  agent-chaos sweep exp-002 --vary agents.count=1..800 --seeds 1..20 --shard 2/2 --out 2.ndjson
  agent-chaos merge 1.ndjson 2.ndjson --out rows.parquet

A path is a numeric field with dots (`agent-chaos schema` lists all). Values: A..B (both included, steps
of 1), A..B:STEP (the last step is shorter where that does not come out even), A..B:logN (N values,
evenly spaced on a logarithmic scale), or A,B,C. The first --vary is the slowest in the file, seeds are
the fastest. Rows have no wall time: the same sweep gives the same bytes, however many jobs or parts.
Interrupted, it keeps every finished row; the same command goes on from there.";

const MERGE_EXAMPLES: &str = "\
Examples:
  agent-chaos merge 1.ndjson 2.ndjson --out rows.parquet
  agent-chaos merge part-*.csv --out rows.csv

Parts may be named in any order. It is an error if they are not of one sweep, if cells are missing, or
if a cell is in two parts.";

const EDGE_EXAMPLES: &str = "\
Examples:
  agent-chaos edge exp-002 --vary agents.count=100..1000 --seeds 1..20
  agent-chaos edge exp-002 --vary workers.count=1..16 --seeds 1..20 --until worst-collapsed
  agent-chaos edge retry-storm --vary timeline.0.for_seconds=0.5..30 --seeds 1..20 --until not-recovered
                                                      the longest trigger it recovers from

Bisection on the share of seeds finds where half of them tip; more values are tried where some do and
some do not. The edge is the 50 % point of a logistic curve through all of them; its 95 % interval takes
the seeds for the units, not the runs. Where outcomes part too sharply for a curve, the edge is told as an
interval.";

const HYSTERESIS_EXAMPLES: &str = "\
Examples:
  agent-chaos hysteresis mm1 --vary arrivals.rate_per_second=20..120:20 --hold 30 --seeds 1..5
  agent-chaos hysteresis retry-storm --set 'timeline=[]' \\
      --vary arrivals.rate_per_second=20..140:15 --hold 40 --seeds 1..10
  agent-chaos hysteresis exp-002 --vary agents.count=50..800:75 --hold 30 --seeds 1..10

Each seed has two runs: one from the lowest value up, one from the highest down, each value held for so
many seconds of virtual time and measured in the second half of them. The field must be one that may
change in a run (those a timeline can set, and agents.count).";

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
    /// Hold an experiment against queueing theory: formula by formula, or why one does not apply
    Theory(TheoryOptions),
    /// Print the JSON Schema of a profile: every field, its unit, its bounds
    Schema,
    /// Put experiments into an mdBook: its preprocessor, to be named in book.toml
    Mdbook(MdbookOptions),
}

/// What changes the experiment.
#[derive(Debug, Args)]
pub struct Settings {
    /// Change a field: dotted path and JSON value (or text); may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// The seed: 0 to 4294967295, `new` for a random one, or `name:TEXT` for the one of a student of a
    /// task that gives each their own
    #[arg(long, value_name = "N|new|name:TEXT", allow_hyphen_values = true)]
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
    /// Say how the page shows it; may be repeated. Keys: show, charts, lock, free (lists separated by
    /// commas), ask (a question), seeds (own), vs (changes separated by commas, to compare with)
    #[arg(long = "view", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub view: Vec<String>,
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
    /// What the edge in the summary is about: state-collapsed, state-degraded, worst-collapsed,
    /// worst-degraded (at any time), not-recovered or metastable
    #[arg(long, value_name = "QUESTION", default_value = "state-collapsed")]
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
    /// What is asked of a run: state-collapsed, state-degraded, worst-collapsed, worst-degraded (at any
    /// time), not-recovered or metastable
    #[arg(long, value_name = "QUESTION", default_value = "state-collapsed")]
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

/// `mdbook`
#[derive(Debug, Args)]
pub struct MdbookOptions {
    #[command(subcommand)]
    pub question: Option<MdbookQuestion>,
}

/// What mdBook asks its preprocessors first.
#[derive(Debug, Subcommand)]
pub enum MdbookQuestion {
    /// Whether books for this renderer get experiments: exit status 0 if so
    Supports {
        /// The name of the renderer
        renderer: String,
    },
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
