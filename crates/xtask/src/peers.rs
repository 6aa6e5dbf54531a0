//! The same work on other simulation engines, in turn with the yardstick.
//!
//! The programs and their protocol are in `crates/agent-chaos-bench/peers`. Whatever they need is
//! installed under `target/peers`; nothing is written into the source tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::steps::{cargo, command, exists, npm_ci, root, run as succeed, step, target};

/// What one engine took for one workload: the round with the median ratio to the yardstick.
#[derive(Clone, Debug)]
pub struct PeerResult {
    /// The engine, as people call it.
    pub name: String,
    /// The version that was installed.
    pub version: String,
    /// One of [`WORKLOADS`].
    pub workload: String,
    /// How many requests were sent.
    pub requests: u64,
    /// Wall time of the simulation alone.
    pub nanos_per_request: f64,
    /// The same of the bare loop, run right before.
    pub yardstick_nanos_per_request: f64,
}

impl PeerResult {
    /// How many times the yardstick's time this is.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.nanos_per_request / self.yardstick_nanos_per_request
    }
}

/// What is timed, as it is called on the command line of a peer.
pub const WORKLOADS: [&str; 4] = ["mm1", "mm4-80", "agents-1000", "agents-100000"];

const ROUNDS: usize = 3;
const SEED: &str = "1";

/// Which toolchain a peer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Language {
    Rust,
    JavaScript,
    Python,
}

struct Engine {
    name: &'static str,
    language: Language,
    program: &'static str,
    /// How many requests of each workload, so that all of it stays within minutes; none where the
    /// engine cannot do it sensibly, for which the program's source has the reason.
    requests: [Option<u64>; WORKLOADS.len()],
}

const MILLION: Option<u64> = Some(1_000_000);

const ENGINES: [Engine; 9] = [
    Engine {
        name: "odem-rs",
        language: Language::Rust,
        program: "with_odem_rs",
        requests: [MILLION; 4],
    },
    Engine {
        name: "Cimba (C engine)",
        language: Language::Python,
        program: "with_cimba.py",
        requests: [MILLION, MILLION, MILLION, None],
    },
    Engine {
        name: "simu-des",
        language: Language::Rust,
        program: "with_simu_des",
        requests: [MILLION; 4],
    },
    Engine {
        name: "nexosim, one thread",
        language: Language::Rust,
        program: "with_nexosim",
        requests: [MILLION, MILLION, Some(500_000), Some(500_000)],
    },
    Engine {
        name: "tokio, paused time",
        language: Language::Rust,
        program: "with_tokio",
        requests: [MILLION; 4],
    },
    Engine {
        name: "SimJS",
        language: Language::JavaScript,
        program: "with_simjs.mjs",
        requests: [MILLION, MILLION, Some(500_000), Some(200_000)],
    },
    Engine {
        name: "asimpy",
        language: Language::Python,
        program: "with_asimpy.py",
        requests: [Some(100_000), Some(100_000), Some(100_000), Some(200_000)],
    },
    Engine {
        name: "SimPy",
        language: Language::Python,
        program: "with_simpy.py",
        requests: [Some(100_000), Some(100_000), Some(100_000), Some(200_000)],
    },
    Engine {
        name: "Ciw",
        language: Language::Python,
        program: "with_ciw.py",
        requests: [Some(20_000), Some(20_000), None, None],
    },
];

/// Installs all peers and runs each in turn with the yardstick.
///
/// An engine that cannot be installed, fails or gets another result than theory is reported on
/// stderr and left out; the others go on.
///
/// # Errors
///
/// If the yardstick cannot be built or run.
pub fn run() -> Result<Vec<PeerResult>> {
    let yardstick = step("building the yardstick", yardstick)?;
    let mut places = BTreeMap::new();
    for (language, install) in [
        (Language::Rust, rust as fn() -> Result<Place>),
        (Language::JavaScript, javascript),
        (Language::Python, python),
    ] {
        match step(&format!("installing the peers in {language:?}"), install) {
            Ok(place) => {
                places.insert(language, place);
            }
            Err(error) => eprintln!("  left out: {error:#}"),
        }
    }
    let mut jobs: Vec<Timed> = ENGINES
        .iter()
        .filter(|engine| places.contains_key(&engine.language))
        .flat_map(|engine| {
            let sizes = WORKLOADS.into_iter().zip(engine.requests);
            sizes.filter_map(move |(workload, requests)| {
                Some(Timed {
                    engine,
                    workload,
                    requests: requests?,
                    rounds: Vec::new(),
                })
            })
        })
        .collect();
    for round in 1..=ROUNDS {
        step(
            &format!("timing the peers, round {round} of {ROUNDS}"),
            || {
                let mut sound = Vec::new();
                for mut job in std::mem::take(&mut jobs) {
                    let before: Yardstick = answer(Command::new(&yardstick))?;
                    match job.run(&places[&job.engine.language], &before) {
                        Ok(result) => {
                            job.rounds.push(result);
                            sound.push(job);
                        }
                        Err(error) => {
                            eprintln!(
                                "  left out: {}, {}: {error:#}",
                                job.engine.name, job.workload
                            );
                        }
                    }
                }
                jobs = sound;
                Ok(())
            },
        )?;
    }
    let results: Vec<PeerResult> = jobs.into_iter().map(Timed::median).collect();
    for result in &results {
        eprintln!(
            "  {}, {}: {:.0} ns a request ({} of them)",
            result.name, result.workload, result.nanos_per_request, result.requests
        );
    }
    Ok(results)
}

/// One engine with one workload, and what came out so far.
struct Timed {
    engine: &'static Engine,
    workload: &'static str,
    requests: u64,
    rounds: Vec<PeerResult>,
}

impl Timed {
    fn run(&self, place: &Place, before: &Yardstick) -> Result<PeerResult> {
        let mut program = place.program(self.engine.program);
        program.args([self.workload, &self.requests.to_string(), SEED]);
        let told: Told = answer(program)?;
        told.check(self.workload, self.requests)?;
        Ok(PeerResult {
            name: self.engine.name.to_owned(),
            version: told.version,
            workload: told.workload,
            requests: told.requests,
            nanos_per_request: told.seconds * 1e9 / told.requests as f64,
            yardstick_nanos_per_request: before.nanos_per_request,
        })
    }

    fn median(mut self) -> PeerResult {
        self.rounds.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        self.rounds.swap_remove(self.rounds.len() / 2)
    }
}

#[derive(Deserialize)]
struct Yardstick {
    nanos_per_request: f64,
}

/// What a peer prints.
#[derive(Deserialize)]
struct Told {
    version: String,
    workload: String,
    requests: u64,
    completed: u64,
    refused: u64,
    mean_sojourn_seconds: f64,
    seconds: f64,
}

impl Told {
    /// Refuses the figures of a peer that did not do the work.
    fn check(&self, workload: &str, requests: u64) -> Result<()> {
        ensure!(
            self.workload == workload
                && self.requests == requests
                && self.completed + self.refused == requests
                && self.seconds > 0.0,
            "did something else than {requests} requests of {workload}"
        );
        // A shorter run may well differ by more than this.
        if requests < 100_000 {
            return Ok(());
        }
        let theory = theory(workload);
        let blocked = self.refused as f64 / requests as f64;
        ensure!(
            (blocked - theory.blocked).abs() <= 0.02,
            "refused {blocked:.4} of the requests, theory says {:.4}",
            theory.blocked
        );
        ensure!(
            (self.mean_sojourn_seconds / theory.sojourn_seconds - 1.0).abs() <= 0.1,
            "a mean sojourn of {:.6} s, theory says {:.6} s",
            self.mean_sojourn_seconds,
            theory.sojourn_seconds
        );
        Ok(())
    }
}

struct Theory {
    blocked: f64,
    sojourn_seconds: f64,
}

/// The steady state of a workload, as a birth-death process.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.1; Little (1961).
fn theory(workload: &str) -> Theory {
    const SERVICES: f64 = 1_000.0;
    // Two thousand are as good as no bound: 0.9 to the power of that is nothing.
    let (arrivals, workers, room) = match workload {
        "mm1" => (900.0, 1, 2_000),
        _ => (4_660.0, 4, 84),
    };
    let agents: Option<f64> = workload
        .strip_prefix("agents-")
        .and_then(|count| count.parse().ok());
    let births = |present: u32| match agents {
        Some(agents) => (agents - f64::from(present)) * arrivals / agents,
        None => arrivals,
    };
    let (mut weight, mut offered, mut refused, mut present) = (1.0, 0.0, 0.0, 0.0);
    for state in 0..=room {
        offered += weight * births(state);
        present += weight * f64::from(state);
        if state == room {
            refused = weight * births(state);
        }
        weight *= births(state) / (f64::from((state + 1).min(workers)) * SERVICES);
    }
    Theory {
        blocked: refused / offered,
        sojourn_seconds: present / (offered - refused),
    }
}

/// Where the programs of one language are and how they are started.
struct Place {
    interpreter: Option<PathBuf>,
    folder: PathBuf,
    caches: PathBuf,
}

impl Place {
    fn program(&self, name: &str) -> Command {
        let path = self.folder.join(name);
        match &self.interpreter {
            Some(interpreter) => {
                let mut command = Command::new(interpreter);
                command.arg(path);
                // Python would write what it compiled beside the sources.
                command.env("PYTHONPYCACHEPREFIX", &self.caches);
                command
            }
            None => Command::new(path.with_extension(std::env::consts::EXE_EXTENSION)),
        }
    }
}

fn sources(language: &str) -> PathBuf {
    root().join("crates/agent-chaos-bench/peers").join(language)
}

/// The folder of a language under target/peers, whatever folder a program is started in.
fn installed(language: &str) -> Result<PathBuf> {
    let folder = root().join(target()).join("peers").join(language);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

fn yardstick() -> Result<PathBuf> {
    succeed(cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        "agent-chaos-bench",
        "--bin",
        "yardstick",
    ]))?;
    let program = root().join(target()).join("release/yardstick");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}

fn rust() -> Result<Place> {
    let folder = installed("rust")?;
    succeed(cargo(&[
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--bins",
        "--manifest-path",
        text(&sources("rust").join("Cargo.toml")),
        "--target-dir",
        text(&folder),
    ]))?;
    Ok(Place {
        interpreter: None,
        caches: folder.clone(),
        folder: folder.join("release"),
    })
}

fn javascript() -> Result<Place> {
    ensure!(
        exists("npm"),
        "npm is missing: install Node.js 20 or newer (it brings npm)"
    );
    let (from, folder) = (sources("javascript"), installed("javascript")?);
    for entry in fs::read_dir(&from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    once(&folder, &from.join("package-lock.json"), || {
        let mut npm = npm_ci(&folder);
        npm.stdout(Stdio::null());
        succeed(npm)
    })?;
    Ok(Place {
        interpreter: Some(PathBuf::from("node")),
        caches: folder.clone(),
        folder,
    })
}

fn python() -> Result<Place> {
    let (from, folder) = (sources("python"), installed("python")?);
    let interpreter = folder.join(if cfg!(windows) {
        "venv/Scripts/python.exe"
    } else {
        "venv/bin/python"
    });
    let requirements = from.join("requirements.txt");
    once(&folder, &requirements, || {
        let python = ["python3", "python"].into_iter().find(|name| exists(name));
        let python = python.context("Python is missing: install Python 3.11 or newer")?;
        let venv = folder.join("venv");
        succeed(command(python, &["-m", "venv", "--clear", text(&venv)]))?;
        let arguments = ["-m", "pip", "install", "--quiet"];
        let mut pip = command(text(&interpreter), &arguments);
        pip.args(["--disable-pip-version-check", "--only-binary", ":all:"]);
        pip.args(["--no-deps", "--requirement", text(&requirements)]);
        succeed(pip)
    })?;
    Ok(Place {
        interpreter: Some(interpreter),
        caches: folder.join("caches"),
        folder: from,
    })
}

/// Installs unless it has been done from the very same lock file.
pub fn once(folder: &Path, lock: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let lock = fs::read(lock).with_context(|| lock.display().to_string())?;
    let stamp = folder.join(".installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    install()?;
    Ok(fs::write(&stamp, &lock)?)
}

/// Runs a program and reads the one line of JSON it prints.
fn answer<T: DeserializeOwned>(mut program: Command) -> Result<T> {
    let output = program
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {:?}", program.get_program()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim_end().lines().last().unwrap_or_default();
        bail!("ended with {}: {last}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("printed something else than a line of JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(workload: &str, blocked: f64, sojourn_seconds: f64) {
        let theory = theory(workload);
        assert!(
            (theory.blocked - blocked).abs() < 5e-6,
            "{}",
            theory.blocked
        );
        let difference = theory.sojourn_seconds - sojourn_seconds;
        assert!(difference.abs() < 5e-7, "{}", theory.sojourn_seconds);
    }

    #[test]
    fn the_steady_state_of_a_single_worker_is_the_textbooks() {
        check("mm1", 0.0, 0.01);
    }

    #[test]
    fn the_steady_state_of_the_bounded_queue_is_the_yardsticks() {
        check("mm4-80", 0.141_631, 0.019_485);
    }

    #[test]
    fn few_agents_are_refused_less_since_they_do_not_send_while_they_wait() {
        check("agents-1000", 0.073_990, 0.018_264);
        check("agents-100000", 0.140_962, 0.019_477);
    }
}
