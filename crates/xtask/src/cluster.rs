//! A cluster on this machine: worker processes of Dask, installed from a list of exact versions.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::peers::once;
use crate::steps::{command, exists, root, run, step, target};
use crate::suite;

/// The tests of the example that sweeps on a cluster.
pub fn tests() -> Result<Command> {
    let program = suite::command_line()?;
    let folder = target().join("cluster");
    fs::create_dir_all(&folder)?;
    let venv = folder.join("venv");
    let interpreter = venv.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let requirements = root().join("crates/agent-chaos-cli/examples/requirements.txt");
    once(&folder, &requirements, || {
        step("installing Dask into target/cluster", || {
            let python = ["python3", "python"].into_iter().find(|name| exists(name));
            let python = python.context("Python is missing: install Python 3.11 or newer")?;
            let mut make = command(python, &["-m", "venv", "--clear"]);
            make.arg(&venv);
            run(make)?;
            let mut pip = Command::new(&interpreter);
            pip.args(["-m", "pip", "install", "--quiet"]);
            pip.args(["--disable-pip-version-check", "--only-binary", ":all:"]);
            pip.args(["--no-deps", "--requirement"]).arg(&requirements);
            run(pip)
        })
    })?;
    let mut tests = Command::new(&interpreter);
    tests
        .arg(root().join("tests/cluster/dask_sweep.py"))
        .current_dir(root())
        .env("AGENT_CHAOS", program);
    Ok(tests)
}
