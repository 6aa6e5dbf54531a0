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
  agent-chaos run mine.json --events events.ndjson    run a file, keep every event
  agent-chaos link mine.json --seed 7                 a link that can tell whether it reproduces
  agent-chaos link exp-002 --view show=verdict,charts --view 'ask=How many workers does it take?'
  agent-chaos open 'v1.exp-002~workers.count=6'       what a link changes, and whether it reproduces

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
