//! A program that answers questions: one JSON object a line in, one a line out.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

/// Set once the user wants to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Has Ctrl-C end the measuring instead of the program, so that what was measured is reported. The
/// second Ctrl-C ends the program.
///
/// # Errors
///
/// Where the system lets nobody listen.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether the user wants to stop.
#[must_use]
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Puts a child out of the reach of the terminal's Ctrl-C, which is meant for this program.
pub fn shield(command: &mut Command) {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
    }
    #[cfg(not(unix))]
    let _ = command;
}

/// A running program that answers. It is asked to end by closing its input.
pub struct Child {
    process: Process,
    input: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Child {
    /// Starts the program. What it says on standard error goes to ours.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        shield(&mut command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("a child without output")?;
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            process,
            input,
            answers,
        })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    ///
    /// What the program answers in the field `error`; or that it has ended, takes longer than
    /// `patience`, or that the user wants to stop. After any of the latter it is of no use any more.
    pub fn ask(&mut self, question: &Value, patience: Duration) -> Result<Value> {
        let input = self.input.as_mut().context("the program has ended")?;
        writeln!(input, "{question}").context("the program has ended")?;
        input.flush().context("the program has ended")?;
        let started = Instant::now();
        let line = loop {
            match self.answers.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => break line,
                Err(RecvTimeoutError::Disconnected) => bail!("the program has ended"),
                Err(RecvTimeoutError::Timeout) if interrupted() => bail!("interrupted"),
                Err(RecvTimeoutError::Timeout) if started.elapsed() > patience => {
                    bail!("no answer within {} s", patience.as_secs())
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        let answer: Value = serde_json::from_str(&line)
            .with_context(|| format!("not an answer in JSON: {line}"))?;
        match answer.get("error") {
            Some(error) => Err(anyhow!(Refused(
                error
                    .as_str()
                    .map_or_else(|| error.to_string(), str::to_owned)
            ))),
            None => Ok(answer),
        }
    }
}

/// What the program said when it could not do what it was asked; it goes on answering.
#[derive(Debug)]
pub struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.input.take());
        // Time to close what it has opened; then it is ended.
        for _ in 0..100 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A number of an answer.
///
/// # Errors
///
/// If the answer has no such number.
pub fn number(answer: &Value, name: &str) -> Result<f64> {
    answer[name]
        .as_f64()
        .with_context(|| format!("an answer without {name}: {answer}"))
}
