//! Measures the speed: builds everything that is measured, then starts `agent-chaos-bench`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use crate::steps::{cargo, command, in_web, root, run, step, target};
use crate::{browser, page, peers};

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Three rounds, without the scaling
    #[arg(long)]
    quick: bool,
    /// Run 20,000,000 requests as well, natively and in the page
    #[arg(long)]
    long: bool,
    /// Run the benchmarks of single parts as well (Criterion)
    #[arg(long)]
    criterion: bool,
    /// Leave Chromium out
    #[arg(long)]
    no_browser: bool,
    /// Measure other engines as well
    #[arg(long)]
    peers: bool,
    /// Measure the page alone: how soon it can be used, how smoothly a run of 400 agents plays, how long a large sweep takes
    #[arg(long)]
    page: bool,
}

/// Builds, measures and reports. What cannot be built or measured is told in the report.
pub fn bench(options: &Options) -> Result<()> {
    if options.page {
        return smoothness();
    }
    let output = target().join("bench");
    fs::create_dir_all(&output)?;
    step("building the benchmark and the command line", || {
        run(cargo(&[
            "build",
            "--quiet",
            "--release",
            "--package",
            "agent-chaos-bench",
            "--package",
            "agent-chaos-cli",
        ]))
    })?;
    let program = |name: &str| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        target().join("release").join(file)
    };
    let mut bench = command(&program("agent-chaos-bench").to_string_lossy(), &["run"]);
    let rounds = if options.quick { 3 } else { options.rounds };
    bench.args(["--rounds", &rounds.to_string()]);
    bench.arg("--top").arg(root());
    bench.arg("--cli").arg(program("agent-chaos"));
    bench.arg("--output").arg(&output);
    for (wanted, name) in [
        (options.quick, "--skip-scaling"),
        (options.long, "--long"),
        (options.criterion, "--criterion"),
    ] {
        if wanted {
            bench.arg(name);
        }
    }
    match in_browser(options, &output) {
        Ok(Parts { chromium, alone }) => {
            bench.arg("--chromium").arg(chromium);
            if let Some(folder) = alone {
                bench.arg("--alone").arg(folder);
            }
        }
        Err(reason) => {
            bench.arg("--no-chromium").arg(format!("{reason:#}"));
        }
    }
    if options.peers {
        let file = output.join("peers.json");
        fs::write(&file, other_engines().to_string())?;
        bench.arg("--peers").arg(file);
    }
    become_program(bench)
}

fn smoothness() -> Result<()> {
    let chromium = browser::chromium()?;
    page::build()?;
    let script = "../crates/agent-chaos-bench/browser/smooth.mjs";
    let mut bench = in_web("node", &[script]);
    bench.env("CHROME", chromium);
    run(bench)
}

struct Parts {
    chromium: PathBuf,
    /// The folder of the module that can run the engine alone, if there is one.
    alone: Option<PathBuf>,
}

/// Builds what runs in Chromium, and finds one.
fn in_browser(options: &Options, output: &Path) -> Result<Parts> {
    if options.no_browser {
        anyhow::bail!("left out (--no-browser)");
    }
    let chromium = browser::chromium()?;
    let folder = output.join("pkg");
    // Built first, so that what is left behind is the module that the page uses.
    let alone = if has_bench_feature()? {
        page::module("agent-chaos-wasm", &["bench"], &folder, "agent_chaos_wasm")?;
        Some(folder)
    } else {
        None
    };
    page::build()?;
    Ok(Parts { chromium, alone })
}

/// Whether the module can be built so that it runs the engine alone.
fn has_bench_feature() -> Result<bool> {
    let manifest = root().join("crates/agent-chaos-wasm/Cargo.toml");
    let text = fs::read_to_string(&manifest).context("crates/agent-chaos-wasm/Cargo.toml")?;
    let features = text.split("[features]").nth(1).unwrap_or_default();
    let section = features.split("\n[").next().unwrap_or_default();
    Ok(section
        .lines()
        .any(|line| line.split('=').next().map(str::trim) == Some("bench")))
}

/// What other engines come to, or the reason why there is nothing to tell.
fn other_engines() -> serde_json::Value {
    let result = step("measuring other engines", peers::run);
    match result {
        Err(reason) => json!({ "reason": format!("{reason:#}") }),
        Ok(peers) => json!({
            "peers": peers.iter().map(|peer| json!({
                "name": peer.name,
                "version": peer.version,
                "workload": peer.workload,
                "nanos_per_request": peer.nanos_per_request,
                "yardstick_nanos_per_request": peer.yardstick_nanos_per_request,
            })).collect::<Vec<_>>(),
        }),
    }
}

/// Goes on as this program, which then hears Ctrl-C itself and still reports what it has.
#[cfg(unix)]
fn become_program(mut program: std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let error = program.exec();
    Err(error).with_context(|| format!("cannot start {:?}", program.get_program()))
}

#[cfg(not(unix))]
fn become_program(program: std::process::Command) -> Result<()> {
    run(program)
}
