//! Running programs, one announced step at a time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The top of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Says what is done, does it, and says how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("• {what} …");
    let started = Instant::now();
    let done = work().with_context(|| format!("failed: {what}"))?;
    eprintln!("  done in {:.1} s", started.elapsed().as_secs_f64());
    Ok(done)
}

/// A program with its arguments, to be run at the top of the repository.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// A program to be run in `web/`.
pub fn in_web(program: &str, arguments: &[&str]) -> Command {
    let mut command = command(program, arguments);
    command.current_dir(root().join("web"));
    command
}

/// A program that npm installed, to be run in `web/`.
pub fn npm_bin(name: &str, arguments: &[&str]) -> Command {
    let program = root().join("web/node_modules/.bin").join(name);
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root().join("web"));
    command
}

/// npm, to install the packages of a folder's lock file there.
pub fn npm_ci(folder: &Path) -> Command {
    let mut npm = command(
        "npm",
        &[
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ],
    );
    npm.current_dir(folder);
    npm
}

/// Cargo, as this program was started by it.
pub fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    command(&cargo, arguments)
}

/// Runs a program and expects it to succeed.
pub fn run(mut command: Command) -> Result<()> {
    command.stdin(Stdio::null());
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}; is it installed?", command.get_program()))?;
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(())
}

/// Whether a program can be started.
pub fn exists(program: &str) -> bool {
    let mut command = command(program, &["--version"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
