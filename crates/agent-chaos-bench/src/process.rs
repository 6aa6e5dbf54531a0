//! Whole processes: from their start to their end, with their peak of memory.
//!
//! The system tells the peak of all children of a process together. So each program is started by
//! a fresh process of this one (`agent-chaos-bench process …`) that has no other child.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::child::{number, shield};

/// What a process took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// Seconds on the wall from its start to its end.
    pub seconds: f64,
    /// The most memory it had at once, in bytes; none where the system does not tell.
    pub peak_bytes: Option<f64>,
}

/// Runs a program with these arguments through the fresh process.
///
/// # Errors
///
/// If it cannot be started or fails.
pub fn take(bench: &Path, program: &Path, arguments: &[&str]) -> Result<Taken> {
    let mut command = Command::new(bench);
    command.arg("process").arg(program).args(arguments);
    shield(&mut command);
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    Ok(Taken {
        seconds: number(&answer, "seconds")?,
        peak_bytes: answer["peak_bytes"].as_f64(),
    })
}

/// The fresh process: runs the program and prints what it took.
///
/// # Errors
///
/// If the program cannot be started or fails.
pub fn run(program: &str, arguments: &[String]) -> Result<()> {
    let started = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{program} ended with {status}");
    }
    println!(
        "{}",
        json!({ "seconds": seconds, "peak_bytes": peak_of_children() })
    );
    Ok(())
}

#[cfg(unix)]
fn peak_of_children() -> Option<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    // Apple's systems count bytes, the others kibibytes.
    let unit = if cfg!(target_vendor = "apple") {
        1.0
    } else {
        1024.0
    };
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    Some(usage.max_rss() as f64 * unit)
}

#[cfg(not(unix))]
fn peak_of_children() -> Option<f64> {
    None
}
