//! Every test there is, and what else must hold before a change lands.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::steps::{cargo, command, in_web, npm_bin, root, run, step, target};
use crate::{browser, cluster, collector, hosts, page};

/// What a part of the tests came to.
#[derive(Clone, Copy, Default)]
struct Counts {
    passed: u64,
    failed: u64,
}

type Part = (&'static str, fn() -> Result<Command>);

const PARTS: [Part; 5] = [
    ("core, command line and links", native),
    ("wasm in node", wasm_in_node),
    ("page units in node", page_units),
    ("wasm in Chromium", wasm_in_chromium),
    ("page in Chromium", page_in_chromium),
];

/// What is run besides where other hosts are asked for.
const HOSTS: [Part; 3] = [
    ("page in Firefox", page_in_firefox),
    ("a collector of OpenTelemetry", with_collector),
    ("documentation tools", documentation_tools),
];

/// Runs every part, also after one has failed, and sums up; with `hosts`, the parts on other hosts
/// instead.
pub fn test(only: Option<&str>, hosts: bool) -> Result<()> {
    page::wasm_target()?;
    page::npm_packages()?;
    let mut lines = Vec::new();
    let mut total = Counts::default();
    let mut broken = false;
    let parts: &[Part] = if hosts { &HOSTS } else { &PARTS };
    for &(name, prepare) in parts {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        eprintln!("\n=== {name} ===");
        let started = Instant::now();
        let outcome = prepare().and_then(watch);
        let took = started.elapsed().as_secs_f64();
        let line = match outcome {
            Ok((counts, success)) => {
                total.passed += counts.passed;
                total.failed += counts.failed;
                // A part that ran nothing, or ended badly without a failed test, has not passed.
                broken |= !success || counts.failed > 0 || counts.passed == 0;
                format!(
                    "{name}: {} passed, {} failed{} ({took:.0} s)",
                    counts.passed,
                    counts.failed,
                    if success { "" } else { ", ended with an error" }
                )
            }
            Err(error) => {
                broken = true;
                format!("{name}: could not run: {error:#}")
            }
        };
        eprintln!("{line}");
        lines.push(line);
    }
    eprintln!("\n=== all ===\n{}", lines.join("\n"));
    println!("{} passed, {} failed", total.passed, total.failed);
    if broken {
        bail!("not every part of the tests passed");
    }
    Ok(())
}

fn native() -> Result<Command> {
    Ok(cargo(&[
        "test",
        "--package",
        "agent-chaos-core",
        "--package",
        "agent-chaos-link",
        "--package",
        "agent-chaos-cli",
        "--package",
        "agent-chaos-export",
        "--package",
        "agent-chaos-bench",
        "--package",
        "agent-chaos-site",
        "--features",
        "agent-chaos-core/schema",
        "--no-fail-fast",
    ]))
}

fn wasm_in_node() -> Result<Command> {
    let runner = wasm_runner()?;
    let mut tests = cargo(&[
        "test",
        "--release",
        "--package",
        "agent-chaos-wasm",
        "--features",
        "lab",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    tests.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    Ok(tests)
}

fn wasm_runner() -> Result<std::path::PathBuf> {
    step("building the runner of the wasm tests", || {
        run(cargo(&[
            "build",
            "--quiet",
            "--package",
            "wasm-test-runner",
        ]))
    })?;
    Ok(target()
        .join("debug")
        .join(format!("wasm-test-runner{}", std::env::consts::EXE_SUFFIX)))
}

fn page_units() -> Result<Command> {
    Ok(in_web(
        "node",
        &["--test", "--test-reporter=tap", "../tests/unit/"],
    ))
}

/// The runner serves its page, and the browser tests' own browser opens it.
fn wasm_in_chromium() -> Result<Command> {
    let mut tests = npm_bin(
        "playwright",
        &[
            "test",
            "--config",
            "playwright.config.js",
            "--project",
            "wasm",
        ],
    );
    tests.env("CHROME", browser::chromium()?);
    tests.env("WASM_RUNNER", wasm_runner()?);
    Ok(tests)
}

fn page_in_chromium() -> Result<Command> {
    let programs = page_and_programs()?;
    let mut tests = npm_bin(
        "playwright",
        &[
            "test",
            "--config",
            "playwright.config.js",
            "--project",
            "page",
        ],
    );
    tests.env("CHROME", browser::chromium()?);
    tests.envs(programs);
    Ok(tests)
}

fn page_in_firefox() -> Result<Command> {
    let programs = page_and_programs()?;
    let mut tests = in_web(
        "node",
        &[
            "--test",
            "--test-reporter=tap",
            "../tests/browser/firefox.test.mjs",
            "../tests/browser/embed-firefox.test.mjs",
        ],
    );
    tests.env("FIREFOX", browser::firefox()?);
    tests.envs(programs);
    Ok(tests)
}

/// What the command line sends goes through a real collector, which comes as a Python package.
fn with_collector() -> Result<Command> {
    let mut tests = cargo(&[
        "test",
        "--package",
        "agent-chaos-cli",
        "--test",
        "exports",
        "--",
        "--ignored",
    ]);
    tests.env("ROTEL", collector::program()?);
    Ok(tests)
}

/// Sites of the documentation tools that people use, built by the tools and opened in Chromium.
fn documentation_tools() -> Result<Command> {
    let programs = page_and_programs()?;
    let folder = hosts::install()?;
    let mut tests = in_web(
        "node",
        &[
            "--test",
            "--test-reporter=tap",
            "--test-concurrency=1",
            "../tests/hosts/blocks.test.mjs",
            "../tests/hosts/hosts.test.mjs",
        ],
    );
    tests.env("CHROME", browser::chromium()?);
    tests.env("PYTHON", hosts::python(&folder));
    tests.env("HOSTS", folder);
    tests.envs(programs);
    Ok(tests)
}

/// Builds the page, the command line to compare it with, and what makes the site; gives the variables that
/// name the programs.
fn page_and_programs() -> Result<[(&'static str, std::path::PathBuf); 2]> {
    page::build()?;
    page::programs()?;
    Ok([
        ("AGENT_CHAOS", page::program("agent-chaos")),
        ("AGENT_CHAOS_SITE", page::program("agent-chaos-site")),
    ])
}

/// Builds the command line; gives its path.
pub fn command_line() -> Result<std::path::PathBuf> {
    page::programs()?;
    Ok(page::program("agent-chaos"))
}

/// Runs a test program, shows what it prints, and counts what it reports.
fn watch(mut command: Command) -> Result<(Counts, bool)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {:?}; is it installed?", command.get_program()))?;
    let mut counts = Counts::default();
    let output = child.stdout.take().context("a piped standard output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        count(&line, &mut counts);
    }
    Ok((counts, child.wait()?.success()))
}

/// The closing lines of cargo test and of the wasm runner, of node's TAP, and of Playwright.
fn count(line: &str, counts: &mut Counts) {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("test result:") {
        counts.passed += number_before(rest, " passed");
        counts.failed += number_before(rest, " failed");
    } else if let Some(number) = line.strip_prefix("# pass ") {
        counts.passed += number.parse::<u64>().unwrap_or(0);
    } else if let Some(number) = line.strip_prefix("# fail ") {
        counts.failed += number.parse::<u64>().unwrap_or(0);
    } else {
        let mut words = line.split_whitespace();
        if let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next())
        {
            match (what, words.next()) {
                ("passed", Some(took)) if took.starts_with('(') => counts.passed += number,
                ("failed" | "flaky" | "interrupted", None) | ("did", Some("not")) => {
                    counts.failed += number
                }
                _ => {}
            }
        }
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().unwrap_or("");
    before
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// The executor's tests under Miri, where all unsafe code is. Installs what that takes.
pub fn miri() -> Result<()> {
    step("installing Miri (a second toolchain)", || {
        run(command(
            "rustup",
            &[
                "toolchain",
                "install",
                "nightly",
                "--profile",
                "minimal",
                "--component",
                "miri,rust-src",
                "--no-self-update",
            ],
        ))
    })?;
    let mut tests = command(
        "rustup",
        &[
            "run",
            "nightly",
            "cargo",
            "miri",
            "test",
            "--package",
            "agent-chaos-core",
            "--lib",
            "--",
            "executor",
            "run::tests",
        ],
    );
    // Cargo sets these for what it runs; the other toolchain has its own. Random test cases come
    // from the system's entropy, and nothing is kept in files.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        tests.env_remove(name);
    }
    tests
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("CARGO_TARGET_DIR", target().join("miri"));
    let (counts, success) = watch(tests)?;
    println!("{} passed, {} failed", counts.passed, counts.failed);
    if !success || counts.passed == 0 {
        bail!("Miri found something, or ran nothing");
    }
    Ok(())
}

/// A sweep on a local cluster of worker processes, one of which is killed.
pub fn cluster() -> Result<()> {
    let (counts, success) = watch(cluster::tests()?)?;
    println!("{} passed, {} failed", counts.passed, counts.failed);
    if !success || counts.failed > 0 || counts.passed == 0 {
        bail!("the sweep on a cluster failed, or ran nothing");
    }
    Ok(())
}

/// Formatting, clippy, documentation and types, each with warnings as errors.
pub fn lint() -> Result<()> {
    page::wasm_target()?;
    page::npm_packages()?;
    step("checking the formatting", || {
        run(cargo(&["fmt", "--all", "--check"]))
    })?;
    step("clippy, native", || {
        run(cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--features",
            "agent-chaos-core/schema",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    step("clippy, wasm32", || {
        run(cargo(&[
            "clippy",
            "--quiet",
            "--package",
            "agent-chaos-wasm",
            "--package",
            "agent-chaos-wasm-pack",
            "--features",
            "agent-chaos-wasm/lab",
            "--target",
            "wasm32-unknown-unknown",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    step("documentation", || {
        let mut doc = cargo(&[
            "doc",
            "--quiet",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        run(doc)
    })?;
    page::engine()?;
    page::types()
}

/// Rewrites what is generated and kept in the repository, and shows what changed.
pub fn bless() -> Result<()> {
    for tests in [&["--lib"][..], &["--test", "golden"]] {
        let mut bless = cargo(&[
            "test",
            "--quiet",
            "--package",
            "agent-chaos-core",
            "--features",
            "schema",
        ]);
        bless.args(tests).env("BLESS", "1");
        step("rewriting golden files", || run(bless))?;
    }
    run(command(
        "git",
        &[
            "status",
            "--short",
            "tests/golden",
            "crates/agent-chaos-core/profile.schema.json",
        ],
    ))
}

/// Screenshots of the page in its states, widths and themes.
pub fn shots() -> Result<()> {
    page::npm_packages()?;
    page::build()?;
    let output = root().join("tests/browser/output");
    // Pictures of states that are no more would be looked at for nothing.
    if output.exists() {
        std::fs::remove_dir_all(&output)?;
    }
    let mut shots = npm_bin(
        "playwright",
        &[
            "test",
            "--config",
            "playwright.config.js",
            "--project",
            "shots",
        ],
    );
    shots.env("CHROME", browser::chromium()?);
    run(shots)?;
    eprintln!("screenshots are in {}", output.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Counts, count};

    fn counted(lines: &[&str]) -> (u64, u64) {
        let mut counts = Counts::default();
        lines.iter().for_each(|line| count(line, &mut counts));
        (counts.passed, counts.failed)
    }

    #[test]
    fn closing_lines_of_every_runner_are_counted() {
        assert_eq!(
            counted(&["test result: ok. 42 passed; 1 failed; 0 ignored; 0 measured"]),
            (42, 1)
        );
        assert_eq!(counted(&["# tests 5", "# pass 4", "# fail 1"]), (4, 1));
        assert_eq!(
            counted(&[
                "  2 failed",
                "    [page] › a.spec.mjs",
                "  1 flaky",
                "  3 did not run",
                "  12 passed (33.1s)"
            ]),
            (12, 6)
        );
        assert_eq!(counted(&["running 3 tests", "12 passed through"]), (0, 0));
    }
}
