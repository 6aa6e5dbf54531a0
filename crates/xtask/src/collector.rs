//! A collector of OpenTelemetry for the tests on other hosts: Rotel, whose program comes in a Python
//! package.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::steps::{command, exists, run, step, target};

/// The one version that the tests know.
const PACKAGE: &str = "rotel==0.0.1a15";

/// The path of its program, which is installed below `target` where it is not yet there.
pub fn program() -> Result<PathBuf> {
    let venv = target().join("collector").join(PACKAGE.replace("==", "-"));
    let pattern = venv.join("lib");
    let find = || {
        let pythons = std::fs::read_dir(&pattern).ok()?.flatten();
        let mut programs =
            pythons.map(|python| python.path().join("site-packages/rotel/rotel-agent"));
        programs.find(|program| program.is_file())
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    let python = ["python3", "python"].into_iter().find(|name| exists(name));
    let python = python.context("Python is missing: install Python 3.11 or newer")?;
    step("installing the collector", || {
        let venv_text = venv
            .to_str()
            .context("the path of the target folder is no text")?;
        run(command(python, &["-m", "venv", "--clear", venv_text]))?;
        let interpreter = venv.join("bin/python");
        let interpreter = interpreter.to_str().context("the path is no text")?;
        let mut pip = command(
            interpreter,
            &["-m", "pip", "install", "--quiet", "--no-deps"],
        );
        pip.args([
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            PACKAGE,
        ]);
        run(pip)
    })?;
    let Some(program) = find() else {
        bail!("{PACKAGE} has no program for this machine");
    };
    Ok(program)
}
