//! Native runs in a process of their own, which answers one JSON line with another.
//!
//! | asked | answered |
//! | --- | --- |
//! | `{"do": "bare"}` | `{"seconds"}` |
//! | `{"do": "run", "profile"}` | `{"seconds", "requests", "digest"}` |
//! | `{"do": "alone", "profile"}` | `{"seconds", "requests"}` |
//!
//! A question that cannot be answered is answered `{"error"}`.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use agent_chaos_core::{Profile, Run, wire};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::bare;
use crate::child::{Child, Refused, number};

/// Requests of one run of the yardstick.
pub const BARE_REQUESTS: u32 = 1_000_000;

/// Answers questions from standard input until it is closed.
///
/// # Errors
///
/// If standard input or output fails.
pub fn serve() -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer =
            answer(&line?).unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<Value> {
    let question: Value = serde_json::from_str(line)?;
    let profile = || -> Result<Profile> {
        let text = question["profile"].as_str().context("no profile")?;
        Ok(wire::parse(text)?)
    };
    match question["do"].as_str() {
        Some("bare") => {
            let started = Instant::now();
            let requests = black_box(u64::from(BARE_REQUESTS));
            black_box(bare::run(1, requests, 4660.0, 1000.0, 80));
            Ok(json!({ "seconds": started.elapsed().as_secs_f64() }))
        }
        Some("run") => {
            let profile = profile()?;
            let started = Instant::now();
            let report = black_box(Run::new(&profile).finish());
            let seconds = started.elapsed().as_secs_f64();
            let requests = report.requests.created;
            Ok(json!({ "seconds": seconds, "requests": requests, "digest": report.digest }))
        }
        Some("alone") => {
            let profile = profile()?;
            let started = Instant::now();
            let requests = black_box(agent_chaos_core::run_unobserved(&profile)).created;
            let seconds = started.elapsed().as_secs_f64();
            Ok(json!({ "seconds": seconds, "requests": requests }))
        }
        _ => bail!("asked {line}"),
    }
}

/// The process that runs natively, started when it is first asked, and again after it has failed.
pub struct Native {
    program: std::path::PathBuf,
    child: Option<Child>,
}

impl Native {
    /// `program` is this program.
    #[must_use]
    pub fn new(program: std::path::PathBuf) -> Self {
        Self {
            program,
            child: None,
        }
    }

    /// Asks one question.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        let mut child = match self.child.take() {
            Some(child) => child,
            None => {
                let mut command = std::process::Command::new(&self.program);
                command.arg("answer");
                Child::start(command)?
            }
        };
        let answer = child.ask(question, Duration::from_secs(600));
        if !matches!(&answer, Err(error) if !error.is::<Refused>()) {
            self.child = Some(child);
        }
        answer
    }

    /// Seconds of one run of the yardstick.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn bare(&mut self) -> Result<f64> {
        number(&self.ask(&json!({ "do": "bare" }))?, "seconds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_answered_with_its_time_and_digest() {
        let profile = wire::to_text(&crate::workloads::open_loop(1000));
        let line = json!({ "do": "run", "profile": profile }).to_string();
        let answer = answer(&line).expect("an answer");
        assert_eq!(answer["requests"], 1000);
        assert_eq!(answer["digest"].as_str().map(str::len), Some(16));
        assert!(
            answer["seconds"]
                .as_f64()
                .is_some_and(|seconds| seconds > 0.0)
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(answer(r#"{"do": "sing"}"#).is_err());
        assert!(answer(r#"{"do": "run", "profile": "[]"}"#).is_err());
    }
}
