//! Headless Chromium, driven by `browser/driver.mjs`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::child::{Child, Refused};

/// What it takes to drive Chromium.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The Chromium.
    pub chromium: PathBuf,
    /// The driver, a script for node.
    pub driver: PathBuf,
    /// The folder of the module that can run the engine alone, if it was built.
    pub alone: Option<PathBuf>,
}

/// The driver, started when it is first asked, and again after it has failed.
pub struct Browser {
    setup: Result<Setup, String>,
    child: Option<Child>,
    losses: u32,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the driver may be lost before nothing more is asked of it.
const MOST_LOSSES: u32 = 2;

impl Browser {
    /// With the reason why there is none, every question is answered with that reason.
    #[must_use]
    pub const fn new(setup: Result<Setup, String>) -> Self {
        Self {
            setup,
            child: None,
            losses: 0,
        }
    }

    /// Whether there is one to be asked.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.setup.is_ok()
    }

    /// Asks one question.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        let setup = self
            .setup
            .as_ref()
            .map_err(|reason| anyhow::anyhow!(reason.clone()))?;
        let mut child = match self.child.take() {
            Some(child) => child,
            None => {
                let mut command = Command::new("node");
                command
                    .arg(&setup.driver)
                    .arg(setup.alone.clone().unwrap_or_default())
                    .env("CHROME", &setup.chromium);
                Child::start(command)?
            }
        };
        let answer = child.ask(question, PATIENCE);
        match &answer {
            Err(error) if !error.is::<Refused>() => {
                self.losses += 1;
                if self.losses == MOST_LOSSES {
                    self.setup = Err(format!("given up: {error:#}"));
                }
            }
            _ => self.child = Some(child),
        }
        answer
    }

    /// The version of Chromium.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn version(&mut self) -> Result<String> {
        let answer = self.ask(&json!({ "do": "version" }))?;
        let version = answer["chromium"].as_str().context("no version")?;
        Ok(version.to_owned())
    }
}
